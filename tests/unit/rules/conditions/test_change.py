"""Change within a window: what surely was, what can have been at most, gaps, and registers that fall."""

from datetime import timedelta
from typing import Any

import pytest

from rules.conditions.change import compile_change
from rules.conditions.span import Reading
from tests.unit.rules.conditions.cases import Times, readings, times
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.values import Change, ValueChange

_WINDOW = timedelta(minutes=4)


def change(of: Change, **fields: Any) -> ValueChange:  # noqa: ANN401  # as the definition has them
    return ValueChange(metric="m", window=_WINDOW, of=of, **fields)


INCREASE, RANGE, DIFFERENCE = Change.INCREASE, Change.RANGE, Change.DIFFERENCE


@pytest.mark.parametrize(
    ("definition", "values", "expected"),
    [
        (change(INCREASE, above=5), [0, 1, 2, 3, 4, 9, 9, 9, 9, 9, 10], [(5, 5, 8)]),
        (change(INCREASE, above=5), [0, 6], [(1, 1, None)]),
        (change(INCREASE, above=5), [0, None, None, None, None, None, 60, 61], []),
        (change(INCREASE, above=5), [0, None, None, 6], [(3, 3, None)]),
        (change(INCREASE, below=2), [0, 0, 0, 0, 0, 0, 3, 3], [(5, 5, 6)]),
        (change(INCREASE, below=2), [0, 0, 0, 0], []),
        (change(INCREASE, below=2), [0, 0, None, None, None, None, 0], [(6, 6, None)]),
        (change(RANGE, above=5), [0, 3, 6, 3, 3, 3, 3, 3], [(2, 2, 5)]),
        (change(RANGE, below=2), [0, 1, 0, 1, 0, 1, 4], [(4, 4, 6)]),
        (change(RANGE, below=2), [0, None, None, None, None, None, 1], []),
        (change(RANGE, below=2, min_coverage=0.25), [0, None, None, None, None, None, 1], [(6, 6, None)]),
        (change(DIFFERENCE, below=-3), [9, 8, 7, 6, 5, 5, 5, 5, 5], [(4, 4, 5)]),
        (change(DIFFERENCE, outside=(-3, 3)), [0, 9, 0, 9, 0, 9], []),
        (change(DIFFERENCE, above=3, dead_band=2), [0, 1, 2, 3, 4, 4, 4, 4], [(4, 4, 7)]),
        (change(INCREASE, above=5), [], []),
    ],
    ids=[
        "increase", "at once", "over a gap", "a gap within the window", "too little", "not yet a window",
        "nothing over a gap", "range", "flat", "flat, not covered", "flat, little is enough", "fall", "first and last",
        "dead-band", "nothing",
    ],
)  # fmt: skip
def test_it_lasts_from_the_first_change_beyond_to_the_first_one_back(
    definition: ValueChange, values: list[float | None], expected: list[Times]
) -> None:
    assert times(compile_change(definition, 0), readings(values)) == expected


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ([100, 101, 102], 2.0),
        ([100, 101, 1, 2], 3.0),  # reset: what it shows counts
        ([100, 101, 0, 0], 1.0),
        ([100, 101, 60, 61], 2.0),  # exchange: between the two nothing counts
        ([100, 101, 60, 102], 2.0),  # one wild reading
        ([100, 101, 3, 102], 2.0),  # one that looks like a reset
        ([100, 101, 100.95, 101.2], 1.2),  # noise: counts from the highest figure
        ([10.1, 10.2, 10.3], 0.2),
        ([-5, -4, -6, -5], 2.0),  # what nets in and out is no register, and does not count twice
    ],
    ids=str,
)
def test_what_a_register_counted_is_never_negative(values: list[float], counted: float) -> None:
    derivation = compile_change(ValueChange(metric="m", window=_WINDOW, of=INCREASE, above=1), 0).derivation
    memory, least = derivation.initial(), 0.0
    for reading in readings(values):
        memory, number = derivation.step(memory, reading)
        assert number is not None
        assert 0 <= number.low <= number.high
        least = number.low
    assert least == counted


def test_what_is_remembered_is_bounded_and_a_window_of_many_readings_is_a_sixtieth_off_at_most() -> None:
    derivation = compile_change(ValueChange(metric="m", window=timedelta(hours=1), of=INCREASE, above=1), 0).derivation
    memory, number = derivation.initial(), None
    for second in range(0, 3 * 3600, 5):
        memory, number = derivation.step(memory, Reading(minute(second / 60), float(second)))
    assert len(memory.cells) <= 62
    assert number is not None
    assert 3600 - 65 <= number.low <= 3600 <= number.high <= 3600 + 65
