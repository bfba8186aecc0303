"""Screening of folds over tracks whose fixes are judged by speed.

Such a fold decides a fix when the two after it are known, and believes the last two as far as is known. So two tables
are kept: one of the states that are decided, one of those that are believed. A fix is quiet when it is in reach of the
two before it at the lowest of the speeds that it is judged by, as these are of theirs: then it is never doubted,
whatever comes; when the believed state takes it
quietly; and when the decided state takes the one quietly that it decides.
"""

from collections.abc import Sequence

import numpy as np

from rules.conditions.span import Fix, Instant
from rules.fold import FoldState
from rules.screening.ground import columns_of, fix_of
from rules.screening.screen import Screen
from rules.screening.table import NEVER, Floats, Instants, Mask, Slots, TableOf
from rules.targets import Target
from veldwatch.model.track import EARTH_RADIUS_METRES, NEIGHBOURS, UNTOLD_ERROR_METRES

_LENGTH = 2 * NEIGHBOURS
_SLACK = 1e-3
"""Metres: more than rounding can make of a distance on Earth."""


class TrackScreen(Screen):
    """The folds of one kind of condition on fixes that have a limit of speed, with the ends of their tracks."""

    def __init__(self, targets: Sequence[Target], table: TableOf) -> None:
        """Make room for folds, none of them held."""
        super().__init__(targets, table)
        self._believed = table([target.fold.condition for target in targets])
        self._tail_at = np.zeros((len(targets), _LENGTH), np.int64)
        self._tail = np.zeros((len(targets), _LENGTH, 3))
        self._since, self._until = (np.zeros(len(targets), np.int64) for _ in range(2))
        self._slowest = np.zeros(len(targets))

    def _take_up(self, slot: int, state: FoldState) -> bool:
        fold = self._targets[slot].fold
        if len(state.tail) < _LENGTH or not self._is_of_one_stretch(slot, state.tail):
            return False
        believed, over = fold.believed(state, state.tail[-1].at)
        if over or believed.lingering is not None:
            return False
        for place, fix in enumerate(state.tail):
            self._tail_at[slot, place] = fix.at
            self._tail[slot, place] = columns_of(fix)
        if not self._is_sound(slot):
            return False
        return self._table.hold(slot, state.condition) and self._believed.hold(slot, believed.condition)

    def _is_of_one_stretch(self, slot: int, tail: Sequence[Fix]) -> bool:
        """Take up the limits that fixes are judged by, if they are the same for all of them."""
        limits = self._targets[slot].fold.speed_limits
        stretch = limits.at(tail[-1].at)
        if stretch is None or limits.at(tail[0].at) != stretch:
            return False
        self._since[slot] = -NEVER if stretch.since is None else stretch.since
        self._until[slot] = NEVER if stretch.until is None else stretch.until
        speeds = [speed for speed in (stretch.maximum_speed, stretch.travel_speed) if speed is not None]
        self._slowest[slot] = min(speeds, default=np.inf)
        return True

    def _is_sound(self, slot: int) -> bool:
        """Tell whether the last two fixes are each in reach of the two before."""
        own, number = np.full(NEIGHBOURS, slot), np.arange(NEIGHBOURS, _LENGTH)
        at, seen = self._tail_at[slot, number], self._tail[slot, number]
        return all(self._is_in_reach(own, number - back, at, seen).all() for back in range(1, NEIGHBOURS + 1))

    def _give_back(self, slot: int, state: FoldState, position: Instant) -> FoldState:
        tail = tuple(fix_of(at, row) for at, row in zip(self._tail_at[slot], self._tail[slot], strict=True))
        return FoldState(self._table.restore(slot, state.condition, position), None, tail)

    def _quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:
        quiet = (at >= self._since[slots]) & (at < self._until[slots])
        for before in range(NEIGHBOURS, _LENGTH):
            quiet &= self._is_in_reach(slots, np.full(len(slots), before), at, seen)
        near = np.flatnonzero(quiet)
        own = slots[near]
        decided_at, decided = self._tail_at[own, NEIGHBOURS], self._tail[own, NEIGHBOURS]
        quiet[near] = self._believed.quiet(own, after[near], at[near], seen[near]) & self._table.quiet(
            own, self._tail_at[own, NEIGHBOURS - 1], decided_at, decided
        )
        return quiet

    def _take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        decided_at, decided = self._tail_at[slots, NEIGHBOURS], self._tail[slots, NEIGHBOURS]
        self._table.take(slots, self._tail_at[slots, NEIGHBOURS - 1], decided_at, decided)
        self._believed.take(slots, after, at, seen)
        self._tail_at[slots] = np.column_stack((self._tail_at[slots, 1:], at))
        self._tail[slots] = np.concatenate((self._tail[slots, 1:], seen[:, None]), axis=1)

    def _is_in_reach(self, slots: Slots, before: Slots, at: Instants, seen: Floats) -> Mask:
        """Tell whether nothing faster than is possible was needed to come from a fix of the tail."""
        other_at, other = self._tail_at[slots, before], self._tail[slots, before]
        longitude, latitude = np.radians(other[:, 0]), np.radians(other[:, 1])
        half = np.sin((latitude - np.radians(seen[:, 1])) / 2) ** 2
        across = np.sin((longitude - np.radians(seen[:, 0])) / 2) ** 2
        chord = half + np.cos(latitude) * np.cos(np.radians(seen[:, 1])) * across
        metres = 2 * EARTH_RADIUS_METRES * np.arcsin(np.minimum(1.0, np.sqrt(chord)))
        errors = _error(seen[:, 2]) + _error(other[:, 2])
        return metres + _SLACK - errors <= self._slowest[slots] * np.abs(at - other_at) / 1_000_000


def _error(accuracy: Floats) -> Floats:
    return np.where(np.isnan(accuracy), UNTOLD_ERROR_METRES, accuracy)
