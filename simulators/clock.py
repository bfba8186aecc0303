"""Simulated time: real, or faster until it has caught up with the present; never ahead of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedClock:
    """Tells simulated from wall time.

    Attributes:
        started_at: wall time of the start.
        begins_at: simulated time of the start, at or before `started_at`.
        speed: simulated seconds in a second.
    """

    started_at: datetime
    begins_at: datetime
    speed: float

    def now(self, wall: datetime) -> datetime:
        """Return the simulated time at a wall time."""
        return min(wall, self.begins_at + (wall - self.started_at) * self.speed)
