"""Smooth noise of n things, kept between calls within a period: at steps of a second it costs a few additions."""

import math

import numpy as np

from simulators.chance import Chance, Floats

# Uniform numbers have the variance 1/12; between two of them it is 26/35 of that on the mean, e² + (1 - e)².
_TO_UNIT_DEVIATION = math.sqrt(12.0 * 35.0 / 26.0)


class Wander:
    """As `Chance.smooth`, with mean 0 and standard deviation 1.

    Args:
        period_seconds: from one independent value to the next.
    """

    def __init__(self, chance: Chance, what: str, period_seconds: float) -> None:
        self._chance = chance
        self._what = what
        self._period = period_seconds
        self._slot: int | None = None
        self._left = self._change = np.zeros(0)

    def at(self, seconds: float) -> Floats:
        """Return the values at a time in seconds since 1970; a function of the time only."""
        slot, fraction = divmod(seconds / self._period, 1.0)
        if slot != self._slot:
            self._slot = int(slot)
            self._left = (self._chance.uniform(self._what, self._slot) - 0.5) * _TO_UNIT_DEVIATION
            right = (self._chance.uniform(self._what, self._slot + 1) - 0.5) * _TO_UNIT_DEVIATION
            self._change = right - self._left
        return self._left + self._change * (fraction * fraction * (3.0 - 2.0 * fraction))
