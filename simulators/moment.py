"""Simulated time in steps: whole milliseconds since 1970, UTC, on a grid that starts there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """The end of a step, to which a system is advanced.

    Attributes:
        at: milliseconds since 1970, UTC.
        step: the step's length in milliseconds.
        utc_offset: of the scenario's local time, in milliseconds.
    """

    at: int
    step: int
    utc_offset: int = 0

    @property
    def number(self) -> int:
        """Return the step's place on the grid: what draws are numbered by."""
        return self.at // self.step

    @property
    def seconds(self) -> float:
        """Return the step's length."""
        return self.step / 1000

    @property
    def at_seconds(self) -> float:
        """Return the moment in seconds since 1970, UTC."""
        return self.at / 1000

    @cached_property
    def local(self) -> datetime:
        """Return the local date and time."""
        return from_milliseconds(self.at + self.utc_offset)

    @property
    def hour(self) -> float:
        """Return the hour of the local day, 0 to 24."""
        return ((self.at + self.utc_offset) % 86_400_000) / 3_600_000

    @property
    def is_weekend(self) -> bool:
        """Say whether the local day is a Saturday or Sunday."""
        return self.local.weekday() >= 5  # Monday is 0

    @property
    def day_of_year(self) -> int:
        """Return the local day, 1 to 366."""
        return self.local.timetuple().tm_yday


def to_milliseconds(at: datetime) -> int:
    """Turn an aware time into milliseconds since 1970, rounded down."""
    return (at - _EPOCH) // _MILLISECOND


def from_milliseconds(at: int) -> datetime:
    """Turn milliseconds since 1970 into an aware time."""
    return _EPOCH + at * _MILLISECOND
