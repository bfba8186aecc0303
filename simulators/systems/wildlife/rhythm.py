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


def busy_pace(species: Species) -> float:
    """Return how fast the clock runs, on average, while most of the way is covered."""
    paces = daily_paces(species)
    return float((paces**2).mean()) * _moving_pace(species)


def _moving_pace(species: Species) -> float:
    """Return the pace in a bout of movement that makes the mean 1 with that of rest."""
    return (1.0 - species.resting_pace * (1.0 - species.moving_share)) / species.moving_share


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
        self._moving = np.array([_moving_pace(species) for species in kinds])
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
        # Below the share the draw is uniform again. Its pace is exponential: most steps of real animals are short.
        within = np.minimum(drawn / self._share, 1.0 - 1e-9)
        return np.where(drawn < self._share, -self._moving * np.log1p(-within), self._resting)
