"""An animal's own clock: it runs fast when the animal is active, slow when it rests.

The walk is exact in the animal's time, so its range does not depend on the rhythm, and its speed follows it. The pace
is constant within slots of ten minutes: any step, however long, gets the same time.
"""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.systems.wildlife.species import Species

_SLOT = 600_000
_SLOTS_A_DAY = 144
# Assumed: how long a bout of rest or movement lasts at least. Many last two or three in a row.
_SLOTS_A_BOUT = 3


def daily_paces(species: Species) -> Floats:
    """Return the pace in each slot of the local day; the mean is 1."""
    hours = (np.arange(_SLOTS_A_DAY) + 0.5) / 6.0
    paces = np.interp(hours, np.arange(24) + 0.5, species.rhythm, period=24.0)
    return paces / paces.mean()


class Clock:
    """The clocks of some animals.

    Args:
        kinds: the species of each.
        chance: draws for each.
    """

    def __init__(self, kinds: Sequence[Species], chance: Chance) -> None:
        self._chance = chance
        self._daily = np.array([daily_paces(species) for species in kinds]).reshape(len(kinds), _SLOTS_A_DAY)
        self._share = np.array([species.moving_share for species in kinds])
        self._resting = np.array([species.resting_pace for species in kinds])
        self._moving = (1.0 - self._resting * (1.0 - self._share)) / self._share
        self._slot = -1
        self._key = (-1, -1)
        self._passed: Floats = np.zeros(len(kinds))
        self.pace: Floats = np.ones(len(kinds))

    def advance(self, moment: Moment) -> Floats:
        """Return the seconds of its own time that pass for each in a step; the same array if nothing changed."""
        until = moment.at + moment.utc_offset
        since = until - moment.step
        first, last = since // _SLOT, (until - 1) // _SLOT
        if first == last:
            if self._key != (last, moment.step):
                self._enter(last)
                self._key = (last, moment.step)
                self._passed = self.pace * moment.seconds
            return self._passed
        self._key = (-1, -1)
        passed = np.zeros(len(self._share))
        for slot in range(first, last + 1):
            self._enter(slot)
            passed += self.pace * ((min(until, (slot + 1) * _SLOT) - max(since, slot * _SLOT)) / 1000)
        self._passed = passed
        return passed

    def _enter(self, slot: int) -> None:
        if slot != self._slot:
            self._slot = slot
            self.pace = self._daily[:, slot % _SLOTS_A_DAY] * self._bouts(slot // _SLOTS_A_BOUT)

    def _bouts(self, number: int) -> Floats:
        """Draw who moves, and how briskly; the mean is 1."""
        drawn = self._chance.uniform("bout", number)
        # Below the share the draw is uniform again: it sets the pace, from a half to one and a half times the mean.
        return np.where(drawn < self._share, self._moving * (0.5 + drawn / self._share), self._resting)
