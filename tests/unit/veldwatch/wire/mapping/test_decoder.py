"""The mapping decoder: options and a message in, readings, positions, events and reasons out."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Position, Quality, Reading
from veldwatch.wire.mapping.options import schema_text
from veldwatch.wire.sources import find_decoder

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SCHEMA = Path(__file__).resolve().parents[5] / "docs" / "reference" / "mapping.schema.json"


def decode(options: dict[str, Any], document: object, topic: str = "town/m1/state") -> Decoded:
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return find_decoder("mapping", options)(topic, payload, NOW)


def values(decoded: Decoded) -> dict[str, float]:
    return {reading.metric: reading.value for reading in decoded.readings}


def metric(**told: object) -> dict[str, Any]:
    return {"metrics": [{"name": "x", "value": "$.v", **told}]}


def test_without_options_every_number_is_a_metric_and_a_latitude_beside_a_longitude_a_fix() -> None:
    document = {
        "id": "x",
        "battery": {"percent": 81, "volts": "3.61", "charging": False},
        "flow": {"value": 3, "unit": "L/h"},
        "samples": [1.5, None, 2],
        "gps": {"lat": -10.25, "lon": 31.5},
        "note": "words",
    }
    decoded = decode({}, document)
    assert values(decoded) == {
        "battery.percent": 81,
        "battery.volts": 3.61,
        "battery.charging": 0,
        "flow": 3,
        "samples.0": 1.5,
        "samples.2": 2,
    }
    assert decoded.readings[3] == Reading("town/m1/state", "flow", NOW, 3.0, "L/h", Quality.TIME_OF_ARRIVAL)
    assert decoded.positions == (Position("town/m1/state", NOW, 31.5, -10.25, quality=Quality.TIME_OF_ARRIVAL),)
    assert decoded.heard == ("town/m1/state",)


def test_flattening_leaves_what_other_options_name() -> None:
    options = {
        "device": "$.id",
        "time": {"path": "$.at", "format": "s"},
        "metrics": [{"name": "water_temperature", "value": "$.t.w", "unit": "Cel"}],
        "flatten": True,
    }
    decoded = decode(options, {"id": 17, "at": 1795338000, "t": {"w": 18.5, "air": 22}, "rssi": -71})
    assert values(decoded) == {"water_temperature": 18.5, "t.air": 22, "rssi": -71}
    assert {(reading.device, reading.observed_at) for reading in decoded.readings} == {
        ("17", datetime(2026, 11, 22, 9, tzinfo=UTC))
    }


@pytest.mark.parametrize(
    ("device", "name"),
    [
        ("$.id", "abc"),
        ("$.number", "12"),
        ("{topic}", "town/m1/state"),
        ("{topic[1]}", "m1"),
        ("{topic[-1]}", "state"),
        ("{topic[1]}-{$.number}", "m1-12"),
        ("pump", "pump"),
    ],
)
def test_a_device_is_named_by_a_path_the_topic_or_both(device: str, name: str) -> None:
    decoded = decode({**metric(), "device": device}, {"v": 1, "id": "abc", "number": 12})
    assert decoded.heard == (name,)


@pytest.mark.parametrize("device", ["$.nothing", "$.list", "$.float", "{topic[7]}", "m-{$.nothing}", "$.empty"])
def test_a_message_of_no_device_is_refused_with_the_path(device: str) -> None:
    with pytest.raises(MessageRejected) as caught:
        decode({**metric(), "device": device}, {"v": 1, "list": [1], "float": 1.5, "empty": ""})
    assert caught.value.reason is Reason.MALFORMED_PAYLOAD
    assert device in caught.value.detail


@pytest.mark.parametrize(
    ("told", "sent", "stored"),
    [
        ({}, 1.5, 1.5),
        ({}, "1.5", 1.5),
        ({}, True, 1),
        ({"scale": 0.1}, 3, 0.3),
        ({"scale": 0.001}, 1234567, 1234.567),
        ({"scale": -2, "offset": 1}, 3, -5),
        ({"scale": 1.8, "offset": 32}, "100", 212),
        ({"values": {"ON": 1, "OFF": 0}}, "ON", 1),
        ({"values": {"ON": 1, "OFF": 0}}, 5, 5),
        ({"values": {"1": 10, "true": 20}}, 1, 10),
        ({"values": {"1": 10, "true": 20}}, True, 20),
        ({"values": {"low": 1}, "scale": 10}, "low", 10),
    ],
)
def test_a_value_becomes_a_number(told: dict[str, object], sent: object, stored: float) -> None:
    assert values(decode(metric(**told), {"v": sent})) == {"x": stored}


@pytest.mark.parametrize("sent", [-127, "-127", -127.0, 85])
def test_a_sentinel_is_stored_and_marked_implausible(sent: object) -> None:
    (reading,) = decode(metric(implausible=[-127, 85], scale=0.5), {"v": sent}).readings
    assert reading.quality & Quality.IMPLAUSIBLE
    assert not decode(metric(implausible=[-127, 85]), {"v": 84}).readings[0].quality & Quality.IMPLAUSIBLE


def test_the_usual_sentinels_of_a_quantity_are_marked_unless_the_options_name_others() -> None:
    def quality(**told: object) -> int:
        options = {"metrics": [{"name": "temperature", "value": "$.v", "unit": "Cel", **told}]}
        return decode(options, {"v": -127}).readings[0].quality

    assert quality() & Quality.IMPLAUSIBLE
    assert quality(implausible=[-127]) & Quality.IMPLAUSIBLE
    assert not quality(implausible=[]) & Quality.IMPLAUSIBLE
    assert decode({}, {"water_temperature": -127}).readings[0].quality & Quality.IMPLAUSIBLE


@pytest.mark.parametrize("sent", [65535, "65535", "n/a"])
def test_a_value_that_means_none_is_not_stored_but_its_device_was_heard(sent: object) -> None:
    decoded = decode(metric(ignore=[65535, "n/a"]), {"v": sent})
    assert (decoded.readings, decoded.rejections, decoded.heard) == ((), (), ("town/m1/state",))


@pytest.mark.parametrize("sent", ["open", [1], {"a": 1}, 1e300, "1e999"])
def test_what_is_no_number_is_rejected_with_metric_and_path_and_the_rest_stands(sent: object) -> None:
    options = {"metrics": [{"name": "x", "value": "$.v"}, {"name": "y", "value": "$.w"}]}
    decoded = decode(options, {"v": sent, "w": 2})
    assert values(decoded) == {"y": 2}
    (rejection,) = decoded.rejections
    assert rejection.reason is Reason.BAD_VALUE
    assert rejection.detail.startswith("'x' at $.v: ")


def test_an_absent_value_is_left_out_unless_it_is_required() -> None:
    options = {"metrics": [{"name": "x", "value": "$.v"}, {"name": "y", "value": "$.w", "required": True}]}
    assert values(decode(options, {"w": 1})) == {"y": 1}
    (rejection,) = decode(options, {"v": 1}).rejections
    assert rejection.detail == "'y' at $.w: absent, and it is required"


@pytest.mark.parametrize(("unit", "stored"), [("°C", "Cel"), ("$.u", "m3"), ("$.nothing", None), (None, None)])
def test_a_unit_is_said_by_the_options_or_the_message(unit: str | None, stored: str | None) -> None:
    assert decode(metric(unit=unit), {"v": 1, "u": "m³"}).readings[0].unit == stored


def test_a_unit_that_nobody_knows_costs_its_reading() -> None:
    (rejection,) = decode(metric(unit="$.u"), {"v": 1, "u": "furlong"}).rejections
    assert rejection.reason is Reason.UNIT_MISMATCH
    assert "$.u" in rejection.detail


LOGGER = {
    "items": "$.log",
    "device": "$.meter",
    "time": {"path": "@.at", "format": "%Y-%m-%d %H:%M", "zone": "Africa/Lusaka"},
    "metrics": [{"name": "total", "value": "@.l", "unit": "L"}],
}


def test_each_item_has_values_at_its_own_time() -> None:
    log = [{"at": "2026-11-22 10:00", "l": 5}, {"at": "2026-11-22 10:15", "l": 7}]
    decoded = decode(LOGGER, {"meter": "m9", "log": log})
    assert decoded.readings == (
        Reading("m9", "total", datetime(2026, 11, 22, 8, 0, tzinfo=UTC), 5.0, "L"),
        Reading("m9", "total", datetime(2026, 11, 22, 8, 15, tzinfo=UTC), 7.0, "L"),
    )


def test_an_item_that_cannot_be_read_costs_itself_only() -> None:
    log = [{"at": "never", "l": 5}, {"at": "2026-11-22 10:15", "l": "x"}, {"at": "2026-11-22 10:30", "l": 7}]
    decoded = decode(LOGGER, {"meter": "m9", "log": log})
    assert [reading.value for reading in decoded.readings] == [7]
    assert [rejection.reason for rejection in decoded.rejections] == [Reason.BAD_TIME, Reason.BAD_VALUE]
    assert decoded.rejections[0].detail.startswith("item 0: time at @.at: 'never'")
    assert decoded.rejections[1].detail.startswith("item 1: 'total' at @.l: 'x'")


def test_an_object_has_its_members_as_items_under_their_names() -> None:
    options = {"items": "$.sensors.*", "device": "{key}", "metrics": [{"name": "t", "value": "@"}]}
    decoded = decode(options, {"sensors": {"inlet": 4.5, "outlet": 7}})
    assert [(reading.device, reading.value) for reading in decoded.readings] == [("inlet", 4.5), ("outlet", 7)]


def test_names_of_metrics_come_from_the_message_too() -> None:
    options = {"items": "$", "metrics": [{"name": "{@.n}_{topic[0]}", "value": "@.v", "unit": "@.u"}]}
    decoded = decode(options, [{"n": "temp", "v": 1, "u": "Cel"}, {"n": "level", "v": 2}])
    assert values(decoded) == {"temp_town": 1, "level_town": 2}


@pytest.mark.parametrize(
    ("options", "payload", "expected"),
    [
        ({"payload": "text", "metrics": [{"name": "level", "value": "$"}]}, b" 23.5\n", {"level": 23.5}),
        ({"payload": "text", "metrics": [{"name": "on", "value": "$", "values": {"ON": 1}}]}, b"ON", {"on": 1}),
        ({"metrics": [{"name": "{topic[2]}", "value": "$"}]}, b"17", {"state": 17}),
        ({"payload": "text"}, b"8", {"value": 8}),
        ({}, b"8", {"value": 8}),
    ],
)
def test_a_bare_value_is_a_message(options: dict[str, Any], payload: bytes, expected: dict[str, float]) -> None:
    assert values(decode(options, payload)) == expected


POSITION = {
    "position": {
        "longitude": "$.gps.coordinates[0]",
        "latitude": "$.gps.coordinates[1]",
        "altitude": "$.alt",
        "altitude_unit": "[ft_i]",
        "speed": "$.speed",
        "speed_unit": "km/h",
        "heading": "$.course",
        "accuracy": "$.hdop",
        "when": {"path": "$.fix", "equals": [1, "3D"]},
    }
}


def test_a_position_is_in_metres_and_metres_per_second() -> None:
    document = {
        "gps": {"coordinates": [31.5, "-10.25"]},
        "alt": 100,
        "speed": "36",
        "course": -1,
        "hdop": 4,
        "fix": "3D",
    }
    (position,) = decode(POSITION, document).positions
    assert position[2:8] == (31.5, -10.25, pytest.approx(30.48), 4, 10, None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"gps": {"coordinates": [0, 0]}, "fix": 1}, Reason.BAD_POSITION),
        ({"gps": {"coordinates": [-10.25, 131.5]}, "fix": 1}, Reason.BAD_POSITION),
        ({"gps": {"coordinates": [31.5]}, "fix": 1}, Reason.BAD_POSITION),
    ],
)
def test_a_position_that_cannot_be_is_rejected_with_its_paths(document: object, reason: Reason) -> None:
    (rejection,) = decode(POSITION, document).rejections
    assert rejection.reason is reason
    assert "$.gps.coordinates[0]" in rejection.detail


def test_a_receiver_without_a_fix_is_a_sign_of_life() -> None:
    decoded = decode(POSITION, {"gps": {"coordinates": [0, 0]}, "fix": 0})
    assert (decoded.positions, decoded.rejections, decoded.heard) == ((), (), ("town/m1/state",))


EVENTS = {
    "events": [
        {
            "kind": "tamper",
            "when": {"path": "$.cover", "equals": "OPEN"},
            "attributes": {"voltage": "$.v", "no": "$.no"},
        },
        {"kind": "{$.alarm}", "when": {"path": "$.alarm"}},
    ]
}


def test_events_are_told_when_their_condition_holds() -> None:
    decoded = decode(EVENTS, {"cover": "OPEN", "alarm": "leak", "v": 3.5})
    assert [(event.kind, event.attributes) for event in decoded.events] == [
        ("tamper", '{"voltage":3.5}'),
        ("leak", "{}"),
    ]
    assert decode(EVENTS, {"cover": "CLOSED"}).events == ()


@pytest.mark.parametrize("document", [{"other": 1}, {}, [], "text", 5])
def test_a_message_without_any_of_it_is_refused_with_the_paths(document: object) -> None:
    with pytest.raises(MessageRejected) as caught:
        decode(metric(), document)
    assert caught.value.reason is Reason.NOTHING_TO_STORE
    assert "$.v" in caught.value.detail
    assert decode({**metric(), "allow_empty": True}, document).heard == ("town/m1/state",)


def test_an_organisation_is_named_by_the_topic_alone() -> None:
    assert decode({**metric(), "organisation": "{topic[0]}"}, {"v": 1}).organisation == "town"
    with pytest.raises(MessageRejected, match="not the slug"):
        decode({**metric(), "organisation": "{topic[0]}"}, {"v": 1}, "Not A Slug/m1")
    with pytest.raises(ConfigurationInvalid, match="a payload may say anything"):
        find_decoder("mapping", {**metric(), "organisation": "{$.org}"})


def test_a_flood_of_numbers_is_cut() -> None:
    decoded = decode({}, list(range(5000)))
    assert len(decoded.readings) == 1000
    assert [rejection.reason for rejection in decoded.rejections] == [Reason.MALFORMED_PAYLOAD]


def test_a_flood_of_items_is_cut_and_of_many_that_fail_the_first_are_told() -> None:
    options = {"items": "$", "metrics": [{"name": "{key}", "value": "@"}]}
    decoded = decode(options, [1] * 20_001)
    assert len(decoded.readings) == 20_000
    assert [rejection.reason for rejection in decoded.rejections] == [Reason.PAYLOAD_TOO_LARGE]
    rejections = decode(options, ["x"] * 1000).rejections
    assert [rejection.detail for rejection in rejections][-2:] == [
        "item 18: '18' at @: 'x' (expected a number)",
        "and 981 more",
    ]


def test_what_the_document_says_once_is_not_said_for_each_item_without_end() -> None:
    events = [{"kind": "fault", "attributes": {"gateway": "$.gateway", "code": "@.code"}}]
    options = {"device": "$.id", "items": "$.faults", "events": events}
    document = {"id": "m1", "gateway": "roof", "faults": [{"code": n} for n in range(2000)]}
    assert len(decode(options, document).events) == 2000
    decoded = decode(options, {**document, "gateway": "x" * 20_000})
    assert 0 < sum(len(event.attributes) for event in decoded.events) <= 20 * len(json.dumps(document)) + 500_000
    assert [rejection.reason for rejection in decoded.rejections] == [Reason.PAYLOAD_TOO_LARGE]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (metric(value="v"), "metrics[0].value: 'v'"),
        (metric(name="{nonsense}"), "metrics[0].name: {nonsense}"),
        (metric(name="a{"), "metrics[0].name: 'a{' has a brace"),
        (metric(unit="furlong"), "metrics[0].unit: unknown unit 'furlong'"),
        (metric(scale=0), "metrics[0]: scale 0"),
        (metric(when={"path": "x"}), "metrics[0].when.path: 'x'"),
        (metric(valeu="$.v"), "unknown field `valeu` - at `$.metrics[0]`"),
        ({"items": "@.a"}, "items: '@.a'"),
        ({"time": "$["}, "time: '$['"),
        (
            {"position": {"longitude": "$.a", "latitude": "$.b", "speed": "$.c", "speed_unit": "kWh"}},
            "position.speed_unit",
        ),
        ({"events": [{"kind": "x", "attributes": {"a": "b"}}]}, "events[0].attributes.a: 'b'"),
        ({"flatten": False}, "nothing would be stored"),
    ],
)
def test_an_option_that_is_wrong_is_named(options: dict[str, Any], where: str) -> None:
    with pytest.raises(ConfigurationInvalid) as caught:
        find_decoder("mapping", options)
    assert where in str(caught.value)


def test_the_published_schema_is_that_of_the_options() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "run: python -m veldwatch.wire.mapping.options > docs/reference/mapping.schema.json"
    )
