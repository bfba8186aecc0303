"""Limits of a number: beyond which it alarms, and within which it is back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rules.conditions.levels import Level
from rules.conditions.span import Span


class Limited(Protocol):
    """A definition with limits; exactly one of the three is given."""

    @property
    def above(self) -> float | None:
        """Give the upper limit."""
        ...

    @property
    def below(self) -> float | None:
        """Give the lower limit."""
        ...

    @property
    def outside(self) -> tuple[float, float] | None:
        """Give the lower and the upper limit."""
        ...

    @property
    def dead_band(self) -> float:
        """Tell how far back inside is back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From `lower` to `upper`, both included, is inside; what is not limited is infinite.

    Attributes:
        clear_lower: back inside means at least this,
        clear_upper: and at most this.
    """

    lower: float
    upper: float
    clear_lower: float
    clear_upper: float

    def beyond(self, low: float, high: float | None = None) -> bool:
        """Tell whether a number alarms.

        Args:
            low: what it is at least.
            high: what it is at most; None: `low`.
        """
        return low > self.upper or (low if high is None else high) < self.lower

    def back(self, low: float, high: float | None = None) -> bool:
        """Tell whether a number is back inside."""
        return low <= self.clear_upper and (low if high is None else high) >= self.clear_lower

    def quiet_range(self, span: Span | None, levels: Sequence[Level]) -> tuple[float, float] | None:
        """Give the numbers, both included, that change nothing; None: no such range.

        Args:
            span: what holds; the range of one ends at the next level, which only a number beyond it reaches.
        """
        if span is None:
            return self.lower, self.upper
        ahead = [level for number, level in enumerate(levels) if not span.levels or span.levels[number] is None]
        lowest = max((level.lower for level in ahead), default=-math.inf)
        highest = min((level.upper for level in ahead), default=math.inf)
        if math.isinf(self.clear_lower):
            return max(math.nextafter(self.clear_upper, math.inf), lowest), highest
        if math.isinf(self.clear_upper):
            return lowest, min(math.nextafter(self.clear_lower, -math.inf), highest)
        return None


def limits_of(definition: Limited) -> Limits:
    """Make the limits of a definition."""
    lower, upper = -math.inf, math.inf
    if definition.outside is not None:
        lower, upper = definition.outside
    elif definition.above is not None:
        upper = definition.above
    elif definition.below is not None:
        lower = definition.below
    return Limits(
        lower=lower,
        upper=upper,
        clear_lower=lower + definition.dead_band,
        clear_upper=upper - definition.dead_band,
    )
