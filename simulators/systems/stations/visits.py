"""Visits by slots of time: who comes when is a function of the slot, so it is the same whatever the step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment

SLOT = 300_000
"""Milliseconds; at most one visit begins in each."""
_SLOTS_PER_HOUR = 3_600_000 / SLOT


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: at which row, from when to when (milliseconds since 1970), and a draw for what else there is to it."""

    row: int
    begins: int
    ends: int
    draw: float


class Visits:
    """Visits at the places that a `Chance` draws for.

    Args:
        per_hour: of a place, by local hour; the mean number that come.
        lasts_seconds: at least and less than; below a slot's length.
    """

    def __init__(self, chance: Chance, per_hour: Callable[[float], float], lasts_seconds: tuple[float, float]) -> None:
        self._chance = chance
        self._per_hour = per_hour
        self._lasts = lasts_seconds
        self._known: dict[int, tuple[Visit, ...]] = {}

    def around(self, moment: Moment) -> Iterator[Visit]:
        """Yield the visits that may be under way, begin or end within a step, in order of their beginning by slot."""
        first, last = (moment.at - moment.step) // SLOT - 1, moment.at // SLOT
        for slot in [slot for slot in self._known if slot < first]:
            del self._known[slot]
        for slot in range(first, last + 1):
            if slot not in self._known:
                self._known[slot] = self._of(slot, moment.utc_offset)
            yield from self._known[slot]

    def _of(self, slot: int, utc_offset: int) -> tuple[Visit, ...]:
        hour = (slot * SLOT + utc_offset) % 86_400_000 / 3_600_000
        comes = self._chance.uniform("comes", slot) < self._per_hour(hour) / _SLOTS_PER_HOUR
        rows = np.flatnonzero(comes)
        if not rows.size:
            return ()
        lasts = self._drawn("lasts", slot) * (self._lasts[1] - self._lasts[0]) + self._lasts[0]
        # It ends within the slot, so that visits at a place never overlap.
        offset = self._drawn("offset", slot) * (SLOT / 1000 - lasts)
        what = self._drawn("what", slot)
        return tuple(
            Visit(
                row=row,
                begins=slot * SLOT + round(float(offset[row]) * 1000),
                ends=slot * SLOT + round(float(offset[row] + lasts[row]) * 1000),
                draw=float(what[row]),
            )
            for row in rows.tolist()
        )

    def _drawn(self, what: str, slot: int) -> Floats:
        return self._chance.uniform(what, slot)
