"""The screen: the folds of one kind of condition, with their positions.

A fold is *held* while nothing but its table has its latest state; `release` gives it back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rules.conditions.span import Instant
from rules.fold import FoldState
from rules.reader_index import ReaderIndex
from rules.screening.table import NEVER, Floats, Instants, Mask, Slots, TableOf
from rules.targets import FoldKey, Target
from veldwatch.model.conditions.inputs import Input
from veldwatch.storage.folds import LogRead

_ANY_TURNS = 8
"""So many observations of a fold in one batch are looked at here, one after the other, however few folds have them."""
_ENOUGH = 24
"""So many folds with yet another observation make another turn worth its while: an array costs what some steps do."""


class Rest(NamedTuple):
    """What folds have to look at: row numbers of the batch, and the folds that they are for."""

    rows: Slots
    keys: list[FoldKey]


class Screen:
    """The folds of one kind of condition."""

    def __init__(self, targets: Sequence[Target], table: TableOf) -> None:
        """Make room for folds, none of them held.

        Args:
            targets: the table's slots are their numbers.
        """
        self._targets = targets
        self._slots = {target.key: slot for slot, target in enumerate(targets)}
        # Samples are told apart by whose they are already.
        sources = (slot if target.input is Input.SAMPLES else target.source_id for slot, target in enumerate(targets))
        self._index = ReaderIndex((source, slot) for slot, source in enumerate(sources))
        self._held = np.zeros(len(targets), bool)
        self._position = np.zeros(len(targets), np.int64)
        self._read_before = np.zeros(len(targets), np.int64)
        self._read_after = np.full(len(targets), -NEVER)
        self._read_through = np.zeros(len(targets), np.int64)
        self._held_at = np.zeros(len(targets), np.int64)
        self._table = table([target.fold.condition for target in targets])

    def hold(self, key: FoldKey, state: FoldState, position: Instant | None, read: LogRead) -> None:
        """Take a fold up, if its state allows; until it is released only the screen knows its latest state.

        Args:
            state: without a lingering span.
            read: what of it is in the state already.
        """
        slot = self._slots[key]
        self._held[slot] = position is not None and self._take_up(slot, state)
        self._position[slot] = 0 if position is None else position
        self._read_before[slot] = read.before
        self._read_after[slot] = -NEVER if read.after is None else read.after
        self._read_through[slot] = read.through
        self._held_at[slot] = self._position[slot]

    def release(self, key: FoldKey, state: FoldState) -> tuple[FoldState, Instant] | None:
        """Give a fold's latest state and position back; None: it was not held."""
        slot = self._slots[key]
        if not self._held[slot]:
            return None
        self._held[slot] = False
        position = int(self._position[slot])
        return self._give_back(slot, state, position), position

    def position(self, key: FoldKey) -> Instant | None:
        """Tell how far a fold that is held has come; None: it is not held."""
        slot = self._slots[key]
        return int(self._position[slot]) if self._held[slot] else None

    def moved(self) -> list[FoldKey]:
        """List the folds that were moved on since they were held."""
        moved = np.flatnonzero(self._held & (self._position != self._held_at))
        return [self._targets[slot].key for slot in moved.tolist()]

    def sift(self, xid: int, sources: Slots, at: Instants, seen: Floats) -> Rest:
        """Take up what is uneventful, and give the rest.

        Args:
            xid: of the transaction that wrote the batch.
            sources: of each row of the batch; one that nobody waits for is passed over.
            seen: what was observed, as a table takes it.
        """
        rows, slots = self._index.pairs(sources)
        kept = (xid >= self._read_before[slots]) | (at[rows] < self._read_after[slots])
        kept &= xid > self._read_through[slots]
        rows, slots = rows[kept], slots[kept]
        order = np.lexsort((at[rows], slots))
        rows, slots = rows[order], slots[order]
        groups = _groups(slots)
        loud = ~self._held[slots]
        for turn, entries in enumerate(groups.turns()):
            chosen = entries[~loud[entries]]
            if turn >= _ANY_TURNS and len(chosen) < _ENOUGH:
                loud[groups.rank >= turn] = True
                break
            if len(chosen):
                loud |= _from_there_on(self._turn(slots, rows, chosen, at, seen), groups)
        rest = np.flatnonzero(loud)
        return Rest(rows[rest], [self._targets[slot].key for slot in slots[rest].tolist()])

    def _take_up(self, slot: int, state: FoldState) -> bool:
        return self._table.hold(slot, state.condition)

    def _give_back(self, slot: int, state: FoldState, position: Instant) -> FoldState:
        return FoldState(self._table.restore(slot, state.condition, position))

    def _turn(self, slots: Slots, rows: Slots, chosen: Slots, at: Instants, seen: Floats) -> Slots:
        """Look at the next observation of each fold; give those of `chosen` that are not quiet."""
        own, moment, value = slots[chosen], at[rows[chosen]], seen[rows[chosen]]
        later = moment > self._position[own]
        if not later.all():
            own, moment, value = own[later], moment[later], value[later]
        quiet = np.zeros(len(chosen), bool)
        quiet[later] = found = self._quiet(own, self._position[own], moment, value)
        self._take(own[found], self._position[own[found]], moment[found], value[found])
        self._position[own[found]] = moment[found]
        return chosen[~quiet]

    def _quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:
        return self._table.quiet(slots, after, at, seen)

    def _take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        self._table.take(slots, after, at, seen)


class _Groups(NamedTuple):
    """Of each entry of sorted slots: its number within its slot, the slot's entries, and where those end."""

    rank: Slots
    size: Slots
    end: Slots

    def turns(self) -> list[Slots]:
        """Give the first entries of all slots, then the second ones, and so on."""
        order = np.argsort(self.rank, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.rank[order])) + 1) if len(order) else []


def _groups(slots: Slots) -> _Groups:
    begins = np.flatnonzero(np.diff(slots, prepend=-1))
    sizes = np.diff(np.append(begins, len(slots)))
    size = np.repeat(sizes, sizes)
    rank = np.arange(len(slots)) - np.repeat(begins, sizes)
    return _Groups(rank, size, np.repeat(begins + sizes, sizes))


def _from_there_on(places: Slots, groups: _Groups) -> Mask:
    """Mark entries from given places to the end of their slots."""
    edges = np.zeros(len(groups.rank) + 1, np.int64)
    np.add.at(edges, places, 1)
    np.add.at(edges, groups.end[places], -1)
    return np.cumsum(edges)[:-1] > 0
