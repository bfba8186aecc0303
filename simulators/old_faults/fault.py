"""What every fault can do: begin, change reports, end, and perhaps leave something behind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from simulators.reports import Report, State

Parameters = Mapping[str, float]


class Fault(Protocol):
    """A wrapper around a clean device's reports; without having begun it changes nothing."""

    active: bool

    def begin(self, parameters: Parameters) -> None:
        """Start with the next report; while it lasts, a second beginning changes nothing."""
        ...

    def end(self) -> None:
        """Stop; what it leaves behind (a register that counted more, an animal far away) stays or fades."""
        ...

    def apply(self, report: Report, since: datetime, until: datetime) -> Report | None:
        """Change the report of a moment, given the moment before; None: nothing is sent."""
        ...

    def state(self) -> State:
        """Give what a restart must know."""
        ...

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        ...
