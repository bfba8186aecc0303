"""Signals: small seeded objects whose value depends on time alone.

So a device can be asked for any moment, in steps of any size, and answers the same: a restart continues where the last
run stopped, and a chart's history and its live end agree. After the distributions of timescale/tsbs, which are
advanced step by step instead.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache


def seeded(seed: int, *where: object) -> random.Random:
    """Make the random numbers of one place: a device, a purpose, a moment."""
    return random.Random(":".join(str(part) for part in (seed, *where)))  # noqa: S311  # simulation, not secrets


@lru_cache(maxsize=65536)
def _uniform(seed: int, name: str, slot: int) -> float:
    return seeded(seed, name, slot).random()


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Smooth noise between 0 and 1: uniform draws at the ends of each period, joined by an s-curve."""

    seed: int
    name: str
    period_seconds: float

    def value(self, at: datetime) -> float:
        """Return the noise at a moment."""
        slot, fraction = divmod(at.timestamp() / self.period_seconds, 1.0)
        smooth = fraction * fraction * (3 - 2 * fraction)
        left, right = (_uniform(self.seed, self.name, int(slot) + step) for step in (0, 1))
        return left + (right - left) * smooth


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyShape:
    """A value for each hour of the local day, joined by straight lines.

    Attributes:
        hours: 24 values, the first at midnight.
    """

    hours: tuple[float, ...]
    utc_offset: timedelta

    def value(self, at: datetime) -> float:
        """Return the value at a moment."""
        hour, fraction = divmod(local_hour(at, self.utc_offset), 1.0)
        left, right = self.hours[int(hour) % 24], self.hours[(int(hour) + 1) % 24]
        return left + (right - left) * fraction


def local_hour(at: datetime, utc_offset: timedelta) -> float:
    """Return the hour of the local day, 0 to 24."""
    return ((at.timestamp() + utc_offset.total_seconds()) % 86400) / 3600


def steps(since: datetime, until: datetime, longest: timedelta) -> list[tuple[datetime, float]]:
    """Cut a span into steps that are short enough to integrate over: (middle, seconds), oldest first."""
    count = max(1, -(-(until - since) // longest))
    seconds = (until - since).total_seconds() / count
    return (
        [(since + timedelta(seconds=(number + 0.5) * seconds), seconds) for number in range(count)] if seconds else []
    )
