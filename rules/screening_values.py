"""Tables of the conditions on values that remember readings: see `rules.screening`."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from rules.conditions.derived import DerivedState
from rules.conditions.rate_of_change import SLOTS, RateCondition, RateMemory
from rules.conditions.repeat import RepeatCondition, RepeatState
from rules.conditions.span import Instant, Reading
from rules.conditions.spike import SpikeCondition, SpikeState
from rules.conditions.stuck import StuckCondition, StuckState
from rules.screening import Floats, Instants, Mask, Slots
from rules.targets import Target
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.values import Direction

_FAR = np.iinfo(np.int64).max // 4
"""Later than anything, and still to be subtracted from."""


class RateTable:
    """Rates of change: the readings that may be compared with, oldest at the left."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[RateCondition]", [target.fold.condition for target in targets])
        self._conditions = conditions
        derivations = [condition.derivation for condition in conditions]
        self._per = np.array([derivation.per for derivation in derivations], np.int64)
        self._apart = np.array([derivation.apart for derivation in derivations], np.int64)
        self._slot = np.array([derivation.slot for derivation in derivations], np.int64)
        self._max_gap = np.array([derivation.max_gap for derivation in derivations], np.int64)
        self._is_register = np.array([derivation.of is FlowKind.REGISTER for derivation in derivations], bool)
        # A slot may be open at both ends of `apart`, and one more reading is the one to compare with.
        width = SLOTS + 3 if self._apart.any() else 1
        self._at = np.full((len(targets), width), _FAR)
        self._value = np.zeros((len(targets), width))
        self._count = np.zeros(len(targets), np.int64)
        self._last = np.zeros(len(targets))
        self._low, self._high = np.full(len(targets), np.inf), np.full(len(targets), -np.inf)

    def hold(self, slot: int, state: DerivedState) -> bool:
        """Take a state up, if one range of rates keeps it."""
        condition = self._conditions[slot]
        quiet = condition.limits.quiet_range(state.span, condition.levels)
        memory = cast("RateMemory", state.memory)
        if quiet is None or memory.last is None or len(memory.kept) > self._at.shape[1]:
            return False
        self._low[slot], self._high[slot] = quiet
        self._at[slot] = _FAR
        self._last[slot], self._count[slot] = memory.last, len(memory.kept)
        for place, reading in enumerate(memory.kept):
            self._at[slot, place], self._value[slot, place] = reading
        return True

    def restore(self, slot: int, state: DerivedState, position: Instant) -> DerivedState:  # noqa: ARG002  # all is here
        """Put the memory together again."""
        count = int(self._count[slot])
        times, values = self._at[slot, :count].tolist(), self._value[slot, :count].tolist()
        kept = tuple(Reading(at, value) for at, value in zip(times, values, strict=True))
        return state._replace(memory=RateMemory(kept, float(self._last[slot])))

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:  # noqa: ARG002  # as all
        """Compare rates with ranges; what cannot be compared is quiet, what a register takes back is not."""
        old = self._old(slots, at)
        place = np.maximum(old - 1, 0)
        before = self._at[slots, place]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = (value - self._value[slots, place]) / (at - before) * self._per[slots]
        unknown = (old == 0) | (at - before > self._max_gap[slots])
        inside = (rate >= self._low[slots]) & (rate <= self._high[slots])
        fits = self._count[slots] - place < self._at.shape[1]
        falls = self._is_register[slots] & (value < self._last[slots])
        return (unknown | inside) & ~falls & (fits | (self._apart[slots] == 0))

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:  # noqa: ARG002  # as all
        """Forget what is too old, and keep the first reading of a slot."""
        if not len(slots):
            return
        dropped = np.maximum(self._old(slots, at) - 1, 0)
        width = self._at.shape[1]
        places = np.arange(width)[None, :] + dropped[:, None]
        beyond, places = places >= width, np.minimum(places, width - 1)
        times = np.where(beyond, _FAR, np.take_along_axis(self._at[slots], places, axis=1))
        values = np.take_along_axis(self._value[slots], places, axis=1)
        count = self._count[slots] - dropped
        neighbours = self._apart[slots] == 0
        times[neighbours] = _FAR
        count[neighbours] = 0
        newest = times[np.arange(len(slots)), np.maximum(count - 1, 0)]
        slot = self._slot[slots]
        adds = (count == 0) | (newest // slot != at // slot)
        rows = np.flatnonzero(adds)
        times[rows, count[rows]], values[rows, count[rows]] = at[rows], value[rows]
        self._at[slots], self._value[slots], self._count[slots] = times, values, count + adds
        self._last[slots] = value

    def _old(self, slots: Slots, at: Instants) -> npt.NDArray[np.int64]:
        """Count the readings that are far enough apart to be compared with."""
        far_enough = at[:, None] - self._at[slots] >= self._apart[slots][:, None]
        return far_enough.sum(axis=1)


class RepeatTable:
    """Repeats: a value inside the limits counts for nothing, as long as nothing holds."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[RepeatCondition]", [target.fold.condition for target in targets])
        self._lower = np.array([condition.limits.lower for condition in conditions])
        self._upper = np.array([condition.limits.upper for condition in conditions])

    def hold(self, slot: int, state: RepeatState) -> bool:  # noqa: ARG002  # any slot
        """Take a state up while the value is inside, and nothing holds that time may end."""
        return state.first is None and not state.inside

    def restore(self, slot: int, state: RepeatState, position: Instant) -> RepeatState:  # noqa: ARG002  # unchanged
        """Give the state as it was."""
        return state

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:  # noqa: ARG002  # values alone
        """Compare values with limits."""
        return (value >= self._lower[slots]) & (value <= self._upper[slots])

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Keep nothing."""


class StuckTable:
    """Stuck values: runs begin and end unheard of, unless one has lasted long enough."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[StuckCondition]", [target.fold.condition for target in targets])
        self._duration = np.array([condition.duration for condition in conditions], np.int64)
        self._tolerance = np.array([condition.tolerance for condition in conditions])
        self._at_least = np.array([condition.at_least for condition in conditions], np.int64)
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._lower = np.array([condition.lower for condition in conditions])
        self._upper = np.array([condition.upper for condition in conditions])
        self._outwards = np.array([condition.outwards for condition in conditions], bool)
        # As in StuckState; no run: a length of 0.
        self._last, self._first, self._run_low, self._run_high = (np.zeros(len(targets)) for _ in range(4))
        self._first_at, self._length = (np.zeros(len(targets), np.int64) for _ in range(2))
        self._reached = np.zeros(len(targets), bool)

    def hold(self, slot: int, state: StuckState) -> bool:
        """Take a state up, once there was a reading."""
        if state.last is None:
            return False
        self._last[slot], self._length[slot] = state.last.value, state.length
        self._first_at[slot], self._first[slot] = state.first or (0, 0.0)
        self._run_low[slot], self._run_high[slot] = state.low, state.high
        self._reached[slot] = state.reached is not None
        return True

    def restore(self, slot: int, state: StuckState, position: Instant) -> StuckState:
        """Put the state together again; a run that has lasted long enough is still the one that was held."""
        last, length = Reading(position, float(self._last[slot])), int(self._length[slot])
        if not length:
            return StuckState(last=last)
        first = Reading(int(self._first_at[slot]), float(self._first[slot]))
        low, high = float(self._run_low[slot]), float(self._run_high[slot])
        return StuckState(last, first, low, high, length, state.reached if self._reached[slot] else None)

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:
        """Tell where no run becomes long enough, and none that was ends."""
        goes_on, _ = self._runs(slots, after, at, value)
        lasts = (at - self._first_at[slots] >= self._duration[slots]) & (
            self._length[slots] + 1 >= self._at_least[slots]
        )
        # A run of two begins with the last reading, however far away that is.
        short = (at - after >= self._duration[slots]) & (self._at_least[slots] <= 2)
        return np.where(self._reached[slots], goes_on, ~(goes_on & lasts) & ~short)

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:
        """Begin, continue and end runs."""
        goes_on, pairs = self._runs(slots, after, at, value)
        on = slots[goes_on]
        self._run_low[on] = np.minimum(self._run_low[on], value[goes_on])
        self._run_high[on] = np.maximum(self._run_high[on], value[goes_on])
        self._length[on] += 1
        looked_at = self._looks_at(slots, value)
        off, begun = slots[~looked_at], looked_at & ~goes_on
        self._length[off] = 0
        pair, single = slots[begun & pairs], slots[begun & ~pairs]
        self._first_at[pair], self._first[pair] = after[begun & pairs], self._last[pair]
        self._run_low[pair] = np.minimum(self._last[pair], value[begun & pairs])
        self._run_high[pair] = np.maximum(self._last[pair], value[begun & pairs])
        self._length[pair] = 2
        self._first_at[single], self._first[single] = at[begun & ~pairs], value[begun & ~pairs]
        self._run_low[single] = self._run_high[single] = value[begun & ~pairs]
        self._length[single] = 1
        self._last[slots] = value

    def _runs(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> tuple[Mask, Mask]:
        """Tell which readings continue a run, and which are near enough to the last one to begin one with it."""
        near = at - after <= self._max_gap[slots]
        running, tolerance = self._length[slots] > 0, self._tolerance[slots]
        low, high = np.minimum(self._run_low[slots], value), np.maximum(self._run_high[slots], value)
        within = self._looks_at(slots, value) & running & (high - low <= tolerance)
        last = self._last[slots]
        pairs = running & near & (np.maximum(last, value) - np.minimum(last, value) <= tolerance)
        return within & (near | self._reached[slots]), pairs

    def _looks_at(self, slots: Slots, value: Floats) -> Mask:
        within = (value >= self._lower[slots]) & (value <= self._upper[slots])
        return within != self._outwards[slots]


class SpikeTable:
    """Spikes: a reading that lies between its neighbours, or near one, moves them on."""

    def __init__(self, targets: Sequence[Target]) -> None:
        conditions = cast("list[SpikeCondition]", [target.fold.condition for target in targets])
        self._above = np.array([condition.above for condition in conditions])
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._up = np.array([condition.direction is not Direction.DOWN for condition in conditions], bool)
        self._down = np.array([condition.direction is not Direction.UP for condition in conditions], bool)
        self._before_at = np.zeros(len(targets), np.int64)
        self._before, self._last = (np.zeros(len(targets)) for _ in range(2))

    def hold(self, slot: int, state: SpikeState) -> bool:
        """Take a state up, once there were two readings."""
        if state.before is None or state.last is None:
            return False
        self._before_at[slot], self._before[slot] = state.before
        self._last[slot] = state.last.value
        return True

    def restore(self, slot: int, state: SpikeState, position: Instant) -> SpikeState:  # noqa: ARG002  # all is here
        """Put the state together again."""
        before = Reading(int(self._before_at[slot]), float(self._before[slot]))
        return SpikeState(before, Reading(position, float(self._last[slot])))

    def quiet(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> Mask:
        """Tell where the last reading does not stand out."""
        last, before = self._last[slots], self._before[slots]
        up, down = last - np.maximum(before, value), np.minimum(before, value) - last
        near = (after - self._before_at[slots] <= self._max_gap[slots]) & (at - after <= self._max_gap[slots])
        out = (self._up[slots] & (up > self._above[slots])) | (self._down[slots] & (down > self._above[slots]))
        return ~(near & out)

    def take(self, slots: Slots, after: Instants, at: Instants, value: Floats) -> None:  # noqa: ARG002  # as all
        """Move on."""
        self._before_at[slots], self._before[slots] = after, self._last[slots]
        self._last[slots] = value
