"""Where numbers and times are on paper, and at which round ones there is a mark."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_STEPS = (
    *(timedelta(minutes=n) for n in (5, 10, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 6, 12)),
    *(timedelta(days=n) for n in (1, 2, 7, 14, 28, 91)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A straight way from numbers to pixels; what lies outside is at the edge."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Give a number's pixel."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def around(values: Iterable[float], start: float, end: float, *, low: float | None = None) -> Scale:
    """Make a scale that holds all of some numbers and ends at round ones.

    Args:
        low: where it begins, unless a number is below.
    """
    known = list(values) or [0.0, 1.0]
    bottom = min(known) if low is None else min(low, *known)
    top = max(known)
    if bottom == top == 0:
        top = 1.0
    if top - bottom < 1e-9:  # one value is no range
        bottom, top = bottom - (abs(bottom) * 0.1 or 0.5), top + (abs(top) * 0.1 or 0.5)
    step = nice((top - bottom) / 4)
    return Scale(
        low=math.floor(bottom / step + 1e-9) * step, high=math.ceil(top / step - 1e-9) * step, start=start, end=end
    )


def marks(scale: Scale) -> list[float]:
    """Give the round numbers of a scale that `around` made."""
    step = nice((scale.high - scale.low) / 5)
    first = math.ceil(scale.low / step - 1e-9)
    return [count * step for count in range(first, math.floor(scale.high / step + 1e-9) + 1)]


def nice(size: float) -> float:
    """Give the smallest of 1, 2 and 5 times a power of ten that is not below a size above 0."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= size * 0.999)


def time_marks(since: datetime, until: datetime, most: int) -> list[tuple[datetime, str]]:
    """Give round times between two, with how each is written."""
    step = next((step for step in _STEPS if (until - since) / step <= most), _STEPS[-1])
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + math.ceil((since - midnight) / step) * step
    found: list[tuple[datetime, str]] = []
    while at <= until:
        found.append((at, f"{at:%H:%M}" if step < timedelta(days=1) else f"{at:%m-%d}"))
        at += step
    return found
