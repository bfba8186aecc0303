"""Axes: numbers and moments on paper, and the round ones among them."""

from datetime import timedelta

import pytest

from rules.pictures.axes import Axis, around, nice, round_durations, round_numbers, round_times, written


def axis(low: float, high: float) -> Axis:
    return Axis(low=low, high=high, start=100.0, end=0.0)


def test_a_number_has_its_place_and_what_lies_outside_is_at_the_edge() -> None:
    assert [axis(0, 10).place(value) for value in (0, 5, 10, 12, -3)] == [100, 50, 0, 0, 100]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 10, [0, 5, 10]), (-0.9, 0.9, [-0.5, 0, 0.5]), (1500, 1900, [1500, 1600, 1700, 1800, 1900])],
)
def test_marks_are_at_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert round_numbers(axis(low, high)) == pytest.approx(expected)


@pytest.mark.parametrize(("size", "expected"), [(0.011, 0.02), (0.9, 1), (1, 1), (3, 5), (51, 100)])
def test_nice_sizes_are_one_two_and_five(size: float, expected: float) -> None:
    assert nice(size) == pytest.approx(expected)


@pytest.mark.parametrize("values", [[], [0.0], [7.0, 7.0], [-1.0, 3.0]])
def test_an_axis_has_room_around_all_values(values: list[float]) -> None:
    found = around(values, 100, 0)
    assert found.high > found.low
    assert all(found.low < value < found.high for value in values)


def test_times_are_marked_at_round_ones() -> None:
    hours = [moment / timedelta(hours=1) for moment in round_times(60 * 3600)]
    assert hours == [0, 12, 24, 36, 48, 60]
    assert round_times(40 * 365 * 86400)[1] == timedelta(days=364)


def test_durations_are_marked_from_nothing_up() -> None:
    assert round_durations(axis(-1000, 11 * 3600)) == [0, 3 * 3600, 6 * 3600, 9 * 3600]


def test_a_minus_is_a_minus() -> None:
    assert [written(number) for number in (-0.5, 1200000.0, 0.0)] == ["\N{MINUS SIGN}0.5", "1.2e+06", "0"]
