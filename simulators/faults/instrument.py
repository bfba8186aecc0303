"""What an instrument's fault is: a wrapper around one device's reports."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from simulators.chance import Chance
from simulators.moment import Moment
from simulators.report import Metric, Name, Report
from simulators.scenario import DevicePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """The device that a fault wraps.

    Attributes:
        chance: draws of this fault at this device; arrays of one.
    """

    name: Name
    plan: DevicePlan
    metrics: tuple[Metric, ...]
    chance: Chance
    parameters: Mapping[str, float]


class InstrumentFault(Protocol):
    """Changes one device's reports; it sees each in order, also after its end while it leaves something behind."""

    def change(self, report: Report, moment: Moment) -> Report | None:
        """Change a report; None: nothing is sent."""
        ...

    def end(self) -> None:
        """Stop; what it leaves behind (a register that counted less) stays."""
        ...

    @property
    def is_over(self) -> bool:
        """Say whether it has ended and leaves nothing behind."""
        ...

    def state(self) -> dict[str, float]:
        """Give what a restart must know."""
        ...

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        ...
