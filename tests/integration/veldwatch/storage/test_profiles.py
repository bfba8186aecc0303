"""Profiles on a real server, and what they make of series that exist."""

from dataclasses import replace
from datetime import timedelta

import pytest

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.register import Device, Profile, ProfileMetric, Species
from veldwatch.storage import profiles, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.profiles import ProfileTarget

VOLUME = ProfileMetric(
    metric="volume", unit="m3", kind="counter", register_modulus=1e5, minimum=0, maximum=1e5, range_source="data sheet"
)
WATER = Profile(
    slug="water-meter", name="Water meter", kind="meter", expected_interval=timedelta(hours=1), metrics=(VOLUME,)
)


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    return register.ensure_organisation(connection, "kasama")


def _meter(connection: Connection, organisation: OrganisationId, name: str, *tags: str) -> DeviceId:
    meter = Device(organisation_id=organisation, external_id=name, source="wmbusmeters", tags=tags)
    return register.ensure_device(connection, meter)


def test_a_profile_that_is_applied_by_tag_gives_existing_series_their_kind_and_width(
    connection: Connection, organisation: OrganisationId
) -> None:
    tagged, other = _meter(connection, organisation, "1", "pilot"), _meter(connection, organisation, "2")
    for device in (tagged, other):
        register.ensure_series(connection, [(device, "volume", "L")])
    register.ensure_profile(connection, WATER)
    assert profiles.apply_profile(connection, "water-meter", ProfileTarget(tag="pilot")) == 1
    rows = connection.execute("SELECT device_id, kind, unit, register_modulus FROM series ORDER BY id").fetchall()
    # the series is in litres: its register is 100,000 m3 wide
    assert rows == [(tagged, "counter", "L", 1e8), (other, "gauge", "L", None)]


def test_a_profile_is_applied_to_a_source_within_the_askers_organisation(
    connection: Connection, organisation: OrganisationId
) -> None:
    elsewhere = register.ensure_organisation(connection, "elsewhere")
    _meter(connection, organisation, "1")
    _meter(connection, elsewhere, "1")
    register.ensure_profile(connection, WATER)
    target = ProfileTarget(source="wmbusmeters")
    assert profiles.apply_profile(connection, "water-meter", target, organisation) == 1
    assert profiles.apply_profile(connection, "water-meter", replace(target, without_profile=True)) == 1
    assert profiles.apply_profile(connection, "water-meter", replace(target, devices=("absent",))) == 0
    with pytest.raises(NotFound, match="no profile 'absent'"):
        profiles.apply_profile(connection, "absent", target)


def test_a_width_in_a_unit_that_measures_something_else_is_not_taken(
    connection: Connection, organisation: OrganisationId
) -> None:
    device = _meter(connection, organisation, "1")
    register.ensure_series(connection, [(device, "volume", "kWh")])
    register.ensure_profile(connection, WATER)
    profiles.apply_profile(connection, "water-meter", ProfileTarget())
    assert connection.execute("SELECT kind, unit, register_modulus FROM series").fetchone() == ("counter", "kWh", None)


def test_a_profile_is_replaced_as_a_whole(connection: Connection) -> None:
    profiles.replace_profile(connection, replace(WATER, description="in a cellar", maximum_speed=1.0))
    profiles.replace_profile(connection, replace(WATER, expected_interval=None, metrics=()))
    found = profiles.get_profile(connection, None, "water-meter")
    assert (found["expected_interval"], found["description"], found["maximum_speed"]) == (None, "", None)
    assert found["metrics"] == []


def test_a_profile_is_read_with_its_metrics_and_the_devices_that_the_asker_may_see(
    connection: Connection, organisation: OrganisationId
) -> None:
    profiles.replace_profile(connection, WATER)
    _meter(connection, organisation, "1")
    profiles.apply_profile(connection, "water-meter", ProfileTarget())
    found = profiles.get_profile(connection, organisation, "water-meter")
    assert found["devices"] == 1
    assert found["metrics"][0]["range_source"] == "data sheet"
    assert profiles.get_profile(connection, organisation + 1, "water-meter")["devices"] == 0


def test_only_a_profile_without_devices_is_deleted(connection: Connection, organisation: OrganisationId) -> None:
    profiles.replace_profile(connection, WATER)
    _meter(connection, organisation, "1")
    profiles.apply_profile(connection, "water-meter", ProfileTarget())
    with pytest.raises(Conflict, match="that of some devices"):
        profiles.delete_profile(connection, "water-meter")
    profiles.replace_profile(connection, replace(WATER, slug="other"))
    profiles.delete_profile(connection, "other")
    with pytest.raises(NotFound):
        profiles.get_profile(connection, None, "other")


def test_species_come_with_speeds_and_their_sources(connection: Connection) -> None:
    (elephant,) = profiles.list_species(connection, name="Loxodonta africana")
    assert elephant["maximum_speed"] == 12
    assert all(row["source"] for row in profiles.list_species(connection))
    profiles.ensure_species(connection, Species(name="Nasua narica", maximum_speed=8, source="ours"))
    assert profiles.list_species(connection, name="Nasua narica")[0]["source"] == "ours"
