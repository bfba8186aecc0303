"""Values are found in any object, with no more work than the object is long."""

import json

import pytest

from tests.unit.veldwatch.wire.golden import RECEIVED_AT
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import flatten, places_in
from veldwatch.wire.sources import find_decoder

_LONG = 100_000
_MANY = 50_000


def test_names_are_joined_with_dots() -> None:
    said = {"a": {"b": [1, "2", None, "text"]}, "c": {"value": 3, "unit": "V"}, "d": True}
    assert [(each.name, each.value, each.unit) for each in flatten(said)] == [
        ("a.b.0", 1, None),
        ("a.b.1", "2", None),
        ("c", 3, "V"),
        ("d", True, None),
    ]


@pytest.mark.parametrize("name", ["n" * _LONG, "." * _LONG, "n" * 257, "n\0n"])
def test_below_a_name_that_cannot_be_stored_one_value_is_given(name: str) -> None:
    found = list(flatten({name: [None, "text", [[7]], *[0] * _MANY], "after": 1}))
    assert [(each.name, each.value) for each in found] == [(name, 7), ("after", 1)]
    assert list(flatten({name: {"text": "none"}})) == []


def test_what_names_come_to_is_no_longer_than_a_name_for_each_value() -> None:
    said: dict[str, object] = {"n" * 128: {"n" * 127: [0] * 1000, "n" * 128: [0] * 1000}}
    assert sum(len(each.name) for each in flatten(said)) < 300 * 1001


def test_a_place_below_a_name_that_cannot_be_stored_is_not_looked_for() -> None:
    assert places_in({"n" * 256: {"latitude": 1, "longitude": 2}})
    assert not places_in({"n" * 257: {"latitude": 1, "longitude": 2}})


@pytest.mark.parametrize(
    ("said", "found", "values"),
    [
        ({"lat": -1.5, "lon": 36.5, "battery": 3}, [(36.5, -1.5)], ["battery"]),
        ({"GPS_Latitude": "-1.5", "GPS_Longitude": "36.5"}, [("36.5", "-1.5")], []),
        ({"latitude": {"value": 1, "unit": "deg"}, "longitude": {"value": 2, "unit": "deg"}}, [(2, 1)], []),
        ({"wifi": {"lat": 3, "lng": 4}, "lat": 1, "lon": 2, "wifi.lat": 9}, [(2, 1), (4, 3)], ["wifi.lat"]),
        ({"start_lat": 1, "start_lon": 2, "end_lat": 3, "end_lon": 4}, [(2, 1), (4, 3)], []),
        ({"tracks": [{"lat": 1, "lon": 2, "speed": 5}, {"lat": 3, "lon": 4}]}, [(2, 1), (4, 3)], ["tracks.0.speed"]),
        ({"here": {"type": "Point", "coordinates": [36.5, -1.5]}}, [(36.5, -1.5)], []),
        ({"lat": None, "lon": 2}, [], []),
        ({"flat": 1, "long": 2, "latency": 3}, [], ["flat", "long", "latency"]),
        ({"type": "Polygon", "coordinates": [1, 2]}, [], ["coordinates.0", "coordinates.1"]),
    ],
)
def test_coordinates_are_a_place_and_no_values(
    said: dict[str, object], found: list[tuple[object, object]], values: list[str]
) -> None:
    assert [(place.longitude, place.latitude) for place in places_in(said)] == found
    assert [each.name for each in flatten(said)] == values


@pytest.mark.parametrize(
    ("said", "is_found"),
    [
        ({}, True),
        ({"fixFailed": False}, True),
        ({"fixFailed": True}, False),
        ({"fix_failed": "true"}, False),
        ({"gps_valid": 0}, False),
        ({"fix": False}, False),
        ({"fixType": 3}, True),
        ({"fixType": 0}, False),
        ({"fix": "3D"}, True),
        ({"fix": None}, True),
        ({"fix": 0.0}, False),
    ],
)
def test_a_receiver_says_whether_it_found_the_place(said: dict[str, object], *, is_found: bool) -> None:
    (place,) = places_in({"latitude": 1, "longitude": 2} | said)
    assert place.found == is_found


def test_a_place_that_was_found_goes_before_one_that_was_not() -> None:
    said = {"lat": 1, "lon": 2, "fixFailed": True, "wifi": {"lat": 3, "lon": 4}}
    assert [(place.latitude, place.found) for place in places_in(said)] == [(3, True), (1, False)]


_NAMED = {"n" * _LONG: [0] * _MANY}


@pytest.mark.parametrize(
    ("decoder", "topic", "said"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/lamp", _NAMED),
        ("shelly", "shelly1/status/switch:0", _NAMED),
        ("tasmota", "tele/x/SENSOR", {"." * _LONG: [0] * _MANY}),
        ("tasmota", "tele/x/SENSOR", {"ZbReceived": {"0x1": _NAMED}}),
        (
            "chirpstack",
            "application/1/device/0102030405060708/event/up",
            {"deviceInfo": {"devEui": "0102030405060708"}, "object": _NAMED},
        ),
        ("mapping", "farm/x", _NAMED),
        ("ngsi", "ngsi/x", {"id": "a", "type": "b"} | _NAMED),
    ],
)
def test_many_values_below_a_long_name_are_one_part_of_a_message(
    decoder: str, topic: str, said: dict[str, object]
) -> None:
    options = {"device": "{topic[1]}"} if decoder == "mapping" else {}
    decoded: Decoded = find_decoder(decoder, options)(topic, json.dumps(said).encode(), RECEIVED_AT)
    assert [each.reason for each in decoded.rejections] == [Reason.MALFORMED_PAYLOAD]
    assert not decoded.readings


def test_a_base_name_that_is_too_long_is_not_written_before_each_record() -> None:
    pack = [{"bn": "n" * _LONG, "n": "a", "v": 1}, {"n": "b", "v": 2}]
    decoded = find_decoder("senml", {})("senml/x", json.dumps(pack).encode(), RECEIVED_AT)
    assert all(f"({_LONG} characters)" in each.detail for each in decoded.rejections)
    assert len(decoded.rejections) == 2


@pytest.mark.parametrize(
    ("decoder", "topic", "said"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/lamp", {"a": [0] * _MANY}),
        ("shelly", "shelly1/status", {"sys": {"a": [0] * _MANY}, "wifi": {"b": [0] * _MANY}}),
        ("tasmota", "tele/x/SENSOR", {"a": [0] * _MANY}),
        ("ngsi", "ngsi/x", {"id": "a", "type": "b", "x": [0] * _MANY, "y": [0] * _MANY}),
        ("mapping", "farm/x", {"a": [0] * _MANY}),
        (
            "veldwatch",
            "veldwatch/v1/demo/m/readings",
            {"observed_at": 1_790_000_000, "readings": {f"{n}": n for n in range(_MANY)}},
        ),
    ],
)
def test_of_too_many_values_of_one_device_the_rest_is_rejected(
    decoder: str, topic: str, said: dict[str, object]
) -> None:
    options = {"device": "{topic[1]}"} if decoder == "mapping" else {}
    decoded: Decoded = find_decoder(decoder, options)(topic, json.dumps(said).encode(), RECEIVED_AT)
    assert len(decoded.readings) == 1000
    assert [each.reason for each in decoded.rejections] == [Reason.MALFORMED_PAYLOAD]
    assert "the rest is not stored" in decoded.rejections[0].detail


def test_of_very_many_wrong_parts_the_first_are_told() -> None:
    said = [{"observed_at": 1_790_000_000, "readings": {"a": n, "b": None}} for n in range(5000)]
    decode = find_decoder("veldwatch", {})
    decoded: Decoded = decode("veldwatch/v1/demo/m/readings", json.dumps(said).encode(), RECEIVED_AT)
    assert (len(decoded.readings), len(decoded.rejections)) == (5000, 100)
