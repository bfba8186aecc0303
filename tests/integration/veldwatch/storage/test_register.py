"""The register on a real server."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import Conflict, StorageRejected
from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.register import (
    Device,
    DeviceStatus,
    OrganisationKind,
    Profile,
    ProfileMetric,
    Site,
    Subject,
)
from veldwatch.storage import register
from veldwatch.storage.connection import Connection, connect

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WATER = Profile(
    slug="water-meter",
    name="Water meter",
    kind="meter",
    expected_interval=timedelta(minutes=15),
    metrics=(
        ProfileMetric(metric="volume", unit="m3", kind="counter", register_modulus=1e5),
        ProfileMetric(metric="flow_rate", unit="L/h", minimum=0),
    ),
)


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    return register.ensure_organisation(connection, "kasama", "Kasama water", OrganisationKind.UTILITY)


def _meter(organisation: OrganisationId, external_id: str = "10101010") -> Device:
    return Device(organisation_id=organisation, external_id=external_id, source="wmbusmeters")


def test_an_organisation_is_made_once_and_keeps_what_is_not_said(connection: Connection) -> None:
    first = register.ensure_organisation(connection, "reserve", "The reserve", OrganisationKind.AGENCY)
    assert register.ensure_organisation(connection, "reserve") == first
    assert connection.execute("SELECT slug, name, kind FROM organisation").fetchall() == [
        ("reserve", "The reserve", "agency")
    ]
    assert register.find_organisations(connection) == {"reserve": first}


def test_a_bad_slug_is_refused_for_good(connection: Connection) -> None:
    with pytest.raises(StorageRejected):
        register.ensure_organisation(connection, "Not a slug")


def test_a_site_keeps_its_geometry_when_only_the_name_changes(
    connection: Connection, organisation: OrganisationId
) -> None:
    parent = register.ensure_site(connection, Site(organisation_id=organisation, slug="town"))
    point = {"type": "Point", "coordinates": [31.2, -10.2]}
    zone = Site(organisation_id=organisation, slug="zone-1", parent_id=parent, geometry=point, kind="feeder")
    site = register.ensure_site(connection, zone)
    assert register.ensure_site(connection, Site(organisation_id=organisation, slug="zone-1", name="Hill")) == site
    row = connection.execute("SELECT name, kind, parent_id, geometry FROM site WHERE id = %s", (site,)).fetchone()
    assert row == ("Hill", "feeder", parent, point)


def test_a_profile_loses_the_metrics_that_it_no_longer_names(connection: Connection) -> None:
    profile = register.ensure_profile(connection, WATER)
    assert register.ensure_profile(connection, replace(WATER, metrics=WATER.metrics[:1])) == profile
    assert connection.execute("SELECT metric FROM profile_metric").fetchall() == [("volume",)]


def test_naming_a_pending_device_confirms_it(connection: Connection, organisation: OrganisationId) -> None:
    pending = register.register_unknown(connection, organisation, ["10101010"], "wmbusmeters")
    assert register.ensure_device(connection, _meter(organisation)) == pending["10101010"]
    known = register.find_devices(connection, [("kasama", "10101010"), ("kasama", "absent"), ("other", "10101010")])
    assert known == {("kasama", "10101010"): (organisation, pending["10101010"], DeviceStatus.ACTIVE)}


def test_a_retired_device_stays_retired_until_somebody_says_otherwise(
    connection: Connection, organisation: OrganisationId
) -> None:
    meter = _meter(organisation)
    register.ensure_device(connection, replace(meter, status=DeviceStatus.RETIRED, tags=("inlet",), name="Inlet"))
    device = register.ensure_device(connection, meter)
    row = connection.execute("SELECT status, tags, name FROM device WHERE id = %s", (device,)).fetchone()
    assert row == ("retired", ["inlet"], "Inlet")


def test_a_series_takes_unit_kind_and_register_from_the_profile(
    connection: Connection, organisation: OrganisationId
) -> None:
    profile = register.ensure_profile(connection, WATER)
    device = register.ensure_device(connection, replace(_meter(organisation), profile_id=profile))
    series = register.ensure_series(
        connection, [(device, "volume", "L"), (device, "battery", "V"), (device, "x", None)]
    )
    assert {metric: known.unit for (_, metric), known in series.items()} == {"volume": "m3", "battery": "V", "x": ""}
    rows = connection.execute("SELECT metric, kind, register_modulus FROM series ORDER BY metric").fetchall()
    assert rows == [("battery", "gauge", None), ("volume", "counter", 1e5), ("x", "gauge", None)]


def test_series_that_exist_are_given_back_and_spend_no_identity(
    connection: Connection, organisation: OrganisationId
) -> None:
    device = register.ensure_device(connection, _meter(organisation))
    first = register.ensure_series(connection, [(device, "a", None)])[device, "a"]
    for _ in range(3):
        again = register.ensure_series(connection, [(device, "a", "m3"), (device, "a", "L")])[device, "a"]
        assert (again.series_id, again.unit) == (first.series_id, "m3")
    assert register.ensure_series(connection, [(device, "b", None)])[device, "b"].series_id == first.series_id + 1


def test_series_follow_a_profile_that_their_device_gets_later(
    connection: Connection, organisation: OrganisationId
) -> None:
    device = register.register_unknown(connection, organisation, ["10101010"], "wmbusmeters")["10101010"]
    register.ensure_series(connection, [(device, "volume", None)])
    profile = register.ensure_profile(connection, WATER)
    register.ensure_device(connection, replace(_meter(organisation), profile_id=profile))
    row = connection.execute("SELECT unit, kind, register_modulus FROM series").fetchone()
    assert row == ("m3", "counter", 1e5)


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_ingestors_that_meet_the_same_new_devices_agree_on_their_ids(dsn: str) -> None:
    with connect(dsn) as connection:
        organisation = register.ensure_organisation(connection, "kasama")
    names = [f"meter-{number}" for number in range(200)]
    found: list[dict[str, DeviceId]] = []
    lines: list[dict[tuple[DeviceId, str], register.KnownSeries]] = []
    gate = threading.Barrier(4)

    def ingest(order: list[str]) -> None:
        with connect(dsn) as connection:
            gate.wait()
            devices = register.register_unknown(connection, organisation, order, "veldwatch")
            lines.append(register.ensure_series(connection, [(devices[name], "volume", "m3") for name in order]))
            found.append(devices)

    threads = [threading.Thread(target=ingest, args=(names[:: 1 - 2 * (number % 2)],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(devices == found[0] and len(devices) == 200 for devices in found)
    assert all(known == lines[0] and len(known) == 200 for known in lines)


def test_a_collar_moves_to_another_animal_and_history_stays(
    connection: Connection, organisation: OrganisationId
) -> None:
    device = register.ensure_device(connection, _meter(organisation, "collar-7"))
    animals = [
        register.ensure_subject(
            connection, Subject(organisation_id=organisation, slug=slug, name=slug, kind="animal", species="Loxodonta")
        )
        for slug in ("nala", "tembo")
    ]
    later = NOON + timedelta(days=30)
    for animal, since in ((animals[0], NOON), (animals[0], later), (animals[1], later), (animals[1], later)):
        register.deploy(connection, device, animal, since)
    rows = connection.execute("SELECT subject_id, lower(during), upper(during) FROM deployment ORDER BY 2").fetchall()
    assert rows == [(animals[0], NOON, later), (animals[1], later, None)]
    with pytest.raises(Conflict):
        register.deploy(connection, device, animals[0], NOON - timedelta(days=5))
