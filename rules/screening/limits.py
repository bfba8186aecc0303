"""Limits of derived numbers, of which a least and a most is known, for many folds at once."""

import math

import numpy as np

from rules.conditions.derived import DerivedCondition
from rules.conditions.span import Span
from rules.screening.table import Floats, Mask, Slots


class Ranges:
    """Of each fold, where the least and the most of a number may lie without changing anything that is said."""

    def __init__(self, length: int) -> None:
        self._low_from, self._low_to, self._high_from, self._high_to = (np.zeros(length) for _ in range(4))

    def hold(self, slot: int, condition: DerivedCondition, span: Span | None) -> bool:
        """Take up what holds; False: there is no such range."""
        limits = condition.limits
        quiet = limits.quiet_range(span, condition.levels)
        if quiet is None:
            return False
        low, high = quiet
        if span is None:
            # Not beyond: not surely above the upper limit, nor surely below the lower one.
            self._set(slot, (-math.inf, high), (low, math.inf))
        elif math.isinf(limits.clear_lower):
            self._set(slot, quiet, (-math.inf, math.inf))
        else:
            self._set(slot, (-math.inf, math.inf), quiet)
        return True

    def hold_within(self, slots: Slots, low: Floats, high: Floats) -> Mask:
        """Tell which numbers change nothing; one that is no number does."""
        least = (low >= self._low_from[slots]) & (low <= self._low_to[slots])
        return least & (high >= self._high_from[slots]) & (high <= self._high_to[slots])

    def _set(self, slot: int, low: tuple[float, float], high: tuple[float, float]) -> None:
        self._low_from[slot], self._low_to[slot] = low
        self._high_from[slot], self._high_to[slot] = high
