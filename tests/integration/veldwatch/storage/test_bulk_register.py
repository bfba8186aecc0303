"""A list of devices on a real server: all of it, or nothing; twice is once."""

import io

import pytest

from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.register import DeviceStatus, Profile, ProfileMetric, Site
from veldwatch.model.register_plan import Plan
from veldwatch.storage import bulk_register, register
from veldwatch.storage.connection import Connection
from veldwatch.wire.register_csv import read_register, write_register

METERS = """\
external_id,name,profile,site,tags,longitude,latitude,subject,species,deployed_since
10101010,Mulenga Road 4,water-meter,hill,pilot;inlet,31.18,-10.21,mulenga-4,,2026-01-01
10101011,,water-meter,hill,,,,,,
c-1,Collar,,,,,,tembo,African savanna elephant,2026-01-01T12:00:00+02:00
"""


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    organisation = register.ensure_organisation(connection, "kasama")
    register.ensure_site(connection, Site(organisation_id=organisation, slug="hill"))
    metric = ProfileMetric(metric="volume", unit="m3", kind="counter", register_modulus=1e5)
    register.ensure_profile(connection, Profile(slug="water-meter", name="W", kind="meter", metrics=(metric,)))
    return organisation


def _register(connection: Connection, text: str, *, dry_run: bool = False, scope: int | None = None) -> Plan:
    read = read_register(io.StringIO(text), "kasama")
    return bulk_register.register_devices(connection, read.entries, errors=read.errors, dry_run=dry_run, scope=scope)


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return row[0]


def test_a_list_is_registered_once_however_often_it_is_read(
    connection: Connection, organisation: OrganisationId
) -> None:
    assert organisation
    assert _register(connection, METERS, dry_run=True).count("created") == 3
    assert _count(connection, "device") == 0
    assert _register(connection, METERS).count("created") == 3
    again = _register(connection, METERS)
    assert (again.count("unchanged"), again.errors) == (3, [])
    rows = connection.execute(
        "SELECT d.external_id, d.name, d.tags, d.status, s.slug, s.kind, s.species, lower(e.during)::date::text"
        " FROM device d LEFT JOIN deployment e ON e.device_id = d.id LEFT JOIN subject s ON s.id = e.subject_id"
        " ORDER BY d.id"
    ).fetchall()
    assert rows == [
        ("10101010", "Mulenga Road 4", ["pilot", "inlet"], "active", "mulenga-4", "service_point", None, "2026-01-01"),
        ("10101011", "10101011", [], "active", None, None, None, None),
        ("c-1", "Collar", [], "active", "tembo", "animal", "Loxodonta africana", "2026-01-01"),
    ]


def test_what_was_exported_changes_nothing_when_it_is_imported(
    connection: Connection, organisation: OrganisationId
) -> None:
    assert organisation
    _register(connection, METERS)
    text = io.StringIO()
    write_register(text, bulk_register.export_devices(connection))
    plan = _register(connection, text.getvalue())
    assert (plan.count("unchanged"), plan.errors) == (3, [])


def test_who_depends_on_a_device_is_read_and_written_and_an_empty_cell_keeps_it(
    connection: Connection, organisation: OrganisationId
) -> None:
    assert organisation
    head = "external_id,site,people,customers,supplies_site\n"
    plan = _register(connection, f"{head}m-1,hill,5,1,\ninlet,hill,,,yes\n")
    assert (plan.count("created"), plan.estimated) == (2, {organisation})
    assert _register(connection, f"{head}m-1,,,,\ninlet,,300,,\n").count("changed") == 1
    text = io.StringIO()
    write_register(text, bulk_register.export_devices(connection))
    again = _register(connection, text.getvalue())
    assert (again.count("unchanged"), again.estimated, again.errors) == (2, set(), [])
    rows = connection.execute("SELECT people, customers, supplies_site FROM device ORDER BY external_id").fetchall()
    assert rows == [(300, None, True), (5, 1, False)]
    wrong = _register(connection, f"{head}m-1,,-1,,\ninlet,,,,perhaps\n").errors
    assert [error.detail for error in wrong] == [
        "bad people: '-1' (expected a whole number from 0 to 2147483647)",
        "bad supplies_site: 'perhaps' (expected yes or no)",
    ]


def test_one_bad_line_leaves_everything_undone_and_every_bad_line_is_named(
    connection: Connection, organisation: OrganisationId
) -> None:
    assert organisation
    _register(connection, METERS)
    text = (
        "external_id,profile,site,longitude,latitude,status,subject,deployed_since,organisation\n"
        "new,,,,,,,,\n"
        "a,absent,,,,,,,\n"
        "b,,valley,,,,,,\n"
        "c,,,200,1,,,,\n"
        "d,,,31,,,,,\n"
        "e,,,,,lost,,,\n"
        "new,,,,,,,,\n"
        "10101010,,,,,,mulenga-6,2026-02-01,\n"
        "f,,,,,,x,yesterday,\n"
        "g,,,,,,,,elsewhere\n"
        "too,few\n"
        ",,,,,,x,,\n"
        "h,,,,,,,2026-01-01,\n"
    )
    plan = _register(connection, text)
    assert [error.line for error in plan.errors] == list(range(3, 15))
    said = {error.line: error.detail for error in plan.errors}
    assert "no profile 'absent'" in said[3]
    assert "expected degrees from -180 to 180" in said[5]
    assert "expected one of pending, active, retired, refused" in said[7]
    assert "is in line 2 already" in said[8]
    assert "is on subject 'mulenga-4' from 2026-01-01T00:00:00+00:00 to ever" in said[9]
    assert _count(connection, "device") == 3


def test_a_change_touches_what_is_said_and_nothing_else(connection: Connection, organisation: OrganisationId) -> None:
    pending = register.register_unknown(connection, organisation, ["10101010"], "wmbusmeters")["10101010"]
    register.ensure_series(connection, [(pending, "volume", "L")])
    plan = _register(connection, "external_id,profile,name\n10101010,water-meter,Inlet\n")
    assert plan.outcomes == {2: "changed"}
    known = register.find_devices(connection, [("kasama", "10101010")])["kasama", "10101010"]
    assert (known.device_id, known.status) == (pending, DeviceStatus.ACTIVE)
    row = connection.execute("SELECT source, name, register_modulus FROM device d JOIN series s ON s.device_id = d.id")
    assert row.fetchone() == ("wmbusmeters", "Inlet", 1e8)


def test_a_deployment_ends_when_the_list_says_so(connection: Connection, organisation: OrganisationId) -> None:
    assert organisation
    _register(connection, METERS)
    line = "external_id,subject,deployed_since,deployed_until\n10101010,mulenga-4,{},2026-03-01\n"
    assert _register(connection, line.format("2026-01-01")).outcomes == {2: "changed"}
    assert _register(connection, line.format("2026-01-01")).outcomes == {2: "unchanged"}
    moved = "external_id,subject,deployed_since\n10101010,mulenga-6,2026-03-01\n"
    assert _register(connection, moved).errors == []
    assert _count(connection, "deployment") == 3


def test_another_organisations_devices_cannot_be_registered(
    connection: Connection, organisation: OrganisationId
) -> None:
    other = register.ensure_organisation(connection, "other")
    assert other != organisation
    plan = _register(connection, METERS, scope=other)
    assert {error.detail.split(" (")[0] for error in plan.errors} == {"no organisation 'kasama'"}


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_hundred_thousand_devices_are_registered_as_a_whole(
    connection: Connection, organisation: OrganisationId
) -> None:
    assert organisation
    lines = ["external_id,profile,site,tags,subject"]
    lines += [f"m-{number},water-meter,hill,a;b,point-{number}" for number in range(100_000)]
    assert _register(connection, "\n".join(lines)).count("created") == 100_000
    assert _count(connection, "deployment") == 100_000
