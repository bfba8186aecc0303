"""The rolling median: what it calls out of line, held against the plain definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.scorecard.baseline import LEAST, LIMIT, WINDOW, Floats, alarms, out_of_line

HOUR = 3_600_000_000


def plainly(values: Floats) -> list[bool]:
    """Say the same value by value, as the definition reads."""
    flags: list[bool] = []
    for row, value in enumerate(values):
        before = values[max(row - WINDOW, 0) : row]
        if before.size < LEAST:
            flags.append(False)
            continue
        median = np.median(before)
        flags.append(bool(abs(value - median) > LIMIT * np.median(np.abs(before - median))))
    return flags


@pytest.mark.parametrize("count", [0, 1, LEAST, LEAST + 1, WINDOW - 1, WINDOW, WINDOW + 1, 5000])
def test_blocks_of_windows_say_what_the_definition_says(count: int) -> None:
    draw = np.random.default_rng(count)
    values = draw.normal(10, 1, count)
    values[draw.random(count) < 0.02] *= 9
    assert out_of_line(values).tolist() == plainly(values)


@given(st.lists(st.sampled_from([1.0, 1.0, 1.0, 2.0, 50.0]), min_size=LEAST, max_size=120))
def test_so_with_values_that_repeat(values: list[float]) -> None:
    assert out_of_line(np.array(values)).tolist() == plainly(np.array(values))


def test_a_value_that_never_moves_is_in_line_and_any_other_out_of_it() -> None:
    values = np.full(400, 45.0)
    assert not out_of_line(values).any()
    values[350] = 45.1
    assert np.flatnonzero(out_of_line(values)).tolist() == [350]


def test_readings_out_of_line_within_an_hour_of_each_other_are_one_alarm() -> None:
    values = np.tile([1.0, 2.0, 3.0, 4.0], 100)
    times = np.arange(400, dtype=np.int64) * HOUR // 2
    values[[100, 102, 110]] = 99.0
    assert alarms(times, values) == [50 * HOUR, 55 * HOUR]
    assert alarms(times[:0], values[:0]) == []
