"""Conditions on what flows: water or energy, by a register or a rate."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input


class FlowKind(StrEnum):
    """What a reading of a continuous-flow condition is."""

    REGISTER = "register"
    """A counter: a reading shows flow when it is more than `minimum` above the one before."""
    RATE = "rate"
    """A gauge: a reading shows flow when it is above `minimum`."""


class Beginning(StrEnum):
    """Which runs a continuous-flow condition reports."""

    SEEN = "seen"
    """Only runs whose beginning lies in the readings: something before them shows no flow, or a gap."""
    UNSEEN = "unseen"
    """Only a run that was under way at the first reading ever."""
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousFlow:
    """Flow that never stops: a leak, a running tap, a stuck valve.

    A run begins at the first reading that shows flow, goes on while every next reading does and comes within
    `max_gap`, and ends at the last such reading; it counts when end minus beginning is `duration` or more.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = "duration"

    metric: str
    duration: timedelta
    max_gap: timedelta = timedelta(hours=2)
    of: FlowKind = FlowKind.REGISTER
    minimum: float = 0.0
    beginning: Beginning = Beginning.SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class NightFlow:
    """Minimum night flow: what still flows when nearly nobody draws is mostly leakage.

    A night's flow is the lowest mean over an hour between two times of day. It is too much when it exceeds `above`, or
    its own usual by both `share` and `at_least`; whichever of the two limits are given.

    Attributes:
        since, until: times of day, HH:MM by the clock of `time_zone`; until before since: past midnight.
        above: limit, in the metric's unit, of a register per hour; None: none.
        share: of the usual flow, n > 0; None: not compared with the usual.
        at_least: unit as of `above`.
        nights: the usual is the median of so many nights before.
        learn_nights: nothing is compared with the usual of fewer nights.
        for_nights: so many nights one after another must be too much.
        relearn_nights: what is too much for so long is the new usual.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = "lasting"

    metric: str
    of: FlowKind = FlowKind.RATE
    since: str = "02:00"
    until: str = "04:00"
    time_zone: str = "UTC"
    above: float | None = None
    share: float | None = None
    at_least: float = 0.0
    nights: int = 14
    learn_nights: int = 7
    for_nights: int = 2
    relearn_nights: int = 60

    @property
    def lasting(self) -> timedelta:
        """Give how long it lasts before it fires."""
        return timedelta(days=self.for_nights)
