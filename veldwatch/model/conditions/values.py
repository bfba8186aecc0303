"""Conditions on the values of one series."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.inputs import Input

DEFAULT_GAP = timedelta(hours=2)
"""Readings further apart are not compared: as runs of continuous flow, which they break."""


class Change(StrEnum):
    """What of a window is looked at."""

    INCREASE = "increase"
    """What a register counted: its falls (noise, reset, exchange) are told apart, and it is never negative."""
    RANGE = "range"
    """Highest minus lowest value."""
    DIFFERENCE = "difference"
    """Last minus first value: below 0 where it fell."""


class Occurrence(StrEnum):
    """What is counted."""

    READINGS = "readings"
    """Each reading beyond the limit."""
    EXCURSIONS = "excursions"
    """Each time that the value goes beyond the limit, having been back."""


class Direction(StrEnum):
    """To which side a value stands out."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A value beyond a limit: it counts from that reading to the next.

    Exactly one of `above`, `below` and `outside` is given.

    Attributes:
        outside: lower and upper limit; values on a limit are inside.
        dead_band: how far back inside a value must come to end it, in the metric's unit, n ≥ 0.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateOfChange:
    """A value that rises or falls too fast: the difference quotient of a reading and an earlier one.

    Exactly one of `above`, `below` and `outside` is given, in the metric's unit per `per`; falling is below 0.

    Attributes:
        apart: two readings that are compared are at least so far apart, so that noise between neighbours is no rate.
        max_gap: and at most so far, so that nothing is said of a gap.
        of: a register's fall begins anew.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0
    per: timedelta = timedelta(hours=1)
    apart: timedelta = timedelta(0)
    max_gap: timedelta = DEFAULT_GAP
    of: FlowKind = FlowKind.RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """How much a value changed within the `window` before each reading.

    Exactly one of `above`, `below` and `outside` is given, in the metric's unit. What surely happened within the window
    is judged against an upper limit, what can have happened at most against a lower one.

    Attributes:
        min_coverage: share of the window, 0 to 1, that readings must cover before it is judged by what may be missing
            from them (a lower limit, or a difference).
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    window: timedelta
    of: Change
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0
    min_coverage: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A value that goes beyond a limit again and again: so many times within a window.

    Attributes:
        count: n ≥ 2.
        dead_band: how far back inside a value must come before the next excursion counts.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = "window"

    metric: str
    count: int
    window: timedelta
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0
    of: Occurrence = Occurrence.EXCURSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A value that does not change: a sensor that is stuck, frozen or fouled.

    Attributes:
        tolerance: all values lie within so much of each other, in the metric's unit, n ≥ 0.
        at_least: so many readings must show it, n ≥ 2.
        max_gap: readings further apart prove nothing about the time between; None: half of `duration`.
        within: only values within these limits count, both included,
        outside: or only those outside of them, so that a quiet night or a zero is no stuck sensor.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = "duration"

    metric: str
    duration: timedelta
    tolerance: float = 0.0
    at_least: int = 6
    max_gap: timedelta | None = None
    within: tuple[float, float] | None = None
    outside: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One reading that stands out from both of its neighbours, which a step or a slope does not.

    Attributes:
        above: by more than this from the nearer of them, in the metric's unit, n > 0.
        max_gap: neighbours further away are none.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = "max_gap"

    metric: str
    above: float
    direction: Direction = Direction.BOTH
    max_gap: timedelta = DEFAULT_GAP
