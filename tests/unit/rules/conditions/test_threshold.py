"""A value beyond a limit: step function, dead-band, hold_for by time alone."""

import pytest

from rules.conditions.span import Reading, Span
from rules.conditions.threshold import ThresholdCondition, ThresholdState, compile_threshold
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.values import Threshold


def ended(condition: ThresholdCondition, values: list[float]) -> list[tuple[int, int | None]]:
    """Fold a value a minute; give (first minute, last minute) of each span, open ones without an end."""
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for number, value in enumerate(values):
        state, span = condition.step(state, Reading(minute(number), value))
        spans += [span] if span else []
    open_span = condition.open_span(state, minute(1000))
    spans += [open_span] if open_span else []
    return [(span.opened_at, span.ended_at) for span in spans]


@pytest.mark.parametrize(
    ("threshold", "values", "expected"),
    [
        (Threshold(metric="m", above=5), [5, 6, 6, 5, 4], [(1, 3)]),
        (Threshold(metric="m", below=5), [5, 4, 5, 4], [(1, 2), (3, None)]),
        (Threshold(metric="m", above=5, dead_band=2), [6, 4, 3.5, 3, 6], [(0, 3), (4, None)]),
        (Threshold(metric="m", outside=(2, 8)), [2, 8, 9, 1, 5], [(2, 4)]),
        (Threshold(metric="m", outside=(2, 8), dead_band=1), [1, 2.5, 7.5, 6], [(0, 3)]),
    ],
    ids=["above", "below", "dead-band", "outside", "outside with dead-band"],
)
def test_a_span_lasts_from_the_first_reading_beyond_to_the_first_one_back(
    threshold: Threshold, values: list[float], expected: list[tuple[int, int | None]]
) -> None:
    condition = compile_threshold(threshold, 0)
    assert ended(condition, values) == [
        (minute(first), None if last is None else minute(last)) for first, last in expected
    ]


def test_hold_for_is_reached_by_time_alone() -> None:
    condition = compile_threshold(Threshold(metric="m", above=5), minute(10) - minute(0))
    state, _ = condition.step(ThresholdState(), Reading(minute(1), 6))
    assert condition.wake_at(state, minute(1)) == minute(11)
    assert condition.wake_at(state, minute(11)) is None


def test_a_span_shorter_than_hold_for_does_not_count() -> None:
    condition = compile_threshold(Threshold(metric="m", above=5), minute(10) - minute(0))
    state, _ = condition.step(ThresholdState(), Reading(minute(1), 6))
    _, short = condition.step(state, Reading(minute(10), 5))
    _, long = condition.step(state, Reading(minute(11), 5))
    assert short is not None
    assert long is not None
    assert (short.counts, long.counts) == (False, True)


@pytest.mark.parametrize("value", [5.0, 6.0, 3.0, 3.1, 0.0])
def test_values_in_the_quiet_range_change_nothing(value: float) -> None:
    condition = compile_threshold(Threshold(metric="m", above=5, dead_band=2), 0)
    holding, _ = condition.step(ThresholdState(), Reading(minute(0), 9))
    for state in (ThresholdState(), holding):
        quiet = condition.quiet_range(state)
        assert quiet is not None
        after, span = condition.step(state, Reading(minute(1), value))
        assert (quiet[0] <= value <= quiet[1]) == (after == state and span is None)
