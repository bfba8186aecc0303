"""Our own JSON."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import LARGEST_VALUE, Decoded, Position, Quality
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import (
    decode,
    encode_event,
    encode_position,
    encode_readings,
    encode_status,
    joined,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=256)
moments = st.integers(315_964_800, 1_795_000_000).map(lambda second: datetime.fromtimestamp(second + 0.25, UTC))
numbers = st.floats(-LARGEST_VALUE, LARGEST_VALUE)


def readings(payload: bytes) -> Decoded:
    return decode(topic_for("demo", "m1", "readings"), payload, NOW)


@settings(deadline=None)
@given(st.dictionaries(names, numbers | st.tuples(numbers, st.sampled_from(["m3", "L/h", "Cel"])), min_size=1), moments)
def test_readings_that_are_written_are_read(values: dict[str, float | tuple[float, str]], moment: datetime) -> None:
    found = readings(encode_readings(moment, values, sequence=3)).readings
    read = {r.metric: r.value if r.unit is None else (r.value, r.unit) for r in found}
    assert read == values
    assert {(r.device, r.observed_at, r.quality) for r in found} == {("m1", moment, 0)}


@settings(deadline=None)
@given(moments, st.floats(-180, 180), st.floats(1, 90), st.none() | st.floats(0, 359))
def test_a_fix_that_is_written_is_read(moment: datetime, east: float, north: float, heading: float | None) -> None:
    written = Position("m1", moment, east, north, altitude=12.0, heading=heading)
    assert decode(topic_for("demo", "m1", "positions"), encode_position(written), NOW).positions == (written,)


def test_an_event_that_is_written_is_read() -> None:
    found = decode(topic_for("demo", "m1", "events"), encode_event(NOW, "tamper", {"b": 1, "a": "x"}), NOW)
    assert found.events == (("m1", NOW, "tamper", '{"a":"x","b":1}'),)
    assert found.heard == ("m1",)


@pytest.mark.parametrize("online", [True, False])
def test_a_status_that_is_written_is_read(*, online: bool) -> None:
    topic = topic_for("demo", "m1", "status")
    assert decode(topic, encode_status(online=online), NOW).online is online
    assert decode(topic, b"online" if online else b"offline", NOW).online is online


def test_a_list_is_read_item_by_item() -> None:
    first, second = encode_readings(NOW, {"a": 1}), encode_readings(NOW - timedelta(hours=1), {"a": 2})
    assert [r.value for r in readings(joined([first, second])).readings] == [1, 2]


def test_a_part_that_is_wrong_costs_only_itself() -> None:
    found = readings(b'{"observed_at":1772366400,"readings":{"good":1,"bad":true,"text":"2.5","worse":null}}')
    assert {r.metric: r.value for r in found.readings} == {"good": 1.0, "text": 2.5}
    assert [r.reason for r in found.rejections] == [Reason.BAD_VALUE, Reason.BAD_VALUE]


def test_an_item_that_is_wrong_costs_only_itself() -> None:
    found = readings(b'[{"observed_at":0,"readings":{"a":1}},{"observed_at":1772366400,"readings":{"a":1}},7]')
    assert len(found.readings) == 1
    assert [r.reason for r in found.rejections] == [Reason.BAD_TIME, Reason.MALFORMED_PAYLOAD]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"readings":{"a":1}}', Reason.MISSING_TIME),
        (b'{"observed_at":null,"readings":{"a":1}}', Reason.MISSING_TIME),
        (b'{"observed_at":1772366400}', Reason.MALFORMED_PAYLOAD),
        (b'{"observed_at":1772366400,"readings":{}}', Reason.NOTHING_TO_STORE),
        (b"[]", Reason.NOTHING_TO_STORE),
        (b"7", Reason.MALFORMED_PAYLOAD),
        (b'{"observed_at":1772366400,"readings":{"":1}}', Reason.MALFORMED_PAYLOAD),
        (b'{"observed_at":1772366400,"readings":{"a":18446744073709551616}}', Reason.BAD_VALUE),
        (b'{"observed_at":1772366400,"readings":{"a":{"value":1,"unit":"bananas"}}}', Reason.UNIT_MISMATCH),
        (b'{"observed_at":1772366400,"readings":{"a":{"value":1,"unit":5}}}', Reason.UNIT_MISMATCH),
        (b'{"observed_at":1772366400,"readings":{"a\\u0000":1}}', Reason.MALFORMED_PAYLOAD),
        (b'{"observed_at":1900000000,"readings":{"a":1}}', Reason.FUTURE_TIME),
    ],
)
def test_a_message_with_nothing_good_is_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(MessageRejected) as caught:
        readings(payload)
    assert caught.value.reason is reason


def test_units_are_read_as_people_write_them() -> None:
    found = readings(
        b'{"observed_at":1772366400,"readings":{"t":{"value":1,"unit":"\xc2\xb0C"},"e":{"value":2,"unit":""}}}'
    )
    assert [r.unit for r in found.readings] == ["Cel", None]


def test_a_clock_that_is_ahead_is_flagged() -> None:
    found = readings(encode_readings(NOW + timedelta(hours=1), {"a": 1}))
    assert found.readings[0].quality == Quality.CLOCK_AHEAD


amounts = st.integers() | st.floats() | st.booleans() | st.text(max_size=3) | st.sampled_from(["1.5", "-0", None])
measured = amounts | st.fixed_dictionaries(
    {"value": amounts}, optional={"unit": st.sampled_from(["m3", "", None, 3, "?"])}
)
stamps = st.sampled_from(
    ["2026-11-22T09:00:00Z", "2026-11-22T11:00:00+02:00", "2026-11-22 09:00:00.123456789Z", "x", 1795000000, None, -1]
)


items = st.fixed_dictionaries(
    {"readings": st.dictionaries(names | st.just("\0"), measured, max_size=4)}, optional={"observed_at": stamps}
)


@given(items | st.lists(items, max_size=3))
def test_the_fast_way_says_what_the_careful_way_says_or_nothing(document: object) -> None:
    topic, payload = topic_for("demo", "m1", "readings"), json.dumps(document).encode()
    scans = decode.scans(topic, payload, NOW)
    if not scans:
        return
    careful = decode.read(topic, payload, NOW)
    assert tuple(row for scan in scans for row in scan.readings()) == careful.readings
    assert not careful.rejections


@given(st.integers(1, 200))
def test_a_byte_that_is_no_text_anywhere_costs_the_message(place: int) -> None:
    payload = encode_readings(NOW, {"flow_rate": (1.5, "L/h"), "volume": (12.5, "m3")}, sequence=7)
    place = min(place, len(payload) - 1)
    with pytest.raises(MessageRejected, match="malformed"):
        readings(payload[:place] + b"\xff" + payload[place:])
