"""Changing registered devices on a real server."""

import pytest

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.register import Device, Profile, ProfileMetric, Site
from veldwatch.storage import device_changes, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.device_changes import Decision


@pytest.fixture
def organisation(connection: Connection) -> OrganisationId:
    return register.ensure_organisation(connection, "kasama")


@pytest.fixture
def device(connection: Connection, organisation: OrganisationId) -> DeviceId:
    meter = Device(organisation_id=organisation, external_id="m-1", source="veldwatch", longitude=31.0, latitude=-10.0)
    return register.ensure_device(connection, meter)


def test_only_what_is_said_changes(connection: Connection, organisation: OrganisationId, device: DeviceId) -> None:
    register.ensure_site(connection, Site(organisation_id=organisation, slug="hill"))
    metric = ProfileMetric(metric="volume", unit="m3", kind="counter")
    register.ensure_profile(connection, Profile(slug="water-meter", name="W", kind="meter", metrics=(metric,)))
    register.ensure_series(connection, [(device, "volume", "m3")])
    found = device_changes.change_device(connection, None, device, {"site": "hill", "profile": "water-meter"})
    assert (found["site"], found["profile"], found["longitude"], found["name"]) == ("hill", "water-meter", 31.0, "m-1")
    assert connection.execute("SELECT kind FROM series").fetchone() == ("counter",)
    found = device_changes.change_device(
        connection, organisation, device, {"site": None, "longitude": None, "latitude": None, "tags": ["a"]}
    )
    assert (found["site"], found["longitude"], found["tags"]) == (None, None, ["a"])
    found = device_changes.change_device(connection, None, device, {"status": "retired", "external_id": "m-2"})
    assert (found["status"], found["external_id"]) == ("retired", "m-2")


def test_what_does_not_exist_or_is_taken_is_refused(
    connection: Connection, organisation: OrganisationId, device: DeviceId
) -> None:
    register.ensure_device(connection, Device(organisation_id=organisation, external_id="m-2", source="veldwatch"))
    other = register.ensure_organisation(connection, "other")
    register.ensure_site(connection, Site(organisation_id=other, slug="hill"))
    with pytest.raises(Conflict, match="is there already"):
        device_changes.change_device(connection, None, device, {"external_id": "m-2"})
    with pytest.raises(NotFound, match="no site 'hill'"):
        device_changes.change_device(connection, None, device, {"site": "hill"})
    with pytest.raises(NotFound, match="no profile"):
        device_changes.change_device(connection, None, device, {"profile": "absent"})
    with pytest.raises(NotFound, match="no device"):
        device_changes.change_device(connection, other, device, {"name": "x"})


def test_pending_devices_are_listed_confirmed_and_refused(connection: Connection, organisation: OrganisationId) -> None:
    made = register.register_unknown(connection, organisation, ["a", "b", "c"], "veldwatch")
    assert {row["external_id"] for row in device_changes.list_pending(connection)} == {"a", "b", "c"}
    refused = device_changes.decide_devices(connection, None, Decision(external_ids=["a"]), confirm=False)
    assert refused == [made["a"]]
    # all that wait are confirmed, and what was refused stays so
    assert len(device_changes.decide_devices(connection, organisation, Decision(source="veldwatch"), confirm=True)) == 2
    assert device_changes.list_pending(connection) == []
    assert device_changes.decide_devices(connection, organisation + 1, Decision(ids=[made["a"]]), confirm=True) == []
    assert device_changes.decide_devices(connection, None, Decision(ids=[made["a"]]), confirm=True) == [made["a"]]
