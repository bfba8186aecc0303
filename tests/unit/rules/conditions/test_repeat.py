"""A value that goes beyond a limit again and again."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from rules.conditions.repeat import compile_repeat
from tests.unit.rules.conditions.cases import Times, readings, times
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.values import Occurrence, Repeat

_WINDOW = timedelta(minutes=5)


def repeat(**fields: Any) -> Repeat:  # noqa: ANN401  # as the definition has them
    return Repeat(metric="m", above=5, window=_WINDOW, **fields)


@pytest.mark.parametrize(
    ("definition", "values", "expected"),
    [
        (repeat(count=2), [9, 0, 0, 9, 0], [(0, 3, 3)]),
        (repeat(count=2), [9, 9, 9, 9, 9, 9], []),
        (repeat(count=2), [9, 0, 0, 0, 0, 9], [(0, 5, 5)]),
        (repeat(count=2), [9, 0, 0, 0, 0, 0, 9], []),
        (repeat(count=3), [9, 0, 9, 0, 9, 0, 9, 0, 9], [(0, 4, 8)]),
        (repeat(count=2), [9, 0, 9, 0, 0, 0, 0, 0, 9, 0, 9], [(0, 2, 2), (8, 10, 10)]),
        (repeat(count=2, dead_band=3), [9, 4, 9, 4, 9], []),
        (repeat(count=2, dead_band=3), [9, 2, 9], [(0, 2, 2)]),
        (repeat(count=3, of=Occurrence.READINGS), [9, 9, 9, 0], [(0, 2, 2)]),
        (repeat(count=2), [9, 0, None, 9], [(0, 3, 3)]),
        (repeat(count=2), [9, None, 9], []),
        (repeat(count=2), [], []),
    ],
    ids=[
        "twice", "one long excursion", "at the edge of the window", "beyond it", "goes on", "two alerts", "noise",
        "well back", "readings", "a gap", "not seen to be back", "nothing",
    ],
)  # fmt: skip
def test_it_lasts_from_the_first_of_so_many_times_to_the_last_one(
    definition: Repeat, values: list[float | None], expected: list[Times]
) -> None:
    assert times(compile_repeat(definition), readings(values)) == expected


def test_it_goes_on_until_the_next_time_would_not_complete_it_again() -> None:
    condition = compile_repeat(repeat(count=2))
    assert times(condition, readings([9, 0, 9]), now=7) == [(0, 2, None)]
    assert times(condition, readings([9, 0, 9]), now=7.1) == [(0, 2, 2)]
    state = condition.initial(truncated=False)
    for reading in readings([9, 0, 9]):
        state, _ = condition.step(state, reading)
    assert condition.wake_at(state, minute(2)) == minute(7) + 1
    assert condition.wake_at(state, minute(8)) is None


def test_alerts_of_one_series_do_not_overlap() -> None:
    condition = compile_repeat(repeat(count=4))
    found = times(condition, readings([9, 0, 9, 0, 0, 9, 9, 0, 9, 0, 9, 0, 9, 0, 9]))
    assert all(before[2] is not None and before[2] <= after[0] for before, after in pairwise(found))


def test_what_is_said_is_how_many_times_it_was() -> None:
    condition = compile_repeat(repeat(count=2))
    state = condition.initial(truncated=False)
    for reading in readings([9, 0, 9, 0, 9]):
        state, _ = condition.step(state, reading)
    span = condition.open_span(state, minute(5))
    assert span is not None
    assert (span.value, span.evidence) == (3.0, ((minute(0), 9.0), (minute(2), 9.0)))
