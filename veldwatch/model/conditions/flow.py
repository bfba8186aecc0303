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
