"""Screening: which observations of a batch cannot change what their folds say, found out for all of them at once.

A *table* holds, for every fold of one kind of condition, what little of its state an uneventful observation touches, as
NumPy arrays. Such observations are taken up there; the others, and with them everything later of the same fold in
that batch, go to the fold itself. The outcome is that of folding each of them, which tests compare.

A fold is *held* by the screen while nothing but its table has its latest state; `release` gives it back.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from rules.conditions.absence import AbsenceCondition, AbsenceState
from rules.conditions.continuous_flow import FlowCondition, FlowState
from rules.conditions.span import Instant, Reading
from rules.conditions.threshold import ThresholdCondition, ThresholdState
from rules.reader_index import ReaderIndex
from rules.targets import FoldKey, Target
from veldwatch.model.conditions.flow import FlowKind

Floats = npt.NDArray[np.float64]
Instants = npt.NDArray[np.int64]
Slots = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NEVER = np.iinfo(np.int64).max
_NONE = -1
"""No time that is observed lies before 1980."""
_MOST_TURNS = 8
"""A fold with more observations in one batch is quicker by itself than in so many small arrays."""


class Rest(NamedTuple):
    """What folds have to look at: row numbers of the batch, and the folds that they are for."""

    rows: Slots
    keys: list[FoldKey]


class Read(NamedTuple):
    """What of a fold was read from storage: observations of transactions before an id, after a position; None: all."""

    before: int
    after: Instant | None


class Table(Protocol):
    """The states of one kind of condition, by slot."""

    def hold(self, slot: int, state: Any) -> bool:  # noqa: ANN401  # the condition's own
        """Take a state up; False: in this state every observation counts."""
        ...

    def restore(self, slot: int, state: Any, position: Instant) -> Any:  # noqa: ANN401
        """Give the state that was held, as uneventful observations up to a position left it."""
        ...

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:
        """Tell which observations, each later than its fold's position `after`, change nothing that is said."""
        ...

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Take uneventful observations up, one of each slot."""
        ...


class LoudTable:
    """Conditions of which every observation counts: nothing is taken up."""

    def __init__(self, targets: Sequence[Target]) -> None:
        """Need nothing of them."""

    def hold(self, slot: int, state: object) -> bool:  # noqa: ARG002  # any
        """Take no state up."""
        return False

    def restore(self, slot: int, state: object, position: Instant) -> object:  # noqa: ARG002
        """Give the state as it was."""
        return state

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:  # noqa: ARG002
        """Let all be looked at."""
        return np.zeros(len(slots), bool)

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Take nothing."""


class ThresholdTable:
    """Thresholds: a value within the range that keeps the state leaves no trace at all."""

    def __init__(self, targets: Sequence[Target]) -> None:
        self._conditions = cast("list[ThresholdCondition]", [target.fold.condition for target in targets])
        self._low, self._high = np.full(len(targets), np.inf), np.full(len(targets), -np.inf)

    def hold(self, slot: int, state: ThresholdState) -> bool:
        """Take a state up, if one range of values keeps it."""
        quiet = self._conditions[slot].quiet_range(state)
        if quiet is None:
            return False
        self._low[slot], self._high[slot] = quiet
        return True

    def restore(self, slot: int, state: ThresholdState, position: Instant) -> ThresholdState:  # noqa: ARG002  # unchanged
        """Give the state as it was."""
        return state

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:  # noqa: ARG002  # values alone
        """Compare values with ranges."""
        return (value >= self._low[slots]) & (value <= self._high[slots])

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Keep nothing."""


class FlowTable:
    """Continuous flow: runs begin, go on and end unheard of, unless one has lasted long enough."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[FlowCondition]", [target.fold.condition for target in targets])
        self._duration = np.array([condition.duration for condition in conditions], np.int64)
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._minimum = np.array([condition.minimum for condition in conditions], np.float64)
        self._is_register = np.array([condition.of is FlowKind.REGISTER for condition in conditions], bool)
        # As in FlowState, a reading in two columns; a run is one that has a first reading.
        self._last, self._first, self._before = (np.zeros(len(targets)) for _ in range(3))
        self._first_at, self._before_at = (np.full(len(targets), _NONE) for _ in range(2))
        self._reached_at = np.full(len(targets), _NONE)
        self._seen = np.zeros(len(targets), bool)

    def hold(self, slot: int, state: FlowState) -> bool:
        """Take a state up, once it is known whether its last reading shows flow."""
        if state.last is None or not state.judged:
            return False
        self._last[slot], self._seen[slot] = state.last.value, state.seen
        self._first_at[slot], self._first[slot] = state.first or (_NONE, 0.0)
        self._before_at[slot], self._before[slot] = state.before or (_NONE, 0.0)
        self._reached_at[slot] = _NONE if state.reached_at is None else state.reached_at
        return True

    def restore(self, slot: int, state: FlowState, position: Instant) -> FlowState:  # noqa: ARG002  # all of it is here
        """Put the state together again."""
        reached_at = int(self._reached_at[slot])
        return FlowState(
            last=Reading(position, float(self._last[slot])),
            before=_reading(self._before_at[slot], self._before[slot]),
            first=_reading(self._first_at[slot], self._first[slot]),
            reached_at=None if reached_at == _NONE else reached_at,
            seen=bool(self._seen[slot]),
            judged=True,
        )

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:
        """Tell where no run becomes long enough, and none that was ends."""
        _, goes_on = self._flow(slots, after, at, value)
        reached = self._reached_at[slots] != _NONE
        completes = at - self._first_at[slots] >= self._duration[slots]
        return np.where(reached, goes_on, ~(goes_on & completes))

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Begin, continue and end runs."""
        shows, goes_on = self._flow(slots, after, at, value)
        ends, begins = slots[~goes_on], shows & ~goes_on
        self._first_at[ends], self._before_at[ends] = _NONE, _NONE
        self._seen[ends] = True
        begun = slots[begins]
        self._before_at[begun], self._before[begun] = after[begins], self._last[begun]
        self._first_at[begun], self._first[begun] = at[begins], value[begins]
        self._last[slots] = value

    def _flow(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> tuple[Mask, Mask]:
        """Tell which readings show flow, and which of them continue a run."""
        near = at - after <= self._max_gap[slots]
        is_register = self._is_register[slots]
        base = np.where(is_register, self._last[slots], 0.0)
        shows = (value - base > self._minimum[slots]) & (near | ~is_register)
        return shows, shows & near & (self._first_at[slots] != _NONE)


class AbsenceTable:
    """Absence: a contact that comes in time moves the last contact on."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[AbsenceCondition]", [target.fold.condition for target in targets])
        self._silent_for = np.array([condition.silent_for for condition in conditions], np.int64)

    def hold(self, slot: int, state: AbsenceState) -> bool:  # noqa: ARG002  # any slot
        """Take a state up, once there was a contact."""
        return state.last is not None

    def restore(self, slot: int, state: AbsenceState, position: Instant) -> AbsenceState:  # noqa: ARG002
        """Move the last contact on."""
        return AbsenceState(position)

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:  # noqa: ARG002  # times alone
        """Tell which contacts came in time."""
        return at - after < self._silent_for[slots]

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Keep nothing: the position is the last contact."""


class Screen:
    """The folds of one kind of condition, with their positions."""

    def __init__(self, targets: Sequence[Target], table: Table) -> None:
        """Make room for folds, none of them held.

        Args:
            targets: the table's slots are their numbers.
        """
        self._keys = [target.key for target in targets]
        self._slots = {key: slot for slot, key in enumerate(self._keys)}
        self._index = ReaderIndex((target.source_id, slot) for slot, target in enumerate(targets))
        self._held = np.zeros(len(targets), bool)
        self._position = np.zeros(len(targets), np.int64)
        self._read_before = np.zeros(len(targets), np.int64)
        self._read_after = np.full(len(targets), -_NEVER)
        self._table = table

    def hold(self, key: FoldKey, state: Any, position: Instant | None, read: Read) -> None:  # noqa: ANN401
        """Take a fold up, if its state allows; until it is released only the screen knows its latest state.

        Args:
            read: what of it is in the state already.
        """
        slot = self._slots[key]
        self._held[slot] = position is not None and self._table.hold(slot, state)
        self._position[slot] = 0 if position is None else position
        self._read_before[slot] = read.before
        self._read_after[slot] = -_NEVER if read.after is None else read.after

    def release(self, key: FoldKey, state: Any) -> tuple[Any, Instant] | None:  # noqa: ANN401
        """Give a fold's latest state and position back; None: it was not held."""
        slot = self._slots[key]
        if not self._held[slot]:
            return None
        self._held[slot] = False
        position = int(self._position[slot])
        return self._table.restore(slot, state, position), position

    def position(self, key: FoldKey) -> Instant | None:
        """Tell how far a fold that is held has come; None: it is not held."""
        slot = self._slots[key]
        return int(self._position[slot]) if self._held[slot] else None

    def sift(self, xid: int, sources: Slots, at: Instants, value: Floats) -> Rest:
        """Take up what is uneventful, and give the rest.

        Args:
            xid: of the transaction that wrote the batch.
            sources: of each row of the batch; one that nobody waits for is passed over.
        """
        rows, slots = self._index.pairs(sources)
        kept = (xid >= self._read_before[slots]) | (at[rows] < self._read_after[slots])
        rows, slots = rows[kept], slots[kept]
        order = np.lexsort((at[rows], slots))
        rows, slots = rows[order], slots[order]
        groups = _groups(slots)
        loud = ~self._held[slots] | (groups.size > _MOST_TURNS)
        for turn in range(_MOST_TURNS):
            chosen = np.flatnonzero((groups.rank == turn) & ~loud)
            if not len(chosen):
                break
            loud |= _from_there_on(self._turn(slots, rows, chosen, at, value), groups)
        rest = np.flatnonzero(loud)
        return Rest(rows[rest], [self._keys[slot] for slot in slots[rest].tolist()])

    def _turn(self, slots: Slots, rows: Slots, chosen: Slots, at: Instants, value: Floats) -> Slots:
        """Look at the next observation of each fold; give those of `chosen` that are not quiet."""
        own, moment, number = slots[chosen], at[rows[chosen]], value[rows[chosen]]
        after = self._position[own]
        quiet = (moment > after) & self._table.quiet(own, after, moment, number)
        self._table.take(own[quiet], after[quiet], moment[quiet], number[quiet])
        self._position[own[quiet]] = moment[quiet]
        return chosen[~quiet]


class _Groups(NamedTuple):
    """Of each entry of sorted slots: its number within its slot, the slot's entries, and where those end."""

    rank: Slots
    size: Slots
    end: Slots


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


def _reading(at: np.int64, value: np.float64) -> Reading | None:
    return None if at == _NONE else Reading(int(at), float(value))
