"""The table of continuous flow."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.continuous_flow import FlowCondition, FlowState
from rules.conditions.span import Instant, Reading
from rules.screening.table import NONE, Floats, Instants, Mask, Slots, reading
from veldwatch.model.conditions.flow import Beginning, FlowKind


class FlowTable:
    """Continuous flow: runs begin, go on and end unheard of, unless one has lasted long enough."""

    def __init__(self, conditions: Sequence[FlowCondition]) -> None:
        self._duration = np.array([condition.duration for condition in conditions], np.int64)
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._minimum = np.array([condition.minimum for condition in conditions], np.float64)
        # Of runs whose beginning was seen, and of those whose was not, whether they are reported.
        self._reports = np.array(
            [(c.beginning is not Beginning.SEEN, c.beginning is not Beginning.UNSEEN) for c in conditions], bool
        ).reshape(-1, 2)
        self._is_register = np.array([condition.of is FlowKind.REGISTER for condition in conditions], bool)
        # As in FlowState, a reading in two columns; a run is one that has a first reading.
        self._last, self._first, self._before = (np.zeros(len(conditions)) for _ in range(3))
        self._first_at, self._before_at = (np.full(len(conditions), NONE) for _ in range(2))
        self._reached_at = np.full(len(conditions), NONE)
        self._seen = np.zeros(len(conditions), bool)

    def hold(self, slot: int, state: FlowState) -> bool:
        """Take a state up, once it is known whether its last reading shows flow."""
        if state.last is None or not state.judged:
            return False
        self._last[slot], self._seen[slot] = state.last.value, state.seen
        self._first_at[slot], self._first[slot] = state.first or (NONE, 0.0)
        self._before_at[slot], self._before[slot] = state.before or (NONE, 0.0)
        self._reached_at[slot] = NONE if state.reached_at is None else state.reached_at
        return True

    def restore(self, slot: int, state: FlowState, position: Instant) -> FlowState:  # noqa: ARG002  # all of it is here
        """Put the state together again."""
        reached_at = int(self._reached_at[slot])
        return FlowState(
            last=Reading(position, float(self._last[slot])),
            before=reading(self._before_at[slot], self._before[slot]),
            first=reading(self._first_at[slot], self._first[slot]),
            reached_at=None if reached_at == NONE else reached_at,
            seen=bool(self._seen[slot]),
            judged=True,
        )

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:
        """Tell where no run becomes long enough, and none that was ends."""
        _, goes_on = self._flow(slots, after, at, seen)
        reached = self._reached_at[slots] != NONE
        completes = at - self._first_at[slots] >= self._duration[slots]
        completes &= self._reports[slots, self._seen[slots].astype(np.int64)]
        return np.where(reached, goes_on, ~(goes_on & completes))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Begin, continue and end runs."""
        shows, goes_on = self._flow(slots, after, at, seen)
        ends, begins = slots[~goes_on], shows & ~goes_on
        self._first_at[ends], self._before_at[ends] = NONE, NONE
        self._seen[ends] = True
        begun = slots[begins]
        self._before_at[begun], self._before[begun] = after[begins], self._last[begun]
        self._first_at[begun], self._first[begun] = at[begins], seen[begins]
        self._last[slots] = seen

    def _flow(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> tuple[Mask, Mask]:
        """Tell which readings show flow, and which of them continue a run."""
        near = at - after <= self._max_gap[slots]
        is_register = self._is_register[slots]
        base = np.where(is_register, self._last[slots], 0.0)
        shows = (seen - base > self._minimum[slots]) & (near | ~is_register)
        return shows, shows & near & (self._first_at[slots] != NONE)
