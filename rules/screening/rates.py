"""The table of rates of change."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from rules.conditions.derived import DerivedState
from rules.conditions.rate_of_change import SLOTS, RateCondition, RateMemory
from rules.conditions.span import Instant, Reading
from rules.screening.table import FAR, Floats, Instants, Mask, Slots
from veldwatch.model.conditions.flow import FlowKind


class RateTable:
    """Rates of change: the readings that may be compared with, oldest at the left."""

    def __init__(self, conditions: Sequence[RateCondition]) -> None:
        self._conditions = conditions
        derivations = [condition.derivation for condition in conditions]
        self._per = np.array([derivation.per for derivation in derivations], np.int64)
        self._apart = np.array([derivation.apart for derivation in derivations], np.int64)
        self._slot = np.array([derivation.slot for derivation in derivations], np.int64)
        self._max_gap = np.array([derivation.max_gap for derivation in derivations], np.int64)
        self._is_register = np.array([derivation.of is FlowKind.REGISTER for derivation in derivations], bool)
        # A slot may be open at both ends of `apart`, and one more reading is the one to compare with.
        width = SLOTS + 3 if self._apart.any() else 1
        self._at = np.full((len(conditions), width), FAR)
        self._value = np.zeros((len(conditions), width))
        self._count = np.zeros(len(conditions), np.int64)
        self._last = np.zeros(len(conditions))
        self._low, self._high = np.full(len(conditions), np.inf), np.full(len(conditions), -np.inf)

    def hold(self, slot: int, state: DerivedState) -> bool:
        """Take a state up, if one range of rates keeps it."""
        condition = self._conditions[slot]
        quiet = condition.limits.quiet_range(state.span, condition.levels)
        memory = cast("RateMemory", state.memory)
        if quiet is None or memory.last is None or len(memory.kept) > self._at.shape[1]:
            return False
        self._low[slot], self._high[slot] = quiet
        self._at[slot] = FAR
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

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # as all
        """Compare rates with ranges; what cannot be compared is quiet, what a register takes back is not."""
        old = self._old(slots, at)
        place = np.maximum(old - 1, 0)
        before = self._at[slots, place]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = (seen - self._value[slots, place]) / (at - before) * self._per[slots]
        unknown = (old == 0) | (at - before > self._max_gap[slots])
        inside = (rate >= self._low[slots]) & (rate <= self._high[slots])
        fits = self._count[slots] - place < self._at.shape[1]
        falls = self._is_register[slots] & (seen < self._last[slots])
        return (unknown | inside) & ~falls & (fits | (self._apart[slots] == 0))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Forget what is too old, and keep the first reading of a slot."""
        if not len(slots):
            return
        dropped = np.maximum(self._old(slots, at) - 1, 0)
        width = self._at.shape[1]
        places = np.arange(width)[None, :] + dropped[:, None]
        beyond, places = places >= width, np.minimum(places, width - 1)
        times = np.where(beyond, FAR, np.take_along_axis(self._at[slots], places, axis=1))
        values = np.take_along_axis(self._value[slots], places, axis=1)
        count = self._count[slots] - dropped
        neighbours = self._apart[slots] == 0
        times[neighbours] = FAR
        count[neighbours] = 0
        newest = times[np.arange(len(slots)), np.maximum(count - 1, 0)]
        slot = self._slot[slots]
        adds = (count == 0) | (newest // slot != at // slot)
        rows = np.flatnonzero(adds)
        times[rows, count[rows]], values[rows, count[rows]] = at[rows], seen[rows]
        self._at[slots], self._value[slots], self._count[slots] = times, values, count + adds
        self._last[slots] = seen

    def _old(self, slots: Slots, at: Instants) -> Slots:
        """Count the readings that are far enough apart to be compared with."""
        far_enough = at[:, None] - self._at[slots] >= self._apart[slots][:, None]
        return far_enough.sum(axis=1)
