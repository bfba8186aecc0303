import json
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulators.encoding import encode, encode_many
from simulators.moment import to_milliseconds
from simulators.report import Fix, Metric, Name, Report
from veldwatch.wire.veldwatch_json import decode

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AT = to_milliseconds(NOON)
METRICS = (
    Metric(name="volume", unit="m3", decimals=4),
    Metric(name="battery", unit="%", decimals=0),
)
NAMES = [Name("town", f"meter-{number}") for number in range(5)]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100) | st.just(float("nan"))), min_size=5, max_size=5))
def test_a_device_says_the_same_alone_as_among_others(rows: list[tuple[float, float]]) -> None:
    values = {"volume": np.array([row[0] for row in rows]), "battery": np.array([row[1] for row in rows])}
    together = list(encode_many(NAMES, METRICS, values, AT))
    alone = [
        message
        for name, (volume, battery) in zip(NAMES, rows, strict=True)
        for message in encode(name, METRICS, Report(readings={"volume": volume, "battery": battery}), AT)
    ]
    assert together == alone


def test_what_is_encoded_is_what_intake_reads() -> None:
    (message,) = encode_many(NAMES[:1], METRICS, {"volume": np.array([12.34567]), "battery": np.array([88.2])}, AT)
    assert message.topic == "veldwatch/v1/town/meter-0/readings"
    decoded = decode.read(message.topic, message.payload, NOON)
    assert {(reading.metric, reading.value, reading.unit) for reading in decoded.readings} == {
        ("volume", 12.3457, "m3"),
        ("battery", 88.0, "%"),
    }
    assert {reading.observed_at for reading in decoded.readings} == {NOON}


def test_a_value_that_is_not_told_is_left_out() -> None:
    values = {"volume": np.array([1.0, 2.0]), "battery": np.array([np.nan, 50.0])}
    first, second = encode_many(NAMES[:2], METRICS, values, AT)
    assert set(json.loads(first.payload)["readings"]) == {"volume"}
    assert set(json.loads(second.payload)["readings"]) == {"volume", "battery"}


def test_fix_status_and_events_go_to_topics_of_their_own() -> None:
    fix = Fix(longitude=31.2, latitude=-10.2, accuracy=4.0, speed=1.0, heading=90.0)
    report = Report(readings={"battery": 80.0}, fix=fix, alive=True, events=(("tamper", {"cover": "opened"}),))
    messages = list(encode(NAMES[0], METRICS, report, AT))
    assert [message.topic.rpartition("/")[2] for message in messages] == ["status", "positions", "readings", "events"]
    (event,) = decode.read(messages[3].topic, messages[3].payload, NOON).events
    assert (event.kind, event.attributes, event.observed_at) == ("tamper", '{"cover":"opened"}', NOON)
