from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import Conflict, NotFound, NotPermitted, RequestInvalid
from veldwatch.model.credential import CredentialKind
from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.register import Device, DeviceStatus
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import NewCredential
from veldwatch.verifiers import is_secret_of

METER = NewCredential(organisation="kasama-water", devices=("Meter 1",))


@pytest.fixture(autouse=True)
def water(connection: Connection) -> OrganisationId:
    """Register two organisations; both have a meter of the same name."""
    made = [register.ensure_organisation(connection, slug) for slug in ("kasama-water", "luangwa")]
    for organisation in made:
        for external in ("Meter 1", "meter-2"):
            register.ensure_device(
                connection, Device(organisation_id=organisation, external_id=external, source="veldwatch")
            )
    connection.commit()
    return made[0]


def _stored(connection: Connection) -> str:
    return str(connection.execute("SELECT array_agg(c::text) FROM credential c").fetchone())


def test_a_secret_is_given_once_and_only_verifiers_are_kept(connection: Connection) -> None:
    made = credentials.create_credential(connection, None, METER, by="tests")
    assert made.secret is not None
    assert made.username.startswith("meter-1-")
    assert made.secret not in _stored(connection)
    account = credentials.find_account(connection, made.username)
    assert account is not None
    assert is_secret_of(account.pbkdf2, made.secret)
    assert account.device == "Meter 1"
    assert account.publish[0] == "veldwatch/v1/kasama-water/Meter 1/readings"
    [row] = credentials.list_credentials(connection, None)
    assert row["state"] == "valid"
    assert row["devices"] == ["Meter 1"]
    assert not {"bcrypt", "pbkdf2", "secret"} & row.keys()


def test_the_old_of_a_rotated_pair_ends_at_its_time_and_both_may_do_the_same(connection: Connection) -> None:
    old = credentials.create_credential(connection, None, METER, by="tests")
    later = datetime.now(UTC) + timedelta(hours=1)
    new = credentials.rotate_credential(connection, None, old.id, old_valid_until=later, by="tests")
    first, second = credentials.accounts_in_force(connection)
    assert {first.username, second.username} == {old.username, new.username}
    assert first.publish == second.publish
    assert credentials.seconds_to_next_end(connection) == pytest.approx(3600, abs=100)
    with pytest.raises(Conflict, match=f"rotate {new.id}"):
        credentials.rotate_credential(connection, None, old.id, old_valid_until=later, by="tests")
    past = datetime.now(UTC) - timedelta(seconds=1)
    newest = credentials.rotate_credential(connection, None, new.id, old_valid_until=past, by="tests")
    assert {each.username for each in credentials.accounts_in_force(connection)} == {old.username, newest.username}
    states = [row["state"] for row in credentials.list_credentials(connection, None)]
    assert states == ["valid", "expired", "valid"]


def test_what_is_revoked_lets_nobody_in_and_cannot_come_back(connection: Connection) -> None:
    made = credentials.create_credential(connection, None, METER, by="tests")
    assert credentials.revoke_credential(connection, None, made.id, by="ann") == made.username
    credentials.revoke_credential(connection, None, made.id, by="bob")
    assert credentials.find_account(connection, made.username) is None
    assert credentials.list_credentials(connection, None)[0]["revoked_by"] == "ann"
    with pytest.raises(Conflict, match="revoked"):
        credentials.rotate_credential(connection, None, made.id, old_valid_until=datetime.now(UTC), by="tests")


def test_a_retired_device_has_no_account_and_a_gateway_keeps_its_others(
    connection: Connection, water: OrganisationId
) -> None:
    alone = credentials.create_credential(connection, None, METER, by="tests")
    both = NewCredential(organisation="kasama-water", devices=("Meter 1", "meter-2"))
    gateway = credentials.create_credential(connection, None, both, by="tests")
    register.ensure_device(
        connection,
        Device(organisation_id=water, external_id="Meter 1", source="veldwatch", status=DeviceStatus.RETIRED),
    )
    [account] = credentials.accounts_in_force(connection)
    assert account.username == gateway.username != alone.username
    assert account.device is None
    assert account.publish[0] == "veldwatch/v1/kasama-water/meter-2/readings"


def test_a_certificate_is_known_by_its_subject_which_is_free_again_once_revoked(connection: Connection) -> None:
    new = NewCredential(organisation="kasama-water", devices=("meter-2",), subject="CN=meter 2, O=kasama-water")
    made = credentials.create_credential(connection, None, new, by="tests")
    assert (made.username, made.secret) == ("CN=meter 2,O=kasama-water", None)
    account = credentials.find_account(connection, made.username)
    assert account is not None
    assert account.kind is CredentialKind.CERTIFICATE
    assert (account.bcrypt, account.pbkdf2) == ("", "")
    with pytest.raises(Conflict):
        credentials.create_credential(connection, None, new, by="tests")
    with pytest.raises(RequestInvalid, match="renewed"):
        credentials.rotate_credential(connection, None, made.id, old_valid_until=datetime.now(UTC), by="tests")
    credentials.revoke_credential(connection, None, made.id, by="tests")
    assert credentials.create_credential(connection, None, new, by="tests").id > made.id


@pytest.mark.parametrize(
    "subject",
    ["", "meter", "CN=", "CN=a,,O=b", "CN=a\nuser ingest", "CN=a;O=b", "CN=a+O=b", 'CN="a"', "X=a", "CN=" + "a" * 512],
)
def test_a_subject_that_brokers_would_read_in_different_ways_is_refused(connection: Connection, subject: str) -> None:
    new = NewCredential(organisation="kasama-water", devices=("meter-2",), subject=subject)
    with pytest.raises(RequestInvalid, match="bad subject"):
        credentials.create_credential(connection, None, new, by="tests")


def test_one_organisation_makes_sees_and_ends_nothing_of_another(connection: Connection, water: OrganisationId) -> None:
    other = credentials.create_credential(
        connection, None, NewCredential(organisation="luangwa", devices=("meter-2",)), by="tests"
    )
    assert credentials.list_credentials(connection, water) == []
    with pytest.raises(NotFound):
        credentials.revoke_credential(connection, water, other.id, by="tests")
    with pytest.raises(NotFound):
        credentials.rotate_credential(connection, water, other.id, old_valid_until=datetime.now(UTC), by="tests")
    with pytest.raises(NotFound):
        credentials.create_credential(
            connection, water, NewCredential(organisation="luangwa", devices=("meter-2",)), by="t"
        )
    with pytest.raises(NotPermitted, match="whose they are"):
        credentials.create_credential(
            connection, water, NewCredential(organisation="kasama-water", publish=("application/#",)), by="tests"
        )


@pytest.mark.parametrize(
    "new",
    [
        NewCredential(organisation="kasama-water"),
        NewCredential(organisation="kasama-water", publish=("veldwatch/v1/luangwa/#",)),
        NewCredential(organisation="kasama-water", devices=("meter-2",), subscribe=("#",)),
        NewCredential(organisation="kasama-water", devices=("meter-2",), note="x" * 257),
        NewCredential(organisation="kasama-water", publish=tuple(f"a/{number}" for number in range(1001))),
    ],
)
def test_what_makes_no_sense_or_reaches_too_far_is_refused(connection: Connection, new: NewCredential) -> None:
    with pytest.raises(RequestInvalid):
        credentials.create_credential(connection, None, new, by="tests")
    assert credentials.list_credentials(connection, None) == []


def test_an_unknown_device_is_named(connection: Connection) -> None:
    new = NewCredential(organisation="kasama-water", devices=("meter-2", "nobody"))
    with pytest.raises(NotFound, match="'nobody'"):
        credentials.create_credential(connection, None, new, by="tests")
