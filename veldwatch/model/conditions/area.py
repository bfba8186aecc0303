"""Conditions on what many devices of an area say together."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.inputs import Input


class Deviation(StrEnum):
    """To which side a value is to deviate from the others."""

    ABOVE = "above"
    BELOW = "below"
    BOTH = "both"


class Gathered(StrEnum):
    """What is compared of each device in a stretch of time."""

    MEAN = "mean"
    """The mean of its readings."""
    INCREASE = "increase"
    """By how much its register grew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a balance: which devices of the site, and which of their metrics.

    Attributes:
        of: a register counts volume or energy; a rate says how fast it flows.
    """

    metric: str
    profile: str | None = None
    tags: tuple[str, ...] = ()
    of: FlowKind = FlowKind.REGISTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """More goes into a site than its meters count: leakage, theft, a meter that stands still.

    What went in (inlets, less what went out by outlets) is compared with the sum of the meters at the site and below
    it, a stretch of time at a time. Of `above` and `share` at least one is given; both: both must be exceeded.

    Source: IWA water balance (Lambert and Hirner 2000): losses are system input volume less authorised consumption; for
    electricity the same at a feeder or transformer.

    Attributes:
        sites: kind of the sites that are balanced; None: every site at which there is an inlet.
        unit: of volume or energy, a UCUM code; all sides are converted to it.
        above: the loss in a stretch, in `unit`.
        share: the loss as a share of what went in, 0 to 1.
        every: length of a stretch.
        wait: how long after a stretch the readings of meters are waited for.
        within: a register's reading older than this says nothing of an edge between stretches.
        coverage: so large a share of the meters must be known; the others are taken to use as much as the mean.
    """

    INPUT: ClassVar[Input] = Input.BUCKETS
    OWN_TIME: ClassVar[str | None] = None

    inlets: Side
    meters: Side
    outlets: Side | None = None
    sites: str | None = None
    unit: str = "m3"
    above: float | None = None
    share: float | None = None
    every: timedelta = timedelta(days=1)
    wait: timedelta = timedelta(hours=2)
    within: timedelta = timedelta(hours=6)
    coverage: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """A device that says something else than the others of its group: it drifts, sticks, or sees what they do not.

    Source: the median and the median absolute deviation as location and scale: Rousseeuw and Croux 1993; buddy check of
    quality control of meteorological data (WMO-No. 305).

    Attributes:
        sites: devices below one site of this kind are a group; None: those at the same site.
        deviation: in robust standard deviations of the group (1.4826 x its median absolute deviation).
        minimum: a deviation in the metric's unit that is none, however alike the others are, n > 0.
        at_least: so many devices must be known, n ≥ 4: with fewer one cannot say who is wrong.
    """

    INPUT: ClassVar[Input] = Input.BUCKETS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    minimum: float
    deviation: float = 6.0
    side: Deviation = Deviation.BOTH
    of: Gathered = Gathered.MEAN
    sites: str | None = None
    at_least: int = 4
    every: timedelta = timedelta(hours=1)
    wait: timedelta = timedelta(minutes=15)
    within: timedelta = timedelta(hours=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proximity:
    """Two trackers near each other: a lion at a herd of cattle, a ranger at a poacher's vehicle, animals that meet.

    Source: EarthRanger's subject proximity analyser: 100 m within an hour.

    Attributes:
        to_profile: the others: trackers of the same organisation with this profile,
        to_tags: and all of these tags. Neither: the others that the rule selects; each pair is told once.
        within: two fixes further apart in time say nothing of how near two trackers came.
        every: how often it is looked at.
    """

    INPUT: ClassVar[Input] = Input.BUCKETS
    OWN_TIME: ClassVar[str | None] = None

    distance_metres: float = 100.0
    to_profile: str | None = None
    to_tags: tuple[str, ...] = ()
    within: timedelta = timedelta(hours=1)
    every: timedelta = timedelta(minutes=15)
    wait: timedelta = timedelta(minutes=5)
