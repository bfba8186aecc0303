"""Pictures of single readings keep the shape, show only what was measured, and end the line at gaps."""

import numpy as np
import pytest

from api.downsampling import thin_out

MINUTE = 60_000_000


def test_few_readings_are_all_shown() -> None:
    times, values = np.arange(3, dtype=np.int64) * MINUTE, np.array([1.0, 9.0, 2.0])
    at, shown = thin_out(times, values, 100, MINUTE)
    assert at.tolist() == times.tolist()
    assert shown.tolist() == [1.0, 9.0, 2.0]


def test_nothing_is_made_of_nothing() -> None:
    at, shown = thin_out(np.empty(0, np.int64), np.empty(0), 100, None)
    assert (at.tolist(), shown.tolist()) == ([], [])


def test_of_many_a_single_spike_is_kept_and_each_is_one_that_was_measured() -> None:
    times = np.arange(10_000, dtype=np.int64) * MINUTE
    values = np.sin(times / 1e9)
    values[7_777] = 50.0
    at, shown = thin_out(times, values, 200, MINUTE)
    assert len(at) == 200
    assert shown.max() == 50.0
    assert (at[0], at[-1]) == (times[0], times[-1])
    assert np.array_equal(values[at // MINUTE], shown)


@pytest.mark.parametrize("expected", [MINUTE, None])
def test_a_pause_of_more_than_three_reports_ends_the_line(expected: int | None) -> None:
    times = np.array([0, 1, 2, 5, 6, 10, 11, 12], np.int64) * MINUTE
    at, shown = thin_out(times, np.ones(8), 100, expected)
    assert at[np.isnan(shown)].tolist() == [8 * MINUTE]


def test_the_gap_stays_where_the_readings_around_it_are_left_out() -> None:
    times = np.concatenate([np.arange(5_000), np.arange(9_000, 14_000)]).astype(np.int64) * MINUTE
    at, shown = thin_out(times, np.random.default_rng(4).random(10_000), 50, MINUTE)
    gap = int(np.flatnonzero(np.isnan(shown))[0])
    assert at[gap - 1] < 5_000 * MINUTE < at[gap] < 9_000 * MINUTE <= at[gap + 1]
    assert np.all(np.diff(at) > 0)
