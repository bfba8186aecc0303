"""What is usual of one series, learnt as it goes with bounded memory: a level, and a spread around it.

The spread is not that of single readings but the *usual largest deviation*: how far from the level a series gets in a
stretch of time, as a rule. A series that wanders, has steps or spikes every day has a large one, a calm one a small
one; so one limit, in multiples of it, fits them all, and many readings do not mean more false alarms.

Without a season the window is cut into 24 stretches, each kept as its interquartile mean and its largest deviation;
the level is the median of the means, the spread the 0.8 quantile of the largest deviations. With a season each hour of
the day or week has a level and a spread, smoothed exponentially, where what is far off is pulled in first.

Source: medians and quantiles rather than mean and variance, as half (a fifth) of what is learnt may be wrong:
Rousseeuw & Croux 1993, J. Am. Stat. Assoc. 88:1273. Largest deviations of blocks: block maxima, as in Siffer et al.
2017, Anomaly detection in streams with extreme value theory, KDD. Smoothing with pulled-in deviations: Gelper, Fried &
Croux 2010, Robust forecasting with exponential and Holt-Winters smoothing, J. Forecasting 29:285. Interquartile mean,
since it is as deaf to single outliers as a median, and is not stuck on the steps of a coarse sensor.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import add
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.conditions.span import Instant
from rules.instants import to_span
from veldwatch.model.conditions.usual import Learning, Season

STRETCHES = 24
QUANTILE = 0.8
SLOTS = 32
"""At most so many means stand for the readings of a stretch, or of `over`."""
FAR = 3.0
"""A deviation of an hour counts for no more than this many times what is usual then."""
ROUNDS_TO_TRUST = 2
"""So many rounds' worth of the spread of all hours is mixed into that of one hour."""
HOUR = 3_600_000_000
_DAY = 24 * HOUR
BEYOND_ALL = 1000.0
"""The score of any deviation from what has never moved."""

Slots = tuple[tuple[Instant, float, int], ...]
"""Readings taken together: slot number, their sum, how many."""


class Stretch(NamedTuple):
    """What is being learnt now.

    Attributes:
        number: which stretch, or hour, of time it is.
        furthest: the largest deviation in it.
    """

    number: int
    slots: Slots
    furthest: float


class Hour(NamedTuple):
    """What is usual in an hour of the season.

    Attributes:
        spread: None: not known yet.
        rounds: how often it was seen.
    """

    level: float
    spread: float | None
    rounds: int


class Usual(NamedTuple):
    """What was learnt.

    Attributes:
        first: the first reading that was learnt.
        recent: the readings of `over`, less their level.
        last: the last value that was learnt.
        step: the smallest step between two values after one another; None: it never moved.
        stretches: without a season: level and largest deviation of each, oldest first.
        hours: with a season, by hour.
    """

    first: Instant | None = None
    recent: Slots = ()
    stretch: Stretch | None = None
    last: float | None = None
    step: float | None = None
    stretches: tuple[tuple[float, float], ...] = ()
    hours: tuple[Hour | None, ...] = ()


class Score(NamedTuple):
    """How unusual something is.

    Attributes:
        deviation: from the level, in the metric's unit.
        times: the usual spread; 0 while nothing is known.
    """

    deviation: float
    times: float


UNKNOWN = Score(0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Judges readings by what was learnt, and learns from them."""

    season: Season
    zone: ZoneInfo
    window: Instant
    learn_for: Instant
    over: Instant

    @property
    def pulls_in(self) -> bool:
        """Tell whether what is unusual may be learnt too, as what is far off counts for little."""
        return self.season is not Season.NONE

    def initial(self) -> Usual:
        """Know nothing."""
        length = {Season.NONE: 0, Season.HOUR_OF_DAY: 24, Season.HOUR_OF_WEEK: 168}[self.season]
        return Usual(hours=(None,) * length)

    def look(self, usual: Usual, at: Instant, value: float) -> tuple[Usual, Score]:
        """Judge a reading, later than all before, by what came before it."""
        level, spread = self.expected(usual, at)
        if level is None:
            return usual._replace(recent=()), UNKNOWN
        recent = self._together(usual.recent, at, value - level if self.season is not Season.NONE else value)
        mean = _midmean(recent)
        deviation = mean if self.season is not Season.NONE else mean - level
        usual = usual._replace(recent=recent)
        if spread is None or usual.first is None or at - usual.first < self.learn_for:
            return usual, Score(deviation, 0.0)
        # A mean of n readings cannot be told from the level within a step of the sensor over the root of n.
        least = max(spread, 0.0 if usual.step is None else usual.step / len(recent) ** 0.5)
        return usual, Score(deviation, _times(deviation, least))

    def learn(self, usual: Usual, at: Instant, value: float, deviation: float) -> Usual:
        """Take a reading into what is usual."""
        number = self._number(at)
        stretch = usual.stretch
        if stretch is not None and stretch.number != number:
            usual = self._closed(usual, stretch)
            stretch = None
        width = max((self.window // STRETCHES if self.season is Season.NONE else HOUR) // SLOTS, 1)
        slots = _put(() if stretch is None else stretch.slots, at // width, value)[-SLOTS:]
        furthest = max(abs(deviation), 0.0 if stretch is None else stretch.furthest)
        return usual._replace(
            first=at if usual.first is None else usual.first,
            stretch=Stretch(number, slots, furthest),
            last=value,
            step=_smaller(usual.step, 0.0 if usual.last is None else abs(value - usual.last)),
        )

    def expected(self, usual: Usual, at: Instant) -> tuple[float | None, float | None]:
        """Give level and spread at a time; None: not known."""
        if self.season is Season.NONE:
            if not usual.stretches:
                return None, None
            level = _quantile([level for level, _ in usual.stretches], 0.5)
            # The first stretch had no level to deviate from.
            furthest = [far for _, far in usual.stretches[1:]]
            return level, _quantile(furthest, QUANTILE) if len(furthest) > 1 else None
        hour = usual.hours[self._number(at) % len(usual.hours)]
        if hour is None:
            return None, None
        known = [one.spread for one in usual.hours if one is not None and one.spread is not None]
        if not known or hour.spread is None:
            return hour.level, None
        rounds = hour.rounds - 1
        shared = _quantile(known, 0.5)
        return hour.level, (rounds * hour.spread + ROUNDS_TO_TRUST * shared) / (rounds + ROUNDS_TO_TRUST)

    def _closed(self, usual: Usual, stretch: Stretch) -> Usual:
        level = _midmean(stretch.slots)
        if self.season is Season.NONE:
            return usual._replace(stretches=(*usual.stretches, (level, stretch.furthest))[-STRETCHES:])
        hours = list(usual.hours)
        index = stretch.number % len(hours)
        before = hours[index]
        hours[index] = Hour(level, None, 1) if before is None else self._smoothed(before, level, stretch.furthest)
        return usual._replace(hours=tuple(hours))

    def _smoothed(self, hour: Hour, level: float, furthest: float) -> Hour:
        most = max(self.window // (len(self.initial().hours) * HOUR), 1)
        share = 1 / min(hour.rounds + 1, most)
        off = level - hour.level
        if hour.spread:
            off = min(max(off, -FAR * hour.spread), FAR * hour.spread)
            furthest = min(furthest, FAR * hour.spread)
        spread = furthest if hour.spread is None else hour.spread + share * (furthest - hour.spread)
        return Hour(hour.level + share * off, spread, min(hour.rounds + 1, most))

    def _number(self, at: Instant) -> int:
        """Number stretches, or hours by the clock on the wall."""
        if self.season is Season.NONE:
            return at // max(self.window // STRETCHES, 1)
        offset = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(self.zone).utcoffset()
        return (at + (to_span(offset) if offset else 0)) // HOUR

    def _together(self, recent: Slots, at: Instant, value: float) -> Slots:
        if not self.over:
            return ((0, value, 1),)
        width = max(self.over // SLOTS, 1)
        return tuple(slot for slot in _put(recent, at // width, value) if slot[0] * width > at - self.over)


def make_learner(learning: Learning) -> Learner:
    """Make the learner of a definition."""
    return Learner(
        season=learning.season,
        zone=ZoneInfo(learning.time_zone),
        window=to_span(learning.spans().window),
        learn_for=to_span(learning.spans().learn_for),
        over=to_span(learning.over),
    )


def load_usual(document: Sequence[Any]) -> Usual:
    """Read back what JSON made of it."""
    first, recent, stretch, last, step, stretches, hours = document
    return Usual(
        first,
        _load_slots(recent),
        None if stretch is None else Stretch(stretch[0], _load_slots(stretch[1]), stretch[2]),
        last,
        step,
        tuple((level, far) for level, far in stretches),
        tuple(None if hour is None else Hour(*hour) for hour in hours),
    )


def _load_slots(document: Sequence[Any]) -> Slots:
    return tuple((slot, total, count) for slot, total, count in document)


def _put(slots: Slots, slot: int, value: float) -> Slots:
    if slots and slots[-1][0] == slot:
        return (*slots[:-1], (slot, slots[-1][1] + value, slots[-1][2] + 1))
    return (*slots, (slot, value, 1))


def _midmean(slots: Slots) -> float:
    """Give the mean of the middle half."""
    means = sorted(total / count for _, total, count in slots)
    cut = len(means) // 4
    middle = means[cut : len(means) - cut]
    # One after the other, as `rules.screening.learning` does it; `sum` corrects its rounding from Python 3.12 on.
    return reduce(add, middle) / len(middle)


def _quantile(values: Sequence[float], share: float) -> float:
    """Give a quantile, interpolated between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _times(deviation: float, spread: float) -> float:
    if spread <= abs(deviation) / BEYOND_ALL:
        return 0.0 if deviation == 0 else BEYOND_ALL if deviation > 0 else -BEYOND_ALL
    return deviation / spread


def _smaller(step: float | None, other: float) -> float | None:
    if other <= 0:
        return step
    return other if step is None else min(step, other)
