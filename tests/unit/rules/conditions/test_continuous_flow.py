"""Flow that never stops: where runs begin and end, gaps, registers that fall, and beginnings that nobody saw."""

from datetime import timedelta

import pytest

from rules.conditions.continuous_flow import FlowCondition, FlowState, compile_continuous_flow
from rules.conditions.span import Reading, Span
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind

FLOW = ContinuousFlow(metric="m", duration=timedelta(minutes=3), max_gap=timedelta(minutes=2))


def runs(
    flow: ContinuousFlow, readings: list[tuple[float, float]], *, truncated: bool = False
) -> list[tuple[int, int | None]]:
    """Fold (minute, value); give beginning and end of each run that counts."""
    condition, state, spans = _fold(flow, readings, truncated=truncated)
    still = condition.open_span(state, minute(readings[-1][0]))
    spans += [still] if still else []
    return [(span.opened_at, span.ended_at) for span in spans]


def _fold(
    flow: ContinuousFlow, readings: list[tuple[float, float]], *, truncated: bool = False
) -> tuple[FlowCondition, FlowState, list[Span]]:
    condition = compile_continuous_flow(flow)
    state = condition.initial(truncated=truncated)
    spans: list[Span] = []
    for at, value in readings:
        state, span = condition.step(state, Reading(minute(at), value))
        spans += [span] if span and span.counts else []
    return condition, state, spans


def counting(*values: float) -> list[tuple[float, float]]:
    return [(float(number), value) for number, value in enumerate(values)]


def test_a_run_begins_at_the_first_reading_that_shows_flow_and_ends_at_the_last() -> None:
    assert runs(FLOW, counting(5, 5, 6, 7, 8, 9, 9, 9)) == [(minute(2), minute(5))]


def test_a_run_shorter_than_its_duration_does_not_count() -> None:
    assert runs(FLOW, counting(5, 5, 6, 7, 8, 8)) == []


def test_a_reading_that_falls_shows_no_flow() -> None:
    assert runs(FLOW, counting(5, 5, 6, 7, 8, 7.5, 8, 9, 10, 10)) == []
    assert runs(FLOW, counting(5, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 5)) == [
        (minute(2), minute(5)),
        (minute(7), minute(10)),
    ]


def test_readings_at_most_max_gap_apart_belong_together() -> None:
    together = [(0.0, 5.0), (1.0, 5.0), (3.0, 6.0), (5.0, 7.0), (7.0, 8.0), (8.0, 8.0)]
    apart = [(0.0, 5.0), (1.0, 5.0), (3.0, 6.0), (5.1, 7.0), (7.1, 8.0), (8.1, 8.0)]
    assert runs(FLOW, together) == [(minute(3), minute(7))]
    assert runs(FLOW, apart) == []


def test_a_run_is_over_when_the_next_reading_is_overdue_and_goes_on_when_it_comes_late() -> None:
    condition, state, _ = _fold(FLOW, counting(5, 5, 6, 7, 8, 9))
    assert condition.wake_at(state, minute(5)) == minute(7) + 1
    on_time, overdue = condition.open_span(state, minute(7)), condition.open_span(state, minute(7) + 1)
    assert on_time is not None
    assert on_time.ended_at is None
    assert overdue is not None
    assert overdue.ended_at == minute(5)
    later, span = condition.step(state, Reading(minute(6.5), 10))
    again = condition.open_span(later, minute(7))
    assert span is None
    assert again is not None
    assert (again.opened_at, again.ended_at) == (minute(2), None)


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (Beginning.SEEN, [(minute(7), minute(10))]),
        (Beginning.UNSEEN, [(minute(1), minute(4))]),
        (Beginning.ANY, [(minute(1), minute(4)), (minute(7), minute(10))]),
    ],
)
def test_a_run_under_way_at_the_first_reading_is_told_apart(
    beginning: Beginning, expected: list[tuple[int, int | None]]
) -> None:
    flow = ContinuousFlow(metric="m", duration=FLOW.duration, max_gap=FLOW.max_gap, beginning=beginning)
    assert runs(flow, counting(5, 6, 7, 8, 9, 9, 9, 10, 11, 12, 13, 13)) == expected


def test_of_a_history_that_is_cut_a_run_counts_from_the_cut() -> None:
    assert runs(FLOW, counting(5, 6, 7, 8, 9, 9), truncated=True) == [(minute(1), minute(4))]


def test_a_rate_shows_flow_above_its_minimum() -> None:
    flow = ContinuousFlow(metric="m", duration=FLOW.duration, max_gap=FLOW.max_gap, of=FlowKind.RATE, minimum=2)
    assert runs(flow, counting(0, 3, 3, 2.1, 3, 2, 3)) == [(minute(1), minute(4))]


def test_the_value_is_what_the_register_counted_since_the_reading_before_the_run() -> None:
    condition, state, _ = _fold(FLOW, counting(5, 5.5, 5.5, 7, 8, 9, 11))
    span = condition.open_span(state, minute(6))
    assert span is not None
    assert span.value == 5.5
    assert span.evidence == ((minute(2), 5.5), (minute(3), 7.0), (minute(6), 11.0))
