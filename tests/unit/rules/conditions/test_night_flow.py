"""Minimum night flow: nights, their flow, and what is too much of it."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from rules.conditions.night_flow import NightFlowCondition, NightFlowState, compile_night_flow
from rules.conditions.span import Reading, Span
from rules.instants import to_instant
from tests.unit.rules.worlds import START
from veldwatch.model.conditions.flow import FlowKind, NightFlow

Day = Sequence[float]


def day(night: float, by_day: float = 900.0) -> Day:
    """Give the flow of each hour; the lowest is from 03:00 to 04:00."""
    return [night + 50, night + 30, night + 10, night, night + 60, *[by_day] * 19]


def at(number: float) -> int:
    """Give the instant so many hours after the start."""
    return to_instant(START + timedelta(hours=number))


def readings(days: Sequence[Day]) -> list[Reading]:
    """Give four readings an hour."""
    flows = [flow for one in days for flow in one]
    return [Reading(at(number / 4), flows[number // 4]) for number in range(4 * len(flows))]


def counted(days: Sequence[Day]) -> list[Reading]:
    """Give the register that counts the same, read every quarter of an hour; it begins at 1000."""
    total, read = 1000.0, [Reading(at(0), 1000.0)]
    for number, flow in enumerate(flow for one in days for flow in one):
        for quarter in range(4):
            total += flow / 4
            read.append(Reading(at(number + (quarter + 1) / 4), total))
    return read


def folded(
    flow: NightFlow, observed: Sequence[Reading]
) -> tuple[NightFlowCondition, NightFlowState, list[tuple[float, float | None, float | None, float]]]:
    """Fold; give hours at which spans opened, fired and ended, and their values."""
    condition = compile_night_flow(flow)
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for seen in observed:
        state, span = condition.step(state, seen)
        spans += [span] if span and span.counts else []
    last = condition.open_span(state, observed[-1].at)
    spans += [last] if last else []
    hour, zero = at(1) - at(0), at(0)
    return (
        condition,
        state,
        [
            (
                (span.opened_at - zero) / hour,
                None if span.reached_at is None else (span.reached_at - zero) / hour,
                None if span.ended_at is None else (span.ended_at - zero) / hour,
                round(span.value or 0.0, 6),
            )
            for span in spans
        ],
    )


def test_two_nights_above_the_limit_fire_and_the_first_one_back_ends() -> None:
    flow = NightFlow(metric="flow_rate", above=200)
    _, _, spans = folded(flow, readings([day(100), day(250), day(260), day(270), day(100)]))
    assert spans == [(26, 52, 100, 70)]


def test_one_night_is_not_enough_unless_the_rule_says_so() -> None:
    days = [day(100), day(250), day(100)]
    assert folded(NightFlow(metric="flow_rate", above=200), readings(days))[2] == []
    assert folded(NightFlow(metric="flow_rate", above=200, for_nights=1), readings(days))[2] == [(26, 28, 52, 50)]


def test_a_night_is_held_against_the_usual_of_the_nights_before() -> None:
    flow = NightFlow(metric="flow_rate", share=0.3, at_least=20)
    days = [day(100 + number % 3) for number in range(10)] + [day(150)] * 3 + [day(101)]
    assert folded(flow, readings(days))[2] == [(242, 268, 316, 49)]
    assert folded(flow, readings([day(100)] * 5 + [day(150)] * 3))[2] == [], "too few nights are known"


def test_both_share_and_amount_must_be_exceeded() -> None:
    small = [day(10)] * 10 + [day(20)] * 3
    assert folded(NightFlow(metric="flow_rate", share=0.3, at_least=20), readings(small))[2] == []
    assert len(folded(NightFlow(metric="flow_rate", share=0.3, at_least=5), readings(small))[2]) == 1


def test_what_is_too_much_is_not_learnt_until_it_has_lasted_long() -> None:
    days = [day(100)] * 10 + [day(200)] * 30
    assert folded(NightFlow(metric="flow_rate", share=0.3), readings(days))[2] == [(242, 268, None, 100)]
    relearnt = NightFlow(metric="flow_rate", share=0.3, relearn_nights=20)
    assert folded(relearnt, readings(days))[2] == [(242, 268, (10 + 19) * 24 + 4, 100)]


def test_a_register_tells_the_same_as_a_rate() -> None:
    days = [day(100)] * 8 + [day(180)] * 2 + [day(100)]
    by_rate = folded(NightFlow(metric="m", share=0.3), readings(days))[2]
    by_register = folded(NightFlow(metric="m", of=FlowKind.REGISTER, share=0.3), counted(days))[2]
    assert [span[:3] for span in by_register] == [span[:3] for span in by_rate]
    assert by_register[0][3] == pytest.approx(by_rate[0][3], abs=10)


def test_a_register_that_falls_or_pauses_makes_no_flow() -> None:
    days = [day(100)] * 12
    read = counted(days)
    reset = [Reading(seen.at, seen.value - 5000 if seen.at > at(251) else seen.value) for seen in read]
    flow = NightFlow(metric="m", of=FlowKind.REGISTER, share=0.1, for_nights=1)
    assert folded(flow, reset)[2] == []
    paused = [seen for seen in read if not at(247) < seen.at < at(251.5)]
    assert folded(flow, paused)[2] == []


def test_a_night_without_readings_is_left_out() -> None:
    flow = NightFlow(metric="flow_rate", above=200)
    days = [day(100), day(250), day(250), day(250), day(100)]
    dark = [seen for seen in readings(days) if not at(49) < seen.at < at(53)]
    assert folded(flow, dark)[2] == [(26, 76, 100, 50)]


def test_a_night_may_pass_midnight_and_goes_by_the_clock_on_the_wall() -> None:
    late = NightFlow(metric="flow_rate", since="23:00", until="01:00", above=200, for_nights=1)
    flows = [[100.0] * 24, [*[100.0] * 23, 250.0], [250.0, *[100.0] * 23]]
    assert folded(late, readings([*flows, flows[0]]))[2] == [(47, 49, 73, 50)]
    nairobi = NightFlow(metric="flow_rate", time_zone="Africa/Nairobi", above=200, for_nights=1)
    flows = [[*[100.0] * 23, 250.0], [250.0, *[100.0] * 23], [100.0] * 24]
    assert folded(nairobi, readings(flows))[2] == [(23, 25, 49, 50)]


def test_a_state_comes_back_from_json() -> None:
    flow = NightFlow(metric="flow_rate", share=0.3)
    condition, state, _ = folded(flow, readings([day(100)] * 10 + [day(150)] * 3)[:-85])
    assert state.night is not None
    assert state.span is not None
    loaded = condition.load(json.loads(json.dumps(state)))
    assert json.dumps(loaded) == json.dumps(state)
