"""ChirpStack v4: every event, codec objects of all shapes, fixes in their usual spellings."""

from datetime import UTC, datetime

import msgspec
import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.chirpstack import decode

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TIME = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def event(kind: str, **fields: object) -> Decoded:
    document = {"time": "2026-03-01T12:00:00.123456789+00:00", "deviceInfo": {"devEui": "70b3d57ed0050002"}} | fields
    return decode(f"application/app/device/70b3d57ed0050002/event/{kind}", msgspec.json.encode(document), NOW)


def values(found: Decoded) -> dict[str, float]:
    return {reading.metric: reading.value for reading in found.readings}


def test_an_object_is_flattened() -> None:
    found = event("up", object={"a": 1, "b": {"c": "2.5", "d": [3, {"e": True}]}, "text": "open", "none": None})
    assert values(found) == {"a": 1, "b.c": 2.5, "b.d.0": 3, "b.d.1.e": 1}
    assert {r.observed_at for r in found.readings} == {TIME}


def test_a_value_beside_its_unit_is_one_reading() -> None:
    found = event("up", object={"t": {"displayName": "", "unit": "°C", "value": 12.9}, "x": {"unit": "?", "value": 1}})
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [("t", 12.9, "Cel"), ("x", 1.0, None)]


def test_an_uplink_without_an_object_proves_life_only() -> None:
    assert event("up", data="qg==") == Decoded(None, heard=("70b3d57ed0050002",))


@pytest.mark.parametrize(
    "place",
    [
        {"latitude": -24.9, "longitude": 31.5},
        {"lat": -24.9, "lon": 31.5},
        {"lat": -24.9, "lng": 31.5},
        {"Latitude": "-24.9", "Longitude": "31.5"},
        {"latitudeDeg": -24.9, "longitudeDeg": 31.5},
        {"gps_latitude": -24.9, "gps_longitude": 31.5},
        {"gpsLocation": {"1": {"latitude": -24.9, "longitude": 31.5, "altitude": 250}}},
        {"position": {"lat": {"value": -24.9, "unit": "°"}, "lon": {"value": 31.5, "unit": "°"}}},
        {"GPS_Lat": -24.9, "GPS_Long": 31.5},
    ],
)
def test_a_latitude_beside_a_longitude_is_a_fix(place: dict[str, object]) -> None:
    found = event("up", object=place | {"battery": 3.6})
    assert [(p.longitude, p.latitude, p.observed_at) for p in found.positions] == [(31.5, -24.9, TIME)]
    assert "battery" in values(found)
    assert not [name for name in values(found) if "lat" in name.lower()]


def test_a_receiver_without_a_fix_gives_none() -> None:
    found = event("up", object={"latitude": 0, "longitude": 0, "battery": 3.6})
    assert (found.positions, values(found)) == ((), {"battery": 3.6})
    assert [r.reason for r in found.rejections] == [Reason.BAD_POSITION]
    assert event("up", object={"latitude": None, "longitude": None, "battery": 3.6}).rejections == ()


def test_a_status_has_margin_and_battery() -> None:
    found = event("status", margin=10, externalPowerSource=False, batteryLevelUnavailable=False, batteryLevel=75.3)
    assert values(found) == {
        "margin": 10, "externalPowerSource": 0, "batteryLevelUnavailable": 0, "batteryLevel": 75.3
    }  # fmt: skip
    assert "batteryLevel" not in values(event("status", margin=1, batteryLevelUnavailable=True, batteryLevel=0))


def test_a_location_is_a_fix() -> None:
    (position,) = event("location", location={"latitude": 37.3, "longitude": -8.8, "altitude": 2}).positions
    assert (position.longitude, position.latitude, position.altitude) == (-8.8, 37.3, 2)


@pytest.mark.parametrize("kind", ["join", "ack", "txack", "log", "integration"])
def test_the_rest_are_events(kind: str) -> None:
    (found,) = event(kind, devAddr="00189440", queueItemId="x", rxInfo=[{"rssi": 1}]).events
    assert (found.kind, found.device, found.observed_at) == (kind, "70b3d57ed0050002", TIME)
    assert "rssi" not in found.attributes


def test_an_integration_may_carry_values() -> None:
    assert values(event("integration", integrationName="x", object={"a": {"b": 2}})) == {"a.b": 2}


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("application/a/device/b/event/other", b"{}", Reason.UNKNOWN_MESSAGE_TYPE),
        ("application/a/device/b/event/up", b"\x0a\x24abc", Reason.MALFORMED_PAYLOAD),
        ("application/a/device/b/event/up", b"{}", Reason.MALFORMED_PAYLOAD),
        ("application/a/device//event/up", b"{}", Reason.MALFORMED_TOPIC),
        ("elsewhere", b"{}", Reason.MALFORMED_TOPIC),
        ("application/a/device/b/event/up", b'{"deviceInfo":{},"time":"x"}', Reason.BAD_TIME),
    ],
)
def test_what_is_no_event_is_refused(topic: str, payload: bytes, reason: Reason) -> None:
    with pytest.raises(MessageRejected) as caught:
        decode(topic, payload, NOW)
    assert caught.value.reason is reason


def test_an_object_nested_without_end_is_cut() -> None:
    nested: object = 1
    for _ in range(60):
        nested = {"a": nested}
    assert event("up", object={"deep": nested, "flat": 1}).readings[0].metric == "flat"
