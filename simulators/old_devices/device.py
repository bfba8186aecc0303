"""What every simulated device can do, and the world that it stands in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from simulators.reports import Report, State


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all devices of a run share.

    Attributes:
        seed: same seed, same bytes.
        utc_offset: local time, for daily rhythms.
    """

    seed: int
    utc_offset: timedelta


class Device(Protocol):
    """A clean device: moves through time, and says what it measures."""

    def advance(self, since: datetime, until: datetime) -> None:
        """Let time pass."""
        ...

    def report(self, at: datetime) -> Report:
        """Say what is measured at the moment that `advance` came to."""
        ...

    def state(self) -> State:
        """Give what a restart must know."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        ...
