import json

import pytest

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.credential import Account, CredentialKind
from veldwatch.wire.broker_accounts import MARKER, mosquitto_acl, mosquitto_passwords, nats_accounts, subject

METER = Account(
    username="meter-1-ab",
    kind=CredentialKind.PASSWORD,
    organisation="kasama-water",
    bcrypt="$2a$04$x",
    pbkdf2="$7$101$salt$hash",
    publish=("veldwatch/v1/kasama-water/a.b/readings",),
    subscribe=("veldwatch/v1/kasama-water/a.b/commands/#",),
)
PUMP = Account(
    username="CN=pump,O=kasama-water",
    kind=CredentialKind.CERTIFICATE,
    organisation="kasama-water",
    bcrypt="",
    pbkdf2="",
    publish=("veldwatch/v1/kasama-water/Living room/readings",),
    subscribe=(),
)
BASE = f"authorization {{ users: [\n  {{ user: ingest }}\n  {MARKER}\n] }}\n"


@pytest.mark.parametrize(
    ("topic_filter", "expected"),
    [
        ("a/b/c", "a.b.c"),
        ("a/+/#", "a.*.>"),
        ("a.b/c", "a//b.c"),
        ("/a", "/.a"),
        ("a/", "a./"),
        ("a//b", "a./.b"),
        ("#", ">"),
        ("a b", None),
        ("a/*", None),
        ("a/>", None),
        ("a\nb", None),
    ],
)
def test_a_filter_has_the_subject_that_nats_maps_it_to(topic_filter: str, expected: str | None) -> None:
    assert subject(topic_filter) == expected


def test_nats_gets_each_account_within_the_list_of_users() -> None:
    text = nats_accounts(BASE, [METER, PUMP], locked="$2a$04$nobody")
    before, first, second, after = text.strip().split("\n")[1:]
    assert before == "  { user: ingest }"
    assert after == "] }"
    assert json.loads(first) == {
        "user": "meter-1-ab",
        "password": "$2a$04$x",
        "allowed_connection_types": ["MQTT"],
        "permissions": {
            "publish": {"allow": ["veldwatch.v1.kasama-water.a//b.readings"]},
            "subscribe": {
                "allow": [
                    "veldwatch.v1.kasama-water.a//b.commands.>",
                    "veldwatch.v1.kasama-water.a//b.commands",
                    "$MQTT.sub.>",
                ]
            },
        },
    }
    assert json.loads(second)["password"] == "$2a$04$nobody"
    assert json.loads(second)["permissions"]["publish"] == {"deny": [">"]}, "what nats cannot say is not widened"


def test_without_accounts_the_programs_own_remain() -> None:
    assert nats_accounts(BASE, [], locked="") == BASE.replace(MARKER, "")


@pytest.mark.parametrize("base", ["", "authorization {}", MARKER + MARKER])
def test_a_base_without_its_marker_is_refused(base: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="accounts of the register"):
        nats_accounts(base, [METER], locked="")


def test_mosquitto_gets_passwords_of_those_that_have_one_and_rights_of_all() -> None:
    assert mosquitto_passwords("ingest:$7$", [METER, PUMP]) == "ingest:$7$\nmeter-1-ab:$7$101$salt$hash\n"
    assert mosquitto_acl("user ingest\ntopic read #\n", [METER, PUMP]) == (
        "user ingest\ntopic read #\n"
        "user meter-1-ab\n"
        "topic write veldwatch/v1/kasama-water/a.b/readings\n"
        "topic read veldwatch/v1/kasama-water/a.b/commands/#\n\n"
        "user CN=pump,O=kasama-water\n"
        "topic write veldwatch/v1/kasama-water/Living room/readings\n\n"
    )


def test_where_certificates_are_mapped_their_accounts_have_no_password() -> None:
    users = [json.loads(line) for line in nats_accounts(BASE, [METER, PUMP], locked=None).split("\n")[2:4]]
    assert ["password" in user for user in users] == [True, False]
