"""Conditions that learn what is usual from a series' own past, and tell what is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, NamedTuple

from veldwatch.model.conditions.inputs import Input


class Season(StrEnum):
    """By what the usual differs."""

    NONE = "none"
    HOUR_OF_DAY = "hour_of_day"
    HOUR_OF_WEEK = "hour_of_week"


class Side(StrEnum):
    """Which way from the usual is told."""

    ABOVE = "above"
    BELOW = "below"
    BOTH = "both"


class Spans(NamedTuple):
    """How long is remembered, and how long must be learnt before anything is told."""

    window: timedelta
    learn_for: timedelta


BY_SEASON: Mapping[Season, Spans] = {
    Season.NONE: Spans(timedelta(days=7), timedelta(days=3)),
    Season.HOUR_OF_DAY: Spans(timedelta(days=14), timedelta(days=5)),
    Season.HOUR_OF_WEEK: Spans(timedelta(days=56), timedelta(days=21)),
}
"""What holds where a rule does not say. Of a season, at least three rounds are learnt: one round gives a level, the
second a first distance from it, the third something to hold that against."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """How the usual is learnt.

    Attributes:
        season: the level and the spread are learnt for each hour of it.
        time_zone: IANA name; whose hours.
        window: how far back the past counts; None: by the season.
        learn_for: nothing is told before so much of the past is known; None: by the season.
        over: readings of this long are taken together (their interquartile mean); 0: each reading by itself.
        relearn_after: what is unusual for this long is the new usual, and is learnt from the start; None: the window.
        max_gap: a gap longer than this breaks what has not lasted long enough yet.
    """

    season: Season = Season.NONE
    time_zone: str = "UTC"
    window: timedelta | None = None
    learn_for: timedelta | None = None
    over: timedelta = timedelta(0)
    relearn_after: timedelta | None = None
    max_gap: timedelta = timedelta(hours=6)

    def spans(self) -> Spans:
        """Tell how long is remembered and learnt."""
        usual = BY_SEASON[self.season]
        return Spans(self.window or usual.window, self.learn_for or usual.learn_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(Learning):
    """A series that is not as it usually is.

    Attributes:
        limit: how many times the usual spread a reading must be off, n > 0.
        min_deviation: and at least this much, in the metric's unit.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    limit: float = 3.0
    side: Side = Side.BOTH
    min_deviation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JointBaseline(Learning):
    """Several series of one device that, taken together, are not as they usually are.

    Attributes:
        metrics: two or more.
        strongest: so many of the largest scores are averaged, n ≥ 1.
        limit: of that average.
    """

    INPUT: ClassVar[Input] = Input.SAMPLES
    OWN_TIME: ClassVar[str | None] = None

    metrics: tuple[str, ...]
    strongest: int = 3
    limit: float = 2.5
