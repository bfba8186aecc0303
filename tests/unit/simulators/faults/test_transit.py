import json
import statistics
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.chance import Chance
from simulators.faults.registry import wire_fault
from simulators.report import HELD, Message
from veldwatch.errors import MessageRejected
from veldwatch.model.faults import FAULTS
from veldwatch.wire.veldwatch_json import decode, encode_readings

AT = 1_795_320_000_000
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TOPIC = "veldwatch/v1/town/meter-1/readings"


def message(payload: bytes = b"{}") -> Message:
    return Message(AT, TOPIC, payload)


def carried(kind: str, count: int, payload: bytes = b"{}", **parameters: float) -> list[list[Message]]:
    usual = {parameter.name: parameter.usual for parameter in FAULTS[kind].parameters}
    fault = wire_fault(kind, usual | parameters, Chance(1, [f"town/meter-1:{kind}"]), AT)
    return [list(fault.carry(message(payload), number)) for number in range(count)]


def flat(groups: Iterable[list[Message]]) -> list[Message]:
    return [each for group in groups for each in group]


def test_a_share_of_the_messages_is_lost() -> None:
    kept = flat(carried("drop", 5000, share=0.2))
    assert 3900 < len(kept) < 4100
    assert set(kept) == {message()}


def test_messages_are_late_by_a_mean() -> None:
    late = [each.due - AT for each in flat(carried("delay", 5000, delay_seconds=600.0))]
    assert min(late) >= 0
    assert 570_000 < statistics.mean(late) < 630_000


def test_a_share_of_the_messages_comes_again_the_same() -> None:
    groups = carried("duplicate", 5000, share=0.2)
    again = [group for group in groups if len(group) == 2]
    assert 900 < len(again) < 1100
    assert all(group[0] == message() and group[1].payload == b"{}" for group in again)
    assert all(0 <= group[1].due - AT <= 60_000 for group in again)


def test_within_the_window_order_is_lost() -> None:
    late = [each.due - AT for each in flat(carried("reorder", 1000, window_seconds=300.0))]
    assert 0 <= min(late) < 10_000
    assert 290_000 < max(late) <= 300_000
    assert late != sorted(late)


def test_a_gateway_holds_everything_back() -> None:
    assert {each.due for each in flat(carried("gateway_backlog", 10))} == {HELD}


@given(value=st.floats(-1e6, 1e6), number=st.integers(0, 10**6))
def test_a_damaged_message_is_never_read_as_another_value(value: float, number: int) -> None:
    payload = encode_readings(NOON, {"flow_rate": (value, "L/h"), "volume": value})
    fault = wire_fault("corrupt", {"share": 1.0}, Chance(1, ["town/meter-1"]), AT)
    (damaged,) = fault.carry(message(payload), number)
    assert damaged.payload != payload
    with pytest.raises(MessageRejected):
        decode(TOPIC, damaged.payload, NOON)


def test_a_wrong_clock_moves_the_time_and_nothing_else() -> None:
    payload = encode_readings(NOON, {"flow_rate": (1.5, "L/h")})
    ((skewed,),) = carried("clock_skew", 1, payload, offset_seconds=-7200.0)
    document = json.loads(skewed.payload)
    assert document.pop("observed_at") == "2026-11-22T10:00:00Z"
    assert document == {key: value for key, value in json.loads(payload).items() if key != "observed_at"}
    assert skewed.due == AT
