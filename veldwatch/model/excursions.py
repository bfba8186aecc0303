"""Excursions: a few readings away from where the register was before and is afterwards.

A register cannot count back, and what it counts it does not lose. So where readings leave the figures and return to
them, the readings between were wrong: a bit that flipped on the radio, a zero while the meter started. *Dips* lie
below, *spikes* above. Only a fall can reveal either: a dip begins with one, a spike ends with one.

A reset or a roll-over is no excursion: from there the register counts on, and comes back, if ever, in small steps.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from veldwatch.model.register_steps import Register, fastest

EXCURSION_READINGS = 12
"""An excursion has at most so many readings: half a day of hourly ones, three hours at a quarter of an hour."""

LEAP_SHARE = 20
"""Leaving and returning are leaps: twenty times what the register counted meanwhile, or moved by while away. So a
register that was reset and has counted its way back is none.

Measured: of 5,044 hourly readings of four homes, three stray ones leapt 12, 12,288 and 3,076 litres and returned to
within 0, 13 and 5 (DAIAD trial; 12,288 is two flipped bits).
"""


class Excursion(Enum):
    """Which way readings strayed."""

    DIP = "dip"
    SPIKE = "spike"


def find_excursions(times: Sequence[int], counts: Sequence[int], register: Register) -> dict[int, Excursion]:
    """Name the readings, by index, that are part of an excursion.

    Args:
        times: microseconds, ascending.
        counts: what the register showed then.
    """
    search = _Search(times, counts, register)
    i, most = 1, len(counts)
    while i < most:
        i = search.take(i)
    return search.found


@dataclass(slots=True)
class _Search:
    times: Sequence[int]
    counts: Sequence[int]
    register: Register
    found: dict[int, Excursion] = field(default_factory=dict[int, Excursion])
    last: int = 0
    """The last reading that is no part of an excursion."""

    def take(self, i: int) -> int:
        """Look at one reading; give the next to look at."""
        if self.counts[i] >= self.counts[self.last]:
            self.last = i
            return i + 1
        dip, spike = self._dip(i), self._spike(i)
        # The explanation that gives up fewer readings is the better one.
        if dip and (not spike or len(dip) <= len(spike)):
            self.found.update(dict.fromkeys(dip, Excursion.DIP))
            return i + len(dip)
        self.found.update(dict.fromkeys(spike, Excursion.SPIKE))
        self.last = i
        return i + 1

    def _dip(self, i: int) -> list[int]:
        """Give the readings from i on that lie below the last good one until one does not."""
        before = self.last
        end = min(len(self.counts), i + EXCURSION_READINGS + 1)
        after = next((j for j in range(i, end) if self.counts[j] >= self.counts[before]), None)
        if after is None or not self._lets_by(before, after):
            return []
        away = range(i, after)
        depth = self.counts[before] - max(self.counts[j] for j in away)
        leaps = self._is_impossible(after - 1, after) or self._is_leap(depth, away, before, after)
        return list(away) if leaps else []

    def _spike(self, i: int) -> list[int]:
        """Give the readings before i that lie above it, back to one that does not."""
        away: list[int] = []
        before = self.last
        while before >= 0 and (self.counts[before] > self.counts[i] or before in self.found):
            if before not in self.found:
                away.append(before)
            before -= 1
            if i - before > EXCURSION_READINGS + 1:
                return []
        if before < 0 or not away or not self._lets_by(before, i):
            return []
        height = min(self.counts[j] for j in away) - self.counts[i]
        # A register that shows next to nothing after a large figure was rather reset.
        may_be_reset = self.counts[i] * 10 <= max(self.counts[j] for j in away)
        leaps = self._is_impossible(before, away[-1]) or (not may_be_reset and self._is_leap(height, away, before, i))
        return away if leaps else []

    def _lets_by(self, before: int, after: int) -> bool:
        """Tell whether the register can have gone from one reading to the other as if nothing had been between."""
        exchanges, begin, end = self.register.exchanges, self.times[before], self.times[after]
        if exchanges and bisect_right(exchanges, begin) < bisect_right(exchanges, end):
            return False
        return self.register.per_hour is None or self.counts[after] - self.counts[before] <= fastest(
            self.register, end - begin
        )

    def _is_impossible(self, before: int, after: int) -> bool:
        """Tell whether a rise is more than can flow, or more than half of the register."""
        rise = self.counts[after] - self.counts[before]
        if self.register.modulus is not None and rise > self.register.modulus // 2:
            return True
        elapsed = self.times[after] - self.times[before]
        return self.register.per_hour is not None and rise > fastest(self.register, elapsed)

    def _is_leap(self, height: int, away: Sequence[int], before: int, after: int) -> bool:
        strayed = [self.counts[j] for j in away]
        moved = max(max(strayed) - min(strayed), self.counts[after] - self.counts[before])
        return height >= LEAP_SHARE * moved
