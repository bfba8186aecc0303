"""SenML's rules: base fields, times, sums, versions, names; what breaks one costs its record or the pack."""

import base64
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Quality
from veldwatch.wire.senml.decoder import configure

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
THEN = 1_700_000_000
LABELS = {
    "bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5,
    "t": 6, "ut": 7, "vd": 8,
}  # fmt: skip


def decode(*records: dict[str, Any], **options: object) -> Decoded:
    return configure(options)("senml/gateway/node7", json.dumps(records).encode(), NOW)


def decode_cbor(*records: dict[Any, Any]) -> Decoded:
    return configure({})("senml/x", cbor2.dumps(list(records)), NOW)


def values(found: Decoded) -> list[tuple[str, float]]:
    return [(f"{r.device}|{r.metric}", r.value) for r in found.readings]


def reasons(found: Decoded) -> list[str]:
    return [rejection.reason.value for rejection in found.rejections]


def refused(payload: bytes) -> Reason:
    with pytest.raises(MessageRejected) as raised:
        configure({})("senml/x", payload, NOW)
    return raised.value.reason


def test_base_fields_hold_until_they_are_said_again() -> None:
    found = decode(
        {"bn": "a:", "bt": THEN, "bu": "V"},
        {"n": "x", "v": 1},
        {"bu": "A", "n": "y", "v": 2, "t": 5},
        {"bn": "b:", "n": "x", "v": 3},
        {"bn": "", "bt": THEN + 100, "n": "c:z", "v": 4},
    )
    assert [(r.device, r.metric, r.unit, r.observed_at.timestamp()) for r in found.readings] == [
        ("a", "x", "V", THEN), ("a", "y", "A", THEN + 5), ("b", "x", "A", THEN), ("c", "z", "A", THEN + 100),
    ]  # fmt: skip


def test_base_value_and_base_sum_are_added_as_people_add() -> None:
    found = decode({"bn": "a:", "bv": 20.1, "bs": 100, "n": "x", "v": 0.2, "s": 0.5}, {"n": "y", "v": -20.1})
    assert values(found) == [("a|x", 20.3), ("a|x_sum", 100.5), ("a|y", 0), ("a|y_sum", 100)]


def test_a_base_value_is_the_value_of_a_record_without_one_but_not_of_text() -> None:
    found = decode({"bn": "a:", "bv": 7, "n": "x"}, {"n": "y", "vs": "z"}, {"n": "w", "vb": True})
    assert values(found) == [("a|x", 7), ("a|w", 1)]
    assert [event.attributes for event in found.events] == ['{"y":"z"}']


def test_a_sum_needs_no_value() -> None:
    found = decode({"n": "a:power", "u": "W", "s": 3600, "t": THEN}, {"n": "a:rh", "u": "%RH", "s": 1, "t": THEN})
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [("power_sum", 3600, "J"), ("rh_sum", 1, None)]


@pytest.mark.parametrize(
    ("base", "own", "meant", "relative"),
    [
        (None, None, NOW, True),
        (0, 0, NOW, True),
        (None, -5, NOW - timedelta(seconds=5), True),
        (-60, 0.25, NOW - timedelta(seconds=59.75), True),
        (None, 10, NOW + timedelta(seconds=10), True),
        (2**28, 2**30, datetime.fromtimestamp(2**28 + 2**30, UTC), False),
        (THEN, -0.5, datetime.fromtimestamp(THEN - 0.5, UTC), False),
        (THEN + 0.1, 0.2, datetime.fromtimestamp(THEN, UTC) + timedelta(milliseconds=300), False),
    ],
)
def test_a_time_below_2_to_the_28_is_relative_to_arrival(
    base: float | None, own: float | None, meant: datetime, *, relative: bool
) -> None:
    record: dict[str, Any] = {"n": "a:x", "v": 1}
    record |= {} if base is None else {"bt": base}
    record |= {} if own is None else {"t": own}
    reading = decode(record).readings[0]
    assert reading.observed_at == meant
    assert bool(reading.quality & Quality.TIME_OF_ARRIVAL) is relative


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"n": "a:x", "v": "1"}, "bad_value"),
        ({"n": "a:x", "v": True}, "bad_value"),
        ({"n": "a:x", "v": None}, "bad_value"),
        ({"n": "a:x", "v": 1e300}, "bad_value"),
        ({"n": "a:x", "vb": 1}, "bad_value"),
        ({"n": "a:x", "vs": 1}, "bad_value"),
        ({"n": "a:x", "vd": "a b"}, "bad_value"),
        ({"n": "a:x", "vd": 5}, "bad_value"),
        ({"n": "a:x", "v": 1, "vs": "one"}, "bad_value"),
        ({"n": "a:x", "s": "1"}, "bad_value"),
        ({"n": "a:x", "t": 5}, "bad_value"),
        ({"n": "a:x"}, "bad_value"),
        ({"n": "a:x", "v": 1, "t": "now"}, "bad_value"),
        ({"n": "a:x", "v": 1, "t": -1e15}, "bad_time"),
        ({"n": "a:x", "v": 1, "t": 2**28}, "bad_time"),
        ({"n": "a:x", "v": 1, "t": 100_000}, "future_time"),
        ({"n": "a:x", "v": 1, "t": THEN + 10**9}, "future_time"),
        ({"n": "a:x", "v": 1, "u": "furlong"}, "unit_mismatch"),
        ({"n": "a:x", "v": 1, "u": 5}, "malformed_payload"),
        ({"n": 5, "v": 1}, "malformed_payload"),
        ({"v": 1}, "malformed_payload"),
        ({"n": "", "v": 1}, "malformed_payload"),
        ({"n": "_x", "v": 1}, "malformed_payload"),
        ({"n": "Küche:x", "v": 1}, "malformed_payload"),
        ({"n": "a b", "v": 1}, "malformed_payload"),
        ({"n": "a:" + "x" * 300, "v": 1}, "malformed_payload"),
        ({"n": "a:x", "u": "lat", "v": 1, "t": 0}, "bad_position"),
    ],
)
def test_a_record_that_breaks_a_rule_costs_itself(record: dict[str, Any], reason: str) -> None:
    found = decode({"n": "good:x", "v": 1}, record, {"n": "good:y", "v": 2})
    assert values(found) == [("good|x", 1), ("good|y", 2)]
    assert reasons(found) == [reason]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"bver": 11}, Reason.UNKNOWN_MESSAGE_TYPE),
        ({"bver": 42}, Reason.UNKNOWN_MESSAGE_TYPE),
        ({"bver": 0}, Reason.UNKNOWN_MESSAGE_TYPE),
        ({"bver": "10"}, Reason.MALFORMED_PAYLOAD),
        ({"bver": 10.5}, Reason.MALFORMED_PAYLOAD),
        ({"bver": True}, Reason.MALFORMED_PAYLOAD),
        ({"must_": 1}, Reason.UNKNOWN_MESSAGE_TYPE),
        ({"bn": 5}, Reason.MALFORMED_PAYLOAD),
        ({"bt": "now"}, Reason.MALFORMED_PAYLOAD),
        ({"bu": 5}, Reason.MALFORMED_PAYLOAD),
        ({"bv": "1"}, Reason.MALFORMED_PAYLOAD),
        ({"bs": None}, Reason.MALFORMED_PAYLOAD),
    ],
)
def test_what_all_that_follows_hangs_on_costs_the_pack(record: dict[str, Any], reason: Reason) -> None:
    assert refused(json.dumps([{"n": "good:x", "v": 1}, record | {"n": "a:y", "v": 1}]).encode()) is reason


@pytest.mark.parametrize("version", [1, 5, 10, 10.0, 26])
def test_known_versions_are_read(version: float) -> None:
    assert values(decode({"bver": version, "n": "a:x", "v": 1, "other": [1], "l": "link", "ut": 60})) == [("a|x", 1)]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED_PAYLOAD),
        (b"{}", Reason.MALFORMED_PAYLOAD),
        (b"[]", Reason.MALFORMED_PAYLOAD),
        (b"[1]", Reason.MALFORMED_PAYLOAD),
        (b'[{"n":"a:x","v":1}] ]', Reason.MALFORMED_PAYLOAD),
        (b"<sensml/>", Reason.MALFORMED_PAYLOAD),
        (b'[{"bn":"a"}]', Reason.NOTHING_TO_STORE),
        (b"\x80", Reason.MALFORMED_PAYLOAD),
        (b"\x81", Reason.MALFORMED_PAYLOAD),
        (b"\x81\x01", Reason.MALFORMED_PAYLOAD),
        (b"\xa0", Reason.MALFORMED_PAYLOAD),
        (cbor2.dumps([{0: "a:x", 2: 1}]) + b"\0", Reason.MALFORMED_PAYLOAD),
        (cbor2.dumps([{b"n": 1}]), Reason.MALFORMED_PAYLOAD),
        (b"\x81\xa2\x02\x01\x02\x01", Reason.MALFORMED_PAYLOAD),
        (b"\x81" * 200 + b"\x80", Reason.MALFORMED_PAYLOAD),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", Reason.MALFORMED_PAYLOAD),
    ],
)
def test_what_is_no_pack_is_refused(payload: bytes, reason: Reason) -> None:
    assert refused(payload) is reason


def test_cbor_takes_every_kind_of_number() -> None:
    found = decode_cbor(
        {0: "a:whole", 2: 3}, {0: "a:half", 2: 1.5}, {0: "a:decimal", 2: Decimal("273.15")},
        {0: "a:bigfloat", 2: cbor2.CBORTag(5, [-1, 3])}, {0: "a:bignum", 2: cbor2.CBORTag(2, b"\x07")},
        {0: "a:negative", 2: cbor2.CBORTag(4, [2, -5])},
    )  # fmt: skip
    assert values(found) == [
        ("a|whole", 3), ("a|half", 1.5), ("a|decimal", 273.15), ("a|bigfloat", 1.5), ("a|bignum", 7),
        ("a|negative", -500),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        cbor2.CBORTag(4, [10**9, 1]), cbor2.CBORTag(5, [10**18, 1]), cbor2.CBORTag(4, [1]), cbor2.CBORTag(4, "x"),
        cbor2.CBORTag(1, 1_700_000_000), cbor2.CBORTag(35, "(a+)+$"), cbor2.CBORTag(2, b"\xff" * 9000),
        cbor2.CBORTag(999, 1), cbor2.undefined, None, float("nan"), float("inf"), b"1", [1],
    ],
)  # fmt: skip
def test_no_other_cbor_is_a_number(value: object) -> None:
    found = decode_cbor({0: "a:x", 2: value}, {0: "a:y", 2: 1})
    assert (values(found), reasons(found)) == ([("a|y", 1)], ["bad_value"])


def test_self_described_cbor_and_indefinite_lengths_are_cbor() -> None:
    pack = b"\x9f\xbf\x00\x63a:x\x02\x05\xff\xff"
    for payload in (pack, b"\xd9\xd9\xf7" + pack):
        assert values(configure({})("senml/x", payload, NOW)) == [("a|x", 5)]


def test_octets_are_the_same_in_both() -> None:
    content = bytes(range(250, 256))
    text = base64.urlsafe_b64encode(content).decode().rstrip("=")
    assert decode({"n": "a:x", "vd": text}).events == decode_cbor({0: "a:x", 8: content}).events
    assert decode({"n": "a:x", "vd": text}).events[0].attributes == json.dumps({"x": text}, separators=(",", ":"))


def test_what_is_told_twice_at_one_time_is_two_events() -> None:
    found = decode({"n": "a:x", "vs": "1"}, {"n": "a:x", "vs": "2"}, {"n": "a:y", "vs": "3"})
    assert [event.attributes for event in found.events] == ['{"x":"1"}', '{"x":"2","y":"3"}']


def test_fixes_are_paired_by_device_and_time_and_have_an_altitude() -> None:
    found = decode(
        {"bn": "a:", "n": "gps.lat", "u": "lat", "v": 1.5, "t": THEN},
        {"n": "gps.lon", "u": "lon", "v": 2.5, "t": THEN},
        {"n": "altitude", "u": "m", "v": 1200, "t": THEN}, {"bn": "b:", "n": "lat", "u": "lat", "v": 3, "t": THEN},
        {"n": "lon", "u": "lon", "v": 4, "t": THEN}, {"n": "lat", "u": "lat", "v": 0, "t": THEN + 1},
        {"n": "lon", "u": "lon", "v": 0, "t": THEN + 1},
    )  # fmt: skip
    assert [(p.device, p.latitude, p.longitude, p.altitude) for p in found.positions] == [
        ("a", 1.5, 2.5, 1200), ("b", 3, 4, None),
    ]  # fmt: skip
    assert values(found) == [("a|altitude", 1200)]
    assert reasons(found) == ["bad_position"]


@pytest.mark.parametrize(
    ("unit", "stored"),
    [
        ("Cel", "Cel"), ("%RH", "%RH"), ("l/s", "l/s"), ("/", "1"), ("%", "1"), ("/100", "%"), ("count", "1"),
        ("beat/min", "1/min"), ("pH", "[pH]"), ("B", "By"), ("VAs", "VA.s"), ("kvarh", "kvarh"), ("Wh/km", "Wh/km"),
        ("Mbit/s", "Mbit/s"), ("KiB", "KiBy"), ("ug/m3", "ug/m3"), ("ppm", "[ppm]"), ("/1000", "[ppth]"),
        ("NTU", "[NTU]"), ("°C", "Cel"), ("kat", "kat"), ("sr", "sr"), ("Bspl", "B[SPL]"), ("EL", "EL"),
    ],
)  # fmt: skip
def test_units_of_both_registries_are_known(unit: str, stored: str) -> None:
    assert decode({"n": "a:x", "u": unit, "v": 1}).readings[0].unit == stored


def test_the_topic_may_name_the_device() -> None:
    found = decode({"n": "temperature", "v": 1}, {"n": "a:b", "v": 2}, device="topic")
    assert values(found) == [("node7|temperature", 1), ("node7|a:b", 2)]


@pytest.mark.parametrize("options", [{"device": "payload"}, {"serialization": "xml"}, {"divice": "name"}])
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationInvalid):
        configure(options)


# An encoder of our own: what it writes resolved comes back, however it is packed.
RESOLVED = st.fixed_dictionaries(
    {
        "n": st.sampled_from(["urn:dev:ow:1:", "urn:dev:mac:00ff/", "room/", "n:"]).flatmap(
            lambda device: st.from_regex(r"[A-Za-z0-9][-._A-Za-z0-9]{0,8}", fullmatch=True).map(lambda m: device + m)
        ),
        "u": st.sampled_from(["Cel", "V", "m3", "%RH"]),
        "t": st.integers(THEN, THEN + 10**6),
        "v": st.integers(-(10**6), 10**6).map(lambda n: n / 100),
    }
)


@given(st.lists(RESOLVED, min_size=1, max_size=8), st.booleans(), st.booleans(), st.booleans())
def test_what_is_packed_comes_back(records: list[dict[str, Any]], cbor: bool, base: bool, decimals: bool) -> None:
    packed: list[dict[str, Any]] = []
    for record in records:
        one = dict(record)
        if base:
            start = min(r["t"] for r in records)
            one |= {"t": one["t"] - start}
            one |= {"bn": one["n"][:2], "n": one["n"][2:], "bt": start, "bu": one.pop("u")}
        packed.append(one)
    payload: bytes = json.dumps(packed).encode()
    if cbor:
        payload = cbor2.dumps(
            [
                {LABELS[k]: Decimal(repr(v)) if decimals and k == "v" else v for k, v in record.items()}
                for record in packed
            ]
        )
    found = configure({})("senml/x", payload, NOW)
    assert found.rejections == ()
    assert [(r.value, r.unit, r.observed_at.timestamp()) for r in found.readings] == [
        (record["v"], record["u"], record["t"]) for record in records
    ]
    for reading, record in zip(found.readings, records, strict=True):
        assert record["n"] in {f"{reading.device}{separator}{reading.metric}" for separator in ":/_"}


@given(st.one_of(st.binary(max_size=100), st.binary(max_size=100).map(lambda b: b"\x81\xa2\x00\x63a:x" + b)))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with suppress(MessageRejected):
        configure({})("senml/x", payload, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(list(LABELS)), JSON, max_size=6), min_size=1, max_size=4))
def test_any_values_under_the_labels_are_read_or_refused(records: list[dict[str, Any]]) -> None:
    for payload in (json.dumps(records).encode(), cbor2.dumps([{LABELS[k]: v for k, v in r.items()} for r in records])):
        with suppress(MessageRejected):
            configure({})("senml/x", payload, NOW)
