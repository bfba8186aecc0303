"""The table of changes within a window."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from rules.conditions.change import CELLS, QUARTER, Cell, ChangeDerivation, ChangeMemory
from rules.conditions.derived import DerivedCondition, DerivedState
from rules.conditions.register_count import Count
from rules.conditions.span import Instant
from rules.screening.limits import Ranges
from rules.screening.table import Floats, Instants, Mask, Slots, places
from veldwatch.model.conditions.values import Change
from veldwatch.model.consumption import JITTER_SHARE, NEAR_ZERO_SHARE

_ROOM = CELLS + 4
"""A window may begin and end within a cell; one cell lies before it, and one more is new."""
_MILLIONTHS = 1e6
_FINEST = 2.0**50
"""From here on a number has no whole millionths to round to."""
_NO_TIME = np.iinfo(np.int64).min // 4


class _Counts:
    """Where registers stand: `rules.conditions.register_count.Count`, many at once."""

    def __init__(self, length: int) -> None:
        # Level and offset; and those of before a fall, as long as that is in doubt.
        self._now, self._before = np.zeros((length, 2)), np.zeros((length, 2))
        self._doubted = np.zeros(length, bool)

    def hold(self, slot: int, count: Count) -> None:
        self._now[slot] = count.level, count.offset
        self._doubted[slot] = count.doubt is not None
        self._before[slot] = count.doubt or (0.0, 0.0)

    def count(self, slot: int) -> Count:
        level, offset = self._now[slot].tolist()
        return Count(level, offset, tuple(self._before[slot].tolist()) if self._doubted[slot] else None)

    def then(self, slots: Slots, value: Floats) -> tuple[Floats, Mask]:
        """Take readings; give n x 2, level and offset, and which of them are falls that are in doubt now."""
        (level, offset), (level_before, offset_before) = self._now[slots].T, self._before[slots].T
        back = self._doubted[slots] & (value >= level_before)
        on = ~back & (value >= level)
        noise = ~back & ~on & (value >= level - np.abs(level) / JITTER_SHARE)
        share = value * NEAR_ZERO_SHARE
        counted: Floats = np.where((share >= 0) & (share <= level), value, 0.0)
        fallen: Floats = offset + level + counted - value
        new_offset: Floats = np.where(back, offset_before, np.where(on | noise, offset, fallen))
        return np.column_stack((np.where(noise, level, value), new_offset)), ~(back | on | noise)

    def put(self, slots: Slots, then: tuple[Floats, Mask]) -> None:
        now, falls = then
        fallen = slots[falls]
        self._before[fallen] = self._now[fallen]
        self._now[slots], self._doubted[slots] = now, falls


class ChangeTable:
    """Changes: the cells of each window in a ring, of which the first is the last one before the window."""

    def __init__(self, conditions: Sequence[DerivedCondition]) -> None:
        self._conditions = conditions
        derivations = cast("list[ChangeDerivation]", [condition.derivation for condition in self._conditions])
        self._window = np.array([derivation.window for derivation in derivations], np.int64)
        self._length = np.maximum(self._window // CELLS, 1)
        self._coverage = np.array([derivation.min_coverage for derivation in derivations])
        self._of = {of: np.array([derivation.of is of for derivation in derivations], bool) for of in Change}
        self._ranges = Ranges(len(conditions))
        self._counts = _Counts(len(conditions))
        self._at = np.zeros((len(conditions), _ROOM), np.int64)
        self._value, self._figure, self._low, self._high = (np.zeros((len(conditions), _ROOM)) for _ in range(4))
        self._first, self._count = (np.zeros(len(conditions), np.int64) for _ in range(2))

    def hold(self, slot: int, state: DerivedState) -> bool:
        """Take a state up, if ranges of numbers keep it."""
        memory: ChangeMemory = state.memory
        count = len(memory.cells)
        if memory.register is None or not count or count > _ROOM - 2:
            return False
        if not self._ranges.hold(slot, self._conditions[slot], state.span):
            return False
        self._counts.hold(slot, memory.register)
        cells = np.array(memory.cells)
        self._at[slot, :count] = [cell.at for cell in memory.cells]
        for column, array in enumerate((self._value, self._figure, self._low, self._high), start=1):
            array[slot, :count] = cells[:, column]
        self._first[slot], self._count[slot] = 0, count
        return True

    def restore(self, slot: int, state: DerivedState, position: Instant) -> DerivedState:  # noqa: ARG002  # all is here
        """Put the memory together again."""
        ring = (self._first[slot] + places(int(self._count[slot]))) % _ROOM
        columns: list[list[Any]] = [
            array[slot, ring].tolist() for array in (self._at, self._value, self._figure, self._low, self._high)
        ]
        cells = tuple(Cell(*cell) for cell in zip(*columns, strict=True))
        return state._replace(memory=ChangeMemory(cells, self._counts.count(slot)))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # as all
        """Compare what changed at least and at most with ranges; what is not known is quiet."""
        edge = at - self._window[slots]
        dropped, more = self._dropped(slots, at)
        low, high = np.zeros(len(slots)), np.zeros(len(slots))
        known, is_sure = np.ones(len(slots), bool), np.ones(len(slots), bool)
        for of, measure in ((Change.INCREASE, self._increase), (Change.RANGE, self._range)):
            if len(rows := np.flatnonzero(self._of[of][slots])):
                low[rows], high[rows], is_sure[rows] = measure(
                    slots[rows], (dropped[rows], more[rows]), (at[rows], edge[rows], seen[rows])
                )
        if len(rows := np.flatnonzero(self._of[Change.DIFFERENCE][slots])):
            own, moved = slots[rows], (dropped[rows], more[rows])
            _, inside = self._edges(own, moved, edge[rows])
            known[rows] = self._is_covered(own, moved, (at[rows], edge[rows]))
            first = self._of_cell(self._value, own, inside, seen[rows])
            low[rows], is_sure[rows] = _rounded(seen[rows] - first)
            high[rows] = low[rows]
        return ~known | (is_sure & self._ranges.hold_within(slots, low, high))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Move windows and registers on."""
        dropped, more = self._dropped(slots, at)
        then = self._counts.then(slots, seen)
        self._counts.put(slots, then)
        self._first[slots] = (self._first[slots] + dropped) % _ROOM
        self._count[slots] += more - dropped
        last = (self._first[slots] + self._count[slots] - 1) % _ROOM
        self._low[slots, last] = np.where(more, seen, np.minimum(self._low[slots, last], seen))
        self._high[slots, last] = np.where(more, seen, np.maximum(self._high[slots, last], seen))
        new, place = slots[more], last[more]
        self._at[new, place], self._value[new, place] = at[more], seen[more]
        self._figure[new, place] = then[0][more].sum(axis=1)

    def _dropped(self, slots: Slots, at: Instants) -> tuple[Slots, Mask]:
        """Count the cells that are too old then, all but the last of those before the window; and who needs another."""
        edge = at - self._window[slots]
        last = self._at[slots, (self._first[slots] + self._count[slots] - 1) % _ROOM]
        more = last // self._length[slots] != at // self._length[slots]
        dropped = np.zeros(len(slots), np.int64)
        rows = places(len(slots))
        while len(rows):
            nxt = dropped[rows] + 1
            there = nxt < self._count[slots[rows]]
            old = self._at[slots[rows], (self._first[slots[rows]] + nxt) % _ROOM] < edge[rows]
            # The reading's own cell is never before the window.
            rows = rows[there & old]
            dropped[rows] += 1
        return dropped, more

    def _edges(self, slots: Slots, moved: tuple[Slots, Mask], edge: Instants) -> tuple[Mask, Slots]:
        """Tell whether a cell lies before the window, and number the first one in it; as many as there are: the new."""
        dropped, _ = moved
        before = self._at[slots, (self._first[slots] + dropped) % _ROOM] < edge
        return before, dropped + before

    def _of_cell(self, array: Floats, slots: Slots, number: Slots, new: Floats) -> Floats:
        """Pick a column of a cell by number, of the reading's own where it has a new one."""
        is_new = number >= self._count[slots]
        return np.where(is_new, new, array[slots, (self._first[slots] + number) % _ROOM])

    def _increase(
        self, slots: Slots, moved: tuple[Slots, Mask], now: tuple[Instants, Instants, Floats]
    ) -> tuple[Floats, Floats, Mask]:
        _, edge, value = now
        figure = self._counts.then(slots, value)[0].sum(axis=1)
        before, inside = self._edges(slots, moved, edge)
        least = np.maximum(figure - self._of_cell(self._figure, slots, inside, figure), 0.0)
        first = self._figure[slots, (self._first[slots] + moved[0]) % _ROOM]
        low, low_is_sure = _rounded(least)
        high, high_is_sure = _rounded(np.maximum(figure - first, 0.0))
        return low, np.where(before, high, np.inf), low_is_sure & (high_is_sure | ~before)

    def _range(
        self, slots: Slots, moved: tuple[Slots, Mask], now: tuple[Instants, Instants, Floats]
    ) -> tuple[Floats, Floats, Mask]:
        at, edge, value = now
        _, inside = self._edges(slots, moved, edge)
        number = places(int(self._count[slots].max(initial=0)))
        there = (number >= inside[:, None]) & (number < self._count[slots][:, None])
        ring = (self._first[slots][:, None] + number) % _ROOM
        highest = np.where(there, self._high[slots[:, None], ring], -np.inf).max(axis=1, initial=-np.inf)
        lowest = np.where(there, self._low[slots[:, None], ring], np.inf).min(axis=1, initial=np.inf)
        spread = np.maximum(highest, value) - np.minimum(lowest, value)
        covered = self._is_covered(slots, moved, (at, edge))
        return spread, np.where(covered, spread, np.inf), np.ones(len(slots), bool)

    def _is_covered(self, slots: Slots, moved: tuple[Slots, Mask], now: tuple[Instants, Instants]) -> Mask:
        """Tell whether readings lie close enough over the window."""
        at, edge = now
        count = self._count[slots]
        number = places(int(count.max(initial=0)))
        there = (number >= moved[0][:, None]) & (number < count[:, None])
        ring = (self._first[slots][:, None] + number) % _ROOM
        times = np.where(there, np.maximum(self._at[slots[:, None], ring], edge[:, None]), at[:, None])
        # Where none is, the time is that of the reading: nothing lies between, but before the first.
        times = np.where(number < moved[0][:, None], _NO_TIME, times)
        steps = np.diff(times, axis=1, append=at[:, None])
        steps[times == _NO_TIME] = 0
        covered = np.minimum(steps, (self._window[slots] // QUARTER)[:, None]).sum(axis=1)
        return covered >= self._coverage[slots] * self._window[slots]


def _rounded(number: Floats) -> tuple[Floats, Mask]:
    """Round to millionths as Python does, and tell where that is sure: not half-way between two."""
    scaled = number * _MILLIONTHS
    whole = np.rint(scaled)
    return whole / _MILLIONTHS, (np.abs(scaled - whole) < 0.49) & (np.abs(whole) < _FINEST)
