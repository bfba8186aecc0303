"""Births, data by alias, deaths, and when an edge node is asked for its births again."""

import json
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.wire.sparkplug.edge_node import (
    NOW,
    Wire,
    bd_seq,
    made,
    metric,
    milliseconds,
    reasons,
    told,
    values,
    with_property,
)
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality
from veldwatch.wire.sparkplug import decoder
from veldwatch.wire.sparkplug.decoder import configure
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.sparkplug.values import DataType

DAY = timedelta(days=1)


def test_data_are_named_by_the_birth() -> None:
    wire = Wire()
    wire.born(metric("Supply voltage", 24.0, alias=1))
    wire.send(
        "DBIRTH",
        metric("flow", 1.0, alias=2),
        metric("leak", value=False, datatype=DataType.BOOLEAN, alias=3),
        device="m",
    )
    node = wire.send("NDATA", metric(None, 23.5, None, alias=1))
    device = wire.send(
        "DDATA", metric(None, 1.5, None, alias=2), metric(None, True, None, alias=3, field="boolean_value"), device="m"
    )
    assert [(r.device, r.metric, r.value) for r in node.readings] == [("g/e", "Supply voltage", 23.5)]
    assert [(r.device, r.metric, r.value) for r in device.readings] == [("g/e/m", "flow", 1.5), ("g/e/m", "leak", 1.0)]
    assert (device.heard, device.online, device.replies) == (("g/e/m",), None, ())


def test_a_birth_is_a_sign_of_life_with_values_and_an_event() -> None:
    decoded = Wire().born(metric("a", 1.0), session=7)
    assert values(decoded) == {"bdSeq": 7, "a": 1}
    assert told(decoded) == [("birth", '{"bdSeq":7}')]
    assert (decoded.heard, decoded.online) == (("g/e",), True)


def test_an_edge_node_s_births_do_not_name_its_devices_data() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    assert reasons(wire.send("DDATA", metric(None, 1.0, None, alias=1), device="m")) == ["unknown_alias"]


def test_what_has_a_name_needs_no_birth_but_the_edge_node_is_asked() -> None:
    decoded = Wire().send("DDATA", metric("a", 1.0), metric(None, 2.0, None, alias=9), device="m")
    assert values(decoded) == {"a": 1}
    assert reasons(decoded) == ["unknown_alias"]
    assert [reply.topic for reply in decoded.replies] == ["spBv1.0/g/NCMD/e"]
    command = Payload.FromString(decoded.replies[0].payload).metrics[0]
    assert (command.name, command.datatype, command.boolean_value) == ("Node Control/Rebirth", 11, True)


def test_a_name_in_data_takes_datatype_and_unit_from_the_birth() -> None:
    wire = Wire()
    wire.born(with_property(metric("a", -1, DataType.INT16), "engUnit", "°C"))
    reading = wire.send("NDATA", metric("a", -2, None, field="int_value")).readings[0]
    assert (reading.value, reading.unit) == (-2, "Cel")


def test_an_edge_node_is_asked_once_in_a_while_until_it_is_born() -> None:
    wire = Wire(made(rebirth_seconds=10))
    asked = [bool(wire.send("NDATA", metric("a", 1.0)).replies) for _ in range(25)]
    assert [second for second, each in enumerate(asked) if each] == [0, 10, 20]
    wire.born(metric("a", 1.0))
    assert not any(wire.send("NDATA", metric("a", 1.0)).replies for _ in range(25))


def test_the_asking_outlives_a_restart() -> None:
    wire = Wire(made(rebirth_seconds=10))
    assert wire.send("NDATA", metric("a", 1.0)).replies
    wire.restarted()
    assert not wire.send("NDATA", metric("a", 1.0)).replies


def test_a_source_may_forbid_the_asking() -> None:
    assert not Wire(made(rebirth=False)).send("NDATA", metric("a", 1.0)).replies


def test_births_outlive_a_restart() -> None:
    wire = Wire()
    wire.born()
    wire.send("DBIRTH", metric("flow", 1.0, alias=2), device="m")
    wire.restarted()
    assert values(wire.send("DDATA", metric(None, 1.5, None, alias=2), device="m")) == {"flow": 1.5}


def test_births_of_one_edge_node_are_bounded_and_the_one_that_is_missed_least_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoder, "MOST_BIRTHS", 4)
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    for device in ("first", "dead", "third"):
        wire.send("DBIRTH", metric("flow", 1.0, alias=2), device=device)
    wire.send("DDEATH", device="dead")
    wire.send("DBIRTH", metric("flow", 1.0, alias=2), device="fourth")
    said = metric(None, 1.5, None, alias=2)
    assert [values(wire.send("DDATA", said, device=each)) for each in ("first", "third", "fourth")] == 3 * [
        {"flow": 1.5}
    ]
    wire.send("DBIRTH", metric("flow", 1.0, alias=2), device="fifth")
    assert reasons(wire.send("DDATA", said, device="first")) == ["unknown_alias"]
    assert values(wire.send("NDATA", metric(None, 2.0, None, alias=1))) == {"a": 2}
    wire.restarted()
    assert values(wire.send("DDATA", said, device="fifth")) == {"flow": 1.5}


def test_a_lost_message_is_asked_about_and_costs_no_other() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    assert not wire.send("NDATA", metric(None, 2.0, None, alias=1)).replies
    after = wire.send("NDATA", metric(None, 3.0, None, alias=1), seq=3)
    assert values(after) == {"a": 3}
    assert after.replies
    assert wire.memory is not None
    assert wire.memory.session.rebirth_wanted == "messages lost: seq 2"


def test_seq_goes_on_with_0_after_255() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    assert not any(wire.send("NDATA", metric(None, 2.0, None, alias=1)).replies for _ in range(600))


def test_a_new_birth_gives_numbers_anew() -> None:
    wire = Wire()
    wire.born()
    wire.send("DBIRTH", metric("a", 1.0, alias=1), metric("b", 1.0, alias=2), device="m")
    wire.send("DBIRTH", metric("b", 1.0, alias=1), device="m")
    assert values(wire.send("DDATA", metric(None, 5.0, None, alias=1), device="m")) == {"b": 5}
    assert reasons(wire.send("DDATA", metric(None, 5.0, None, alias=2), device="m")) == ["unknown_alias"]


def test_an_edge_node_s_birth_ends_those_of_its_devices() -> None:
    wire = Wire()
    wire.born()
    wire.send("DBIRTH", metric("a", 1.0, alias=1), device="m")
    wire.born(session=1)
    decoded = wire.send("DDATA", metric(None, 5.0, None, alias=1), device="m")
    assert reasons(decoded) == ["unknown_alias"]
    assert decoded.replies


def test_a_birth_that_comes_twice_or_late_changes_nothing() -> None:
    wire = Wire()
    old = Payload(timestamp=1_790_000_000_000, seq=0, metrics=[bd_seq(3), metric("old", 1.0, alias=1)])
    wire.receive("spBv1.0/g/NBIRTH/e", old.SerializeToString())
    wire.born(metric("new", 1.0, alias=1), session=4)
    wire.receive("spBv1.0/g/NBIRTH/e", old.SerializeToString())
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1), seq=1)) == {"new": 5}


def test_what_comes_late_is_not_named_by_a_newer_birth() -> None:
    wire = Wire()
    wire.born()
    before, after = wire.now, wire.now + timedelta(seconds=30)
    wire.send("DBIRTH", metric("new", 1.0, alias=1), device="m", at=after)
    late = wire.send("DBIRTH", metric("old", 1.0, alias=1), device="m", at=before)
    assert values(late) == {"old": 1}
    assert reasons(wire.send("DDATA", metric(None, 2.0, None, alias=1), device="m", at=before)) == ["unknown_alias"]
    assert values(wire.send("DDATA", metric(None, 3.0, None, alias=1), device="m", at=after)) == {"new": 3}


def test_a_birth_that_says_the_same_holds_since_before() -> None:
    wire = Wire()
    wire.born()
    before = wire.now
    wire.send("DBIRTH", metric("a", 1.0, alias=1), device="m")
    wire.send("DBIRTH", metric("a", 2.0, alias=1), device="m")
    wire.restarted()
    assert values(wire.send("DDATA", metric(None, 3.0, None, alias=1), device="m", at=before)) == {"a": 3}


def test_an_edge_node_whose_clock_was_set_back_is_born_all_the_same() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1), session=3)
    wire.send("NBIRTH", bd_seq(4), metric("b", 1.0, alias=1), at=NOW - 30 * DAY)
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1))) == {"b": 5}


def test_a_number_that_carries_another_kind_of_value_is_not_what_its_birth_says() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    decoded = wire.send("NDATA", metric(None, True, None, alias=1, field="boolean_value"))
    assert reasons(decoded) == ["unknown_alias"]
    assert decoded.replies


def test_an_edge_node_s_death_is_that_of_its_devices() -> None:
    wire = Wire()
    wire.born(session=5)
    wire.send("DBIRTH", metric("a", 1.0, alias=1), device="m")
    wire.send("DBIRTH", metric("a", 1.0, alias=2), device="k")
    decoded = wire.send("NDEATH", bd_seq(5), counted=False, at=NOW - DAY)
    assert (decoded.heard, decoded.online) == (("g/e", "g/e/k", "g/e/m"), False)
    assert [(e.device, e.kind, e.observed_at) for e in decoded.events] == [
        (device, "death", wire.now) for device in decoded.heard
    ]
    assert reasons(wire.send("DDATA", metric(None, 5.0, None, alias=1), device="m")) == ["unknown_alias"]


def test_the_death_of_an_earlier_session_is_none() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1), session=6)
    assert wire.send("NDEATH", bd_seq(5), counted=False) == wire.send("NDEATH", bd_seq(4), counted=False)
    assert wire.send("NDEATH", bd_seq(5), counted=False).online is None
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1))) == {"a": 5}


def test_a_device_s_death_is_its_own() -> None:
    wire = Wire()
    wire.born()
    wire.send("DBIRTH", metric("a", 1.0, alias=1), device="m")
    wire.send("DBIRTH", metric("b", 1.0, alias=2), device="k")
    decoded = wire.send("DDEATH", device="m")
    assert (decoded.heard, decoded.online, told(decoded)) == (("g/e/m",), False, [("death", "{}")])
    assert values(wire.send("DDATA", metric(None, 5.0, None, alias=2), device="k")) == {"b": 5}
    assert reasons(wire.send("DDATA", metric(None, 5.0, None, alias=1), device="m")) == ["unknown_alias"]


def kept(kind: str, *metrics: Payload.Metric, at: datetime) -> tuple[str, bytes]:
    """Write a birth as a broker that knows Sparkplug says it again."""
    device = "/m" if kind == "DBIRTH" else ""
    payload = Payload(timestamp=milliseconds(at), seq=0, metrics=metrics)
    return f"$sparkplug/certificates/spBv1.0/g/{kind}/e{device}", payload.SerializeToString()


def test_births_that_the_broker_kept_name_what_comes_after() -> None:
    """In any order, and whatever number comes next."""
    wire = Wire()
    device = wire.receive(*kept("DBIRTH", metric("flow", 1.0, alias=2), at=NOW))
    node = wire.receive(*kept("NBIRTH", bd_seq(1), metric("volt", 1.0, alias=1), at=NOW - DAY))
    assert (values(device), values(node)) == ({"flow": 1}, {"bdSeq": 1, "volt": 1})
    assert (device.online, node.online) == (None, None)
    after = wire.send("DDATA", metric(None, 5.0, None, alias=2), device="m", seq=77)
    assert (values(after), after.replies) == ({"flow": 5}, ())
    assert wire.send("NDEATH", bd_seq(1), counted=False).heard == ("g/e", "g/e/m")


def test_a_kept_birth_that_is_older_than_the_session_is_past() -> None:
    wire = Wire()
    wire.born(metric("volt", 1.0, alias=1), session=2)
    wire.receive(*kept("DBIRTH", metric("flow", 1.0, alias=2), at=NOW - DAY))
    wire.receive(*kept("NBIRTH", bd_seq(1), metric("amp", 1.0, alias=1), at=NOW - DAY))
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1))) == {"volt": 5}
    assert reasons(wire.send("DDATA", metric(None, 5.0, None, alias=2), device="m")) == ["unknown_alias"]


def test_a_kept_birth_that_is_newer_was_missed() -> None:
    wire = Wire()
    wire.born(metric("volt", 1.0, alias=1), session=2)
    wire.receive(*kept("NBIRTH", bd_seq(3), metric("amp", 1.0, alias=1), at=NOW + timedelta(seconds=10)))
    after = wire.send("NDATA", metric(None, 5.0, None, alias=1), seq=9, at=NOW + timedelta(seconds=20))
    assert values(after) == {"amp": 5}


def test_historical_values_keep_their_own_times() -> None:
    wire = Wire()
    wire.born(metric("a", 1.0, alias=1))
    history = [metric(None, float(n), None, alias=1, at=NOW - n * DAY, is_historical=True) for n in (3, 2, 1)]
    readings = wire.send("NDATA", *history).readings
    assert [(r.observed_at, r.value) for r in readings] == [(NOW - n * DAY, n) for n in (3, 2, 1)]


def test_null_and_transient_leave_no_row_but_are_remembered() -> None:
    wire = Wire()
    decoded = wire.born(metric("a", None, alias=1, is_null=True), metric("b", 1.0, alias=2, is_transient=True))
    assert values(decoded) == {"bdSeq": 0}
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1))) == {"a": 5}


def test_without_any_time_arrival_stands_for_it() -> None:
    wire = Wire()
    decoded = wire.receive("spBv1.0/g/NDATA/e", Payload(metrics=[metric("a", 1.0)]).SerializeToString())
    assert [(r.observed_at, r.quality) for r in decoded.readings] == [(wire.now, Quality.TIME_OF_ARRIVAL)]


def test_a_clock_that_was_never_set_costs_the_value_not_the_birth() -> None:
    wire = Wire()
    decoded = wire.receive(
        "spBv1.0/g/NBIRTH/e", Payload(timestamp=1000, metrics=[metric("a", 1.0, alias=1)]).SerializeToString()
    )
    assert reasons(decoded) == ["bad_time"]
    assert values(wire.send("NDATA", metric(None, 5.0, None, alias=1), seq=1)) == {"a": 5}


def test_bad_and_stale_values_are_marked() -> None:
    metrics = [with_property(metric(f"q{code}", 1.0), "Quality", code) for code in (0, 192, 216, 500)]
    decoded = Wire().send("NDATA", *metrics)
    doubted = {r.metric: r.quality for r in decoded.readings}
    assert doubted == {"q0": Quality.IMPLAUSIBLE, "q192": 0, "q216": 0, "q500": Quality.IMPLAUSIBLE}


def test_text_and_numbers_of_one_moment_stay_together() -> None:
    wire = Wire()
    decoded = wire.born(
        metric("serial", "8L", DataType.STRING), metric("state", "RUN\0", DataType.TEXT), metric("x", 1.0)
    )
    kind, attributes = told(decoded)[0]
    assert (kind, json.loads(attributes)) == ("text", {"serial": "8L", "state": "RUN\ufffd"})


def test_members_of_a_template_are_metrics_of_their_own() -> None:
    wire = Wire()
    tank = Payload.Template(template_ref="Tank", metrics=[metric("level", 2.5), metric("n", -3, DataType.INT8)])
    tank.parameters.add(name="area", type=DataType.DOUBLE, double_value=4.0)
    shape = Payload.Template(is_definition=True, metrics=[metric("level", 0.0)])
    decoded = wire.born(
        metric("Tank 1", tank, DataType.TEMPLATE, alias=4), metric("_types_/Tank", shape, DataType.TEMPLATE)
    )
    assert values(decoded) == {"bdSeq": 0, "Tank 1/level": 2.5, "Tank 1/n": -3, "Tank 1/area": 4}
    change = Payload.Template(template_ref="Tank", metrics=[metric("n", -4, None, field="int_value")])
    assert values(wire.send("NDATA", metric(None, change, None, alias=4, field="template_value"))) == {"Tank 1/n": -4}


@pytest.mark.parametrize("topic", ["spBv1.0/g/NCMD/e", "spBv1.0/g/DCMD/e/m", "spBv1.0/STATE/host"])
def test_what_hosts_say_is_nothing_of_a_device(topic: str) -> None:
    wire = Wire()
    decoded = wire.receive(topic, b'{"online": true}')
    assert decoded == type(decoded)(None)
    assert made().memory_name(topic) is None


@pytest.mark.parametrize(
    "topic",
    [
        "spBv1.0/g/NBIRTH",
        "spBv1.0/g/NBIRTH/e/m",
        "spBv1.0/g/DDATA/e",
        "spBv1.0/g/XDATA/e",
        "spBv1.0//NDATA/e",
        "spAv1.0/g/NDATA/e",
        "$sparkplug/certificates/spBv1.0/g/NDATA/e",
        "",
    ],
)
def test_a_topic_of_another_shape_is_refused(topic: str) -> None:
    with pytest.raises(MessageRejected) as raised:
        made()(topic, b"", NOW)
    assert raised.value.reason is Reason.MALFORMED_TOPIC


def test_one_bad_metric_costs_no_other() -> None:
    nameless = metric(None, 1.0)
    decoded = Wire().send(
        "NDATA",
        nameless,
        metric("", 1.0),
        metric("inf", float("inf")),
        metric("big", 2**60, DataType.INT64),
        metric("a", 1.0),
    )
    assert values(decoded) == {"a": 1}
    assert reasons(decoded) == ["malformed_payload", "malformed_payload", "bad_value", "bad_value"]


@pytest.mark.parametrize("options", [{"rebirths": True}, {"rebirth_seconds": -1}, {"reorder_seconds": "2"}])
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationInvalid):
        configure(options)


KINDS = st.sampled_from(["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"])


@given(kind=KINDS, payload=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: str, payload: bytes) -> None:
    wire = Wire()
    topic = f"spBv1.0/g/{kind}/e" + ("/m" if kind[0] == "D" else "")
    with suppress(MessageRejected):
        wire.receive(topic, payload)


@given(
    cut=st.integers(0, 400),
    damage=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=4),
    kind=KINDS,
)
def test_a_damaged_payload_is_read_or_refused(cut: int, damage: list[tuple[int, int]], kind: str) -> None:
    whole = Payload(timestamp=1_790_000_000_000, seq=3, metrics=[bd_seq(1), metric("text", "ü" * 20, DataType.STRING)])
    whole.metrics.append(with_property(metric("u", 1.0, alias=5), "engUnit", "m³/h"))
    table = Payload.DataSet(columns=["a"], types=[DataType.INT8], rows=[{"elements": [{"int_value": 255}]}])
    whole.metrics.append(metric("table", table, DataType.DATA_SET))
    whole.metrics.append(metric("t", Payload.Template(metrics=[metric("m", 1.0)]), DataType.TEMPLATE))
    content = bytearray(whole.SerializeToString())
    for place, byte in damage:
        content[place % len(content)] = byte
    wire = Wire()
    wire.born(metric("u", 1.0, alias=5))
    with suppress(MessageRejected):
        wire.receive(f"spBv1.0/g/{kind}/e" + ("/m" if kind[0] == "D" else ""), bytes(content[:cut]))
        wire.restarted()
