"""Axes: where a number or a moment is on paper, and at which round ones there is a mark."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from veldwatch.wire.durations import format_duration

_STEPS = (
    *(timedelta(seconds=number) for number in (1, 5, 10, 30)),
    *(timedelta(minutes=number) for number in (1, 2, 5, 10, 15, 30)),
    *(timedelta(hours=number) for number in (1, 2, 3, 6, 12)),
    *(timedelta(days=number) for number in (1, 2, 7, 14, 28, 91, 364)),
)
_MOST_TICKS = 9
_VALUE_TICKS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A straight way from numbers to pixels.

    Attributes:
        low: the number at pixel `start`.
        high: the number at pixel `end`; above `low`.
    """

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Give a number's pixel; what lies outside is at the edge."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def around(values: Iterable[float], start: float, end: float) -> Axis:
    """Make an axis that holds all of some numbers, with room at both ends."""
    known = list(values) or [0.0, 1.0]
    low, high = min(known), max(known)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    return Axis(low=low - room, high=high + room, start=start, end=end)


def round_numbers(axis: Axis) -> list[float]:
    """Give round numbers of an axis, 1, 2 or 5 times a power of ten apart."""
    step = nice((axis.high - axis.low) / _VALUE_TICKS)
    first = math.ceil(axis.low / step)
    return [number * step for number in range(first, math.floor(axis.high / step) + 1)]


def nice(size: float) -> float:
    """Give the smallest of 1, 2 and 5 times a power of ten that is not below a size above 0."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size * 0.999)


def round_times(seconds: float) -> list[timedelta]:
    """Give round times from 0 to a number of seconds."""
    step = step_of(seconds, _MOST_TICKS)
    return [number * step for number in range(math.floor(seconds / step.total_seconds()) + 1)]


def round_durations(axis: Axis) -> list[float]:
    """Give round durations of an axis that counts seconds."""
    step = step_of(axis.high - max(axis.low, 0.0), _VALUE_TICKS).total_seconds()
    return [number * step for number in range(math.floor(axis.high / step) + 1)]


def step_of(seconds: float, most: int) -> timedelta:
    """Give the shortest round duration that goes into seconds so many times at most."""
    return next((step for step in _STEPS if seconds / step.total_seconds() <= most), _STEPS[-1])


def written(number: float) -> str:
    """Write a number of an axis."""
    return f"{number:.6g}".replace("-", "\N{MINUS SIGN}")


def written_duration(seconds: float) -> str:
    """Write seconds as a duration."""
    return format_duration(timedelta(seconds=seconds)) if seconds else "0"
