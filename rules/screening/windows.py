"""Tables of conditions on the fixes of a window: immobility, speed.

Of a window at most one fix per sixtieth is kept; the others leave no trace.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rules.conditions.immobility import FEWEST, ImmobilityCondition, ImmobilityState
from rules.conditions.places import METRES_PER_DEGREE
from rules.conditions.span import Fix, Instant
from rules.conditions.speed import COVERED, PER_HOUR, SpeedCondition, SpeedState
from rules.screening.ground import columns_of, errors, fix_of
from rules.screening.table import Floats, Instants, Mask, Slots, places
from veldwatch.model.conditions.movement import Way

_SLOTS = 60
_MOST = _SLOTS + 4
"""A window may begin and end within a slot, and hold what the next fix makes too old."""
_SLACK = 1e-6
"""Metres, or a share: more than rounding makes of what is calculated here."""
_WITHOUT_ACCURACY = np.array([1.0, 1.0, np.nan])
_WIDE = 8
"""From so many fixes on it is quicker to look whether pairs of them are far apart first."""


class _Window(NamedTuple):
    """The fixes of some windows, oldest at the left, with the new one; n x k, k as many as the longest has.

    Attributes:
        at: 0 where there is none.
        fixes: n x k x 3.
        length: how many there are, at least 1.
    """

    at: Instants
    fixes: Floats
    length: Slots

    @property
    def first_at(self) -> Instants:
        return self.at[:, 0]

    @property
    def there(self) -> Mask:
        return places(self.at.shape[1]) < self.length[:, None]

    def metres(self, seen: Floats) -> tuple[Floats, Floats]:
        """Give metres east and north of the new fixes, n x k."""
        east = (self.fixes[:, :, 0] - seen[:, None, 0] + 180.0) % 360.0 - 180.0
        scale = METRES_PER_DEGREE * np.cos(np.radians(seen[:, None, 1]))
        return east * scale, (self.fixes[:, :, 1] - seen[:, None, 1]) * METRES_PER_DEGREE


class _Windows:
    """The fixes of the windows of many folds."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._window = np.array(lengths, np.int64)
        self._slot = np.maximum(self._window // _SLOTS, 1)
        self._at = np.zeros((len(lengths), _MOST), np.int64)
        self._fixes = np.zeros((len(lengths), _MOST, 3))
        self._count = np.zeros(len(lengths), np.int64)
        self._asked: tuple[Slots, _Window] | None = None

    def hold(self, slot: int, fixes: Sequence[Fix]) -> bool:
        if not 0 < len(fixes) < _MOST - 1:
            return False
        self._count[slot] = len(fixes)
        for place, fix in enumerate(fixes):
            self._at[slot, place], self._fixes[slot, place] = fix.at, columns_of(fix)
        return True

    def fixes(self, slot: int) -> tuple[Fix, ...]:
        return tuple(fix_of(self._at[slot, place], self._fixes[slot, place]) for place in range(self._count[slot]))

    def is_kept(self, slots: Slots, at: Instants) -> Mask:
        """Tell which fixes are the first of their sixtieths."""
        last = self._at[slots, self._count[slots] - 1]
        return last // self._slot[slots] != at // self._slot[slots]

    def moved(self, slots: Slots, at: Instants, seen: Floats) -> _Window:
        """Move windows on to fixes that are kept."""
        count = self._count[slots]
        width = int(count.max(initial=0)) + 1
        times = self._at[slots, :width]
        old = (places(width) < count[:, None]) & (at[:, None] - times > self._window[slots][:, None])
        dropped = old.sum(axis=1)
        kept = np.minimum(places(width) + dropped[:, None], width - 1)
        times = np.take_along_axis(times, kept, axis=1)
        fixes = np.take_along_axis(self._fixes[slots, :width], kept[:, :, None], axis=1)
        count = count - dropped + 1
        rows = np.arange(len(slots))
        times[rows, count - 1], fixes[rows, count - 1] = at, seen
        longest = int(count.max(initial=1))
        times, fixes = times[:, :longest], fixes[:, :longest]
        times[places(longest) >= count[:, None]] = 0
        window = _Window(times, fixes, count)
        self._asked = slots, window
        return window

    def put(self, slots: Slots) -> None:
        """Keep windows as they were moved last."""
        assert self._asked is not None  # noqa: S101  # they were looked at
        asked, window = self._asked
        rows, width = np.isin(asked, slots), window.at.shape[1]
        own = asked[rows]
        self._at[own, :width], self._fixes[own, :width] = window.at[rows], window.fixes[rows]
        self._count[own] = window.length[rows]


class ImmobilityTable:
    """Immobility: who moves about goes on doing so, and who rests goes on resting."""

    def __init__(self, conditions: Sequence[ImmobilityCondition]) -> None:
        self._radius = np.array([condition.radius_metres for condition in conditions])
        self._share = np.array([condition.share for condition in conditions])
        self._window = np.array([condition.window for condition in conditions], np.int64)
        self._windows = _Windows([condition.window for condition in conditions])
        self._since = np.zeros(len(conditions), np.int64)
        self._holds = np.zeros(len(conditions), bool)

    def hold(self, slot: int, state: ImmobilityState) -> bool:
        """Take a state up, once there was a fix."""
        if state.since is None:
            return False
        self._since[slot], self._holds[slot] = state.since, state.span is not None
        return self._windows.hold(slot, state.fixes)

    def restore(self, slot: int, state: ImmobilityState, position: Instant) -> ImmobilityState:  # noqa: ARG002  # all is here
        """Put the window together again."""
        return state._replace(fixes=self._windows.fixes(slot))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # times of fixes
        """Tell where the share in one circle leaves it as it is."""
        quiet = np.ones(len(slots), bool)
        kept = np.flatnonzero(self._windows.is_kept(slots, at))
        own, moment = slots[kept], at[kept]
        # The window's own fixes have no accuracy.
        window = self._windows.moved(own, moment, seen[kept] * _WITHOUT_ACCURACY)
        judged = (window.length >= FEWEST) & (2 * (moment - window.first_at) >= self._window[own])
        # Before it was followed for a whole window nothing begins, whatever is found.
        judged &= self._holds[own] | (moment - self._since[own] >= self._window[own])
        rows = np.flatnonzero(judged)
        if len(rows):
            part = _Window(window.at[rows], window.fixes[rows], window.length[rows])
            least, most = self._near(own[rows], part, seen[kept[rows]])
            wanted = self._share[own[rows]] * part.length
            quiet[kept[rows]] = np.where(self._holds[own[rows]], least >= wanted, most < wanted)
        return quiet

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Move the windows on."""
        self._windows.put(slots[self._windows.is_kept(slots, at)])

    def _near(self, slots: Slots, window: _Window, seen: Floats) -> tuple[Slots, Slots]:
        """Count the fixes that surely are, and may be, within the radius of their median place."""
        east, north = window.metres(seen)
        radius, there = self._radius[slots][:, None], window.there
        least, most = np.zeros(len(slots), np.int64), window.length.copy()
        rows = np.arange(len(slots))
        if window.at.shape[1] >= _WIDE:
            most -= _apart(east, north, window.length, 2 * radius + _SLACK)
            rows = np.flatnonzero(self._holds[slots] | (most >= self._share[slots] * window.length))
            east, north, radius, there = east[rows], north[rows], radius[rows], there[rows]
        middle_east, middle_north = (_medians(metres, there, window.length[rows]) for metres in (east, north))
        away = np.hypot(east - middle_east[:, None], north - middle_north[:, None])
        least[rows] = ((away <= radius - _SLACK) & there).sum(axis=1)
        most[rows] = ((away <= radius + _SLACK) & there).sum(axis=1)
        return least, most


class SpeedTable:
    """Speed: who is within the limit, or beyond it all along."""

    def __init__(self, conditions: Sequence[SpeedCondition]) -> None:
        self._conditions = conditions
        self._window = np.array([condition.window for condition in conditions], np.int64)
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._is_path = np.array([condition.of is Way.PATH for condition in conditions], bool)
        self._counts = np.array([condition.percentile is not None for condition in conditions], bool)
        self._windows = _Windows([condition.window for condition in conditions])
        self._low, self._high = np.zeros(len(conditions)), np.zeros(len(conditions))
        self._counted_at = np.zeros(len(conditions), np.int64)
        self._holds = np.zeros(len(conditions), bool)

    def hold(self, slot: int, state: SpeedState) -> bool:
        """Take a state up, once there was a fix."""
        condition, holds = self._conditions[slot], state.span is not None
        limit, band = condition.limit(state), condition.dead_band if holds else 0.0
        low, high = -np.inf, np.inf
        if limit is not None and condition.above is not None:
            low, high = (limit - band, np.inf) if holds else (-np.inf, limit)
        elif limit is not None:
            low, high = (-np.inf, limit + band) if holds else (limit, np.inf)
        elif holds:
            return False
        self._low[slot], self._high[slot], self._holds[slot] = low, high, holds
        self._counted_at[slot] = 0 if state.counted_at is None else state.counted_at
        return self._windows.hold(slot, state.fixes)

    def restore(self, slot: int, state: SpeedState, position: Instant) -> SpeedState:  # noqa: ARG002  # all is here
        """Put the window together again."""
        return state._replace(fixes=self._windows.fixes(slot))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # times of fixes
        """Tell where the speed is not known, or on the side of the limit where it was; and is not to be remembered."""
        quiet = np.ones(len(slots), bool)
        kept = np.flatnonzero(self._windows.is_kept(slots, at))
        own, moment = slots[kept], at[kept]
        window = self._windows.moved(own, moment, seen[kept])
        took = moment - window.first_at
        steps = np.where(window.there[:, 1:], np.diff(window.at, axis=1), 0)
        known = (took >= COVERED * self._window[own]) & (steps.max(axis=1, initial=0) <= self._max_gap[own])
        rows = np.flatnonzero(known)
        if len(rows):
            part = _Window(window.at[rows], window.fixes[rows], window.length[rows])
            metres, is_sure = self._way(own[rows], part, seen[kept[rows]])
            speed = metres * PER_HOUR / took[rows]
            slack = _SLACK * (1.0 + speed)
            same = (speed - slack > self._low[own[rows]]) & (speed + slack < self._high[own[rows]])
            counts = self._counts[own[rows]] & ~self._holds[own[rows]]
            quiet[kept[rows]] = is_sure & same & ~(counts & (part.first_at >= self._counted_at[own[rows]]))
        return quiet

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Move the windows on."""
        self._windows.put(slots[self._windows.is_kept(slots, at)])

    def _way(self, slots: Slots, window: _Window, seen: Floats) -> tuple[Floats, Mask]:
        """Measure ways in metres, and tell where rounding surely made nothing of them."""
        metres, is_sure = np.zeros(len(slots)), np.ones(len(slots), bool)
        length, is_path = window.length, self._is_path[slots]
        east, north = (np.ascontiguousarray(column.T) for column in window.metres(seen))
        error = errors(window.fixes.reshape(-1, 3)).reshape(window.at.shape).T.copy()
        begin_east, begin_north, begin_error = east[0].copy(), north[0].copy(), error[0].copy()
        for place in range(1, len(east)):
            # Of a displacement only the last fix is looked at.
            looked_at = (place < length) & (is_path | (place == length - 1))
            step = np.hypot(east[place] - begin_east, north[place] - begin_north)
            least = np.hypot(error[place], begin_error)
            is_sure &= ~looked_at | (np.abs(step - least) > _SLACK)
            counts = looked_at & (step > least)
            metres += np.where(counts, step, 0.0)
            for begin, column in ((begin_east, east), (begin_north, north), (begin_error, error)):
                np.copyto(begin, column[place], where=counts)
        return metres, is_sure


def _apart(east: Floats, north: Floats, count: Slots, far: Floats) -> Slots:
    """Count pairs, each fix in one at most, that are so far apart that no circle holds both."""
    half = count // 2
    width = east.shape[1] // 2
    own = places(width)
    others = np.minimum(own + half[:, None], east.shape[1] - 1)
    away = np.hypot(
        np.take_along_axis(east, others, axis=1) - east[:, :width],
        np.take_along_axis(north, others, axis=1) - north[:, :width],
    )
    return ((away > far) & (own < half[:, None])).sum(axis=1)


def _medians(metres: Floats, there: Mask, count: Slots) -> Floats:
    ordered: Floats = np.sort(np.where(there, metres, np.inf), axis=1)
    rows = np.arange(len(metres))
    return (ordered[rows, (count - 1) // 2] + ordered[rows, count // 2]) / 2
