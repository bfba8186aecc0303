"""Learning what is usual of many series at once: `rules.conditions.usual`, number for number.

Each sum is made in the order in which the fold makes it, so that what is learnt is the same to the last bit.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rules.conditions.usual import (
    BEYOND_ALL,
    FAR,
    HOUR,
    QUANTILE,
    ROUNDS_TO_TRUST,
    SLOTS,
    STRETCHES,
    Hour,
    Learner,
    Stretch,
    Usual,
)
from rules.screening.local_times import LocalTimes
from rules.screening.table import NONE, Floats, Instants, Mask, Slots, places
from veldwatch.model.conditions.usual import Season

_ROOM = SLOTS + 2
_NO_HOUR = (np.nan, np.nan, 0)
_ROOTS = np.array([max(count, 1) ** 0.5 for count in range(_ROOM + 1)])


class Bins(NamedTuple):
    """Readings taken together, oldest at the left: numbers, sums, how many, n x k; and how many bins there are."""

    number: Slots
    total: Floats
    readings: Slots
    length: Slots


class Looked(NamedTuple):
    """What readings were judged to be.

    Attributes:
        number: of the stretch or hour that each is of.
        known: whether all of this is.
    """

    recent: Bins
    deviation: Floats
    times: Floats
    number: Slots
    known: Mask


class _Binned:
    """Bins of many folds."""

    def __init__(self, length: int) -> None:
        self._bins = Bins(
            np.zeros((length, _ROOM), np.int64),
            np.zeros((length, _ROOM)),
            np.zeros((length, _ROOM), np.int64),
            np.zeros(length, np.int64),
        )

    def hold(self, slot: int, bins: Sequence[tuple[int, float, int]]) -> bool:
        self._bins.length[slot] = len(bins)
        if bins:
            for column, values in zip(self._bins[:3], zip(*bins, strict=True), strict=True):
                column[slot, : len(bins)] = values
        return len(bins) < _ROOM

    def bins(self, slot: int) -> tuple[tuple[int, float, int], ...]:
        count = self._bins.length[slot]
        return tuple(zip(*(column[slot, :count].tolist() for column in self._bins[:3]), strict=True))

    def of(self, slots: Slots) -> Bins:
        """Give the bins of some folds, as wide as is needed and one more."""
        length = self._bins.length[slots]
        width = min(int(length.max(initial=0)) + 1, _ROOM)
        number, total, readings, _ = self._bins
        return Bins(number[slots, :width], total[slots, :width], readings[slots, :width], length)

    def put(self, slots: Slots, bins: Bins) -> None:
        width = bins.number.shape[1]
        for column, new in zip(self._bins[:3], bins[:3], strict=True):
            column[slots, :width] = new
        self._bins.length[slots] = bins.length


class Learners:
    """What is usual of many series."""

    def __init__(self, learners: Sequence[Learner]) -> None:
        length = len(learners)
        lengths = [len(learner.initial().hours) for learner in learners]
        self._is_seasonal = np.array([learner.season is not Season.NONE for learner in learners], bool)
        self._window = np.array([learner.window for learner in learners], np.int64)
        self._learn_for = np.array([learner.learn_for for learner in learners], np.int64)
        self._over = np.array([learner.over for learner in learners], np.int64)
        self._hours = np.array(lengths, np.int64)
        self._stretch = np.maximum(self._window // STRETCHES, 1)
        whole = np.where(self._is_seasonal, HOUR, self._window // STRETCHES)
        self._bin = np.maximum(whole // SLOTS, 1)
        self._recent_bin = np.maximum(self._over // SLOTS, 1)
        self._most = np.maximum(self._window // np.maximum(self._hours * HOUR, 1), 1)
        self._times = LocalTimes([learner.zone for learner in learners])
        self._first, self._number = (np.full(length, NONE) for _ in range(2))
        self._recent, self._bins = _Binned(length), _Binned(length)
        self._furthest, self._last = np.zeros(length), np.zeros(length)
        self._step = np.full(length, np.nan)
        # Of whom stretches or hours were learnt here, and of whom it was not worked out yet what follows from them.
        self._closed, self._stale = (np.zeros(length, bool) for _ in range(2))
        self._stretches = np.zeros((length, STRETCHES, 2))
        self._count = np.zeros(length, np.int64)
        most = max(lengths, default=0)
        self._hour_level, self._hour_spread = (np.full((length, most), np.nan) for _ in range(2))
        self._rounds = np.zeros((length, most), np.int64)
        # What follows from stretches or hours, and changes only with them.
        self._level, self._spread = (np.full(length, np.nan) for _ in range(2))

    def hold(self, slot: int, usual: Usual) -> bool:
        """Take up what is usual, once something was learnt."""
        if usual.first is None or usual.last is None or usual.stretch is None:
            return False
        self._first[slot], self._last[slot] = usual.first, usual.last
        self._step[slot] = np.nan if usual.step is None else usual.step
        self._number[slot], self._furthest[slot] = usual.stretch.number, usual.stretch.furthest
        self._count[slot] = len(usual.stretches)
        if usual.stretches:
            self._stretches[slot, : len(usual.stretches)] = usual.stretches
        if usual.hours:
            hours = np.array([_NO_HOUR if hour is None else hour for hour in usual.hours], np.float64)
            count = len(hours)
            self._hour_level[slot, :count], self._hour_spread[slot, :count] = hours[:, 0], hours[:, 1]
            self._rounds[slot, :count] = hours[:, 2]
        self._closed[slot], self._stale[slot] = False, True
        return self._recent.hold(slot, usual.recent) and self._bins.hold(slot, usual.stretch.slots)

    def usual(self, slot: int, usual: Usual) -> Usual:
        """Put together again what is usual.

        Args:
            usual: what was held.
        """
        step = float(self._step[slot])
        learnt = usual._replace(
            first=int(self._first[slot]),
            recent=self._recent.bins(slot),
            stretch=Stretch(int(self._number[slot]), self._bins.bins(slot), float(self._furthest[slot])),
            last=float(self._last[slot]),
            step=None if np.isnan(step) else step,
        )
        if not self._closed[slot]:
            return learnt
        stretches = self._stretches[slot, : self._count[slot]].tolist()
        return learnt._replace(stretches=tuple((level, far) for level, far in stretches), hours=self._hours_of(slot))

    def look(self, slots: Slots, at: Instants, value: Floats) -> Looked:
        """Judge readings by what came before them."""
        number, known = self._numbers(slots, at)
        level, spread = self._expected(slots, number)
        seasonal = self._is_seasonal[slots]
        told = ~np.isnan(level)
        recent = self._together(slots, at, np.where(seasonal, value - level, value), told)
        middle = _midmeans(recent)
        deviation = np.where(told, np.where(seasonal, middle, middle - level), 0.0)
        ready = told & ~np.isnan(spread) & (at - self._first[slots] >= self._learn_for[slots])
        step = self._step[slots] / _ROOTS[recent.length]
        least = np.where(step > spread, step, spread)
        return Looked(recent, deviation, np.where(ready, _times(deviation, least), 0.0), number, known)

    def learn(self, slots: Slots, at: Instants, value: Floats, looked: Looked) -> None:
        """Take readings into what is usual, just as they were looked at."""
        self._recent.put(slots, looked.recent)
        over = looked.number != self._number[slots]
        if over.any():
            self._close(slots[over])
        self._number[slots] = looked.number
        bins = self._bins.of(slots)
        bins = bins._replace(length=np.where(over, 0, bins.length))
        self._bins.put(slots, _last(_put(bins, at // self._bin[slots], value), SLOTS))
        far = np.abs(looked.deviation)
        # As `max` in the fold: of a number and none the number.
        self._furthest[slots] = np.maximum(far, np.where(over, 0.0, self._furthest[slots]))
        moved = np.abs(value - self._last[slots])
        step = self._step[slots]
        self._step[slots] = np.where((moved > 0) & ~(step <= moved), moved, step)
        self._last[slots] = value

    def _numbers(self, slots: Slots, at: Instants) -> tuple[Slots, Mask]:
        local, known = self._times.local(slots, at)
        seasonal = self._is_seasonal[slots]
        return np.where(seasonal, local // HOUR, at // self._stretch[slots]), known | ~seasonal

    def _expected(self, slots: Slots, number: Slots) -> tuple[Floats, Floats]:
        """Give level and spread; NaN where it is not known."""
        stale = slots[self._stale[slots]]
        if len(stale):
            self._expect(stale)
            self._stale[stale] = False
        level, spread = self._level[slots], self._spread[slots]
        rows = np.flatnonzero(self._is_seasonal[slots])
        if len(rows):
            own = slots[rows]
            hour = number[rows] % self._hours[own]
            level[rows], one = self._hour_level[own, hour], self._hour_spread[own, hour]
            rounds = self._rounds[own, hour] - 1
            spread[rows] = (rounds * one + ROUNDS_TO_TRUST * spread[rows]) / (rounds + ROUNDS_TO_TRUST)
        return level, spread

    def _together(self, slots: Slots, at: Instants, value: Floats, told: Mask) -> Bins:
        """Put readings into the recent ones: all that are not older than `over`, or the reading alone."""
        alone = self._over[slots] == 0
        bins = self._recent.of(slots)
        bins = bins._replace(length=np.where(alone, 0, bins.length))
        width = self._recent_bin[slots]
        bins = _put(bins, np.where(alone, 0, at // width), value)
        # Of a reading alone the number of its bin says nothing.
        old = (places(bins.number.shape[1]) < bins.length[:, None]) & (
            bins.number * width[:, None] <= (at - self._over[slots])[:, None]
        )
        bins = _dropped(bins, np.where(alone, 0, old.sum(axis=1)))
        return bins._replace(length=np.where(told, bins.length, 0))

    def _close(self, slots: Slots) -> None:
        """Learn from stretches that are over."""
        level, furthest = _midmeans(self._bins.of(slots)), self._furthest[slots]
        self._closed[slots] = True
        seasonal = self._is_seasonal[slots]
        self._close_hours(slots[seasonal], level[seasonal], furthest[seasonal])
        own, new = slots[~seasonal], np.column_stack((level[~seasonal], furthest[~seasonal]))
        full = self._count[own] == STRETCHES
        self._stretches[own[full], :-1] = self._stretches[own[full], 1:]
        self._count[own[~full]] += 1
        self._stretches[own, self._count[own] - 1] = new
        self._stale[slots] = True

    def _close_hours(self, slots: Slots, level: Floats, furthest: Floats) -> None:
        hour = self._number[slots] % np.maximum(self._hours[slots], 1)
        before, spread, rounds = (array[slots, hour] for array in (self._hour_level, self._hour_spread, self._rounds))
        new, has_spread = np.isnan(before), ~np.isnan(spread)
        share = 1 / np.minimum(rounds + 1, self._most[slots])
        off = level - before
        pulled = has_spread & (spread != 0)
        off = np.where(pulled, np.minimum(np.maximum(off, -FAR * spread), FAR * spread), off)
        furthest = np.where(pulled, np.minimum(furthest, FAR * spread), furthest)
        smoothed = np.where(has_spread, spread + share * (furthest - spread), furthest)
        self._hour_level[slots, hour] = np.where(new, level, before + share * off)
        self._hour_spread[slots, hour] = np.where(new, np.nan, smoothed)
        self._rounds[slots, hour] = np.where(new, 1, np.minimum(rounds + 1, self._most[slots]))

    def _expect(self, slots: Slots) -> None:
        """Work out what follows from stretches, or from all hours together."""
        seasonal = self._is_seasonal[slots]
        own = slots[seasonal]
        if len(own):
            known = self._hour_spread[own]
            self._spread[own] = _quantiles(known, (~np.isnan(known)).sum(axis=1), 0.5)
        own = slots[~seasonal]
        if len(own):
            count = self._count[own]
            there = places(STRETCHES) < count[:, None]
            levels = np.where(there, self._stretches[own, :, 0], np.nan)
            self._level[own] = _quantiles(levels, count, 0.5)
            # The first stretch had no level to deviate from.
            furthest = np.where(there, self._stretches[own, :, 1], np.nan)[:, 1:]
            spread = _quantiles(furthest, np.maximum(count - 1, 0), QUANTILE)
            self._spread[own] = np.where(count > 2, spread, np.nan)

    def _hours_of(self, slot: int) -> tuple[Hour | None, ...]:
        count = self._hours[slot]
        columns = (array[slot, :count].tolist() for array in (self._hour_level, self._hour_spread, self._rounds))
        return tuple(
            None if not rounds else Hour(level, None if np.isnan(spread) else spread, rounds)
            for level, spread, rounds in zip(*columns, strict=True)
        )


def _put(bins: Bins, number: Slots, value: Floats) -> Bins:
    """Put values into the last bins where those have the number, else into new ones; there is room."""
    rows, last = np.arange(len(number)), np.maximum(bins.length - 1, 0)
    same = (bins.length > 0) & (bins.number[rows, last] == number)
    place = np.where(same, last, bins.length)
    bins.total[rows, place] = np.where(same, bins.total[rows, place] + value, value)
    bins.readings[rows, place] = np.where(same, bins.readings[rows, place] + 1, 1)
    bins.number[rows, place] = number
    return bins._replace(length=place + 1)


def _dropped(bins: Bins, dropped: Slots) -> Bins:
    """Leave the first bins out."""
    if not dropped.any():
        return bins
    width = bins.number.shape[1]
    kept = np.minimum(places(width) + dropped[:, None], width - 1)
    return Bins(
        np.take_along_axis(bins.number, kept, axis=1),
        np.take_along_axis(bins.total, kept, axis=1),
        np.take_along_axis(bins.readings, kept, axis=1),
        bins.length - dropped,
    )


def _last(bins: Bins, most: int) -> Bins:
    return _dropped(bins, np.maximum(bins.length - most, 0))


def _midmeans(bins: Bins) -> Floats:
    """Give the mean of the middle half of the bins' means; of no bin, NaN."""
    width = max(int(bins.length.max(initial=0)), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = bins.total[:, :width] / bins.readings[:, :width]
    ordered = np.sort(np.where(places(width) < bins.length[:, None], means, np.inf), axis=1)
    cut = bins.length // 4
    middle = np.zeros(len(cut))
    for place in range(width):
        inside = (place >= cut) & (place < bins.length - cut)
        middle = np.where(inside, middle + ordered[:, place], middle)
    with np.errstate(invalid="ignore"):
        return middle / (bins.length - 2 * cut)


def _quantiles(values: Floats, count: Slots, share: float) -> Floats:
    """Give a quantile of those that are numbers, interpolated between neighbours; of none, NaN."""
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    place = share * (count - 1)
    low = np.maximum(place, 0).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below = ordered[rows, low]
    return np.where(count > 0, below + (place - low) * (ordered[rows, high] - below), np.nan)


def _times(deviation: Floats, spread: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond: Floats = np.where(deviation == 0, 0.0, np.copysign(BEYOND_ALL, deviation))
        return np.where(spread <= np.abs(deviation) / BEYOND_ALL, beyond, deviation / spread)
