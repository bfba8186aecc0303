"""The table of stuck values."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.span import Instant, Reading
from rules.conditions.stuck import StuckCondition, StuckState
from rules.screening.table import Floats, Instants, Mask, Slots


class StuckTable:
    """Stuck values: runs begin and end unheard of, unless one has lasted long enough."""

    def __init__(self, conditions: Sequence[StuckCondition]) -> None:
        self._duration = np.array([condition.duration for condition in conditions], np.int64)
        self._tolerance = np.array([condition.tolerance for condition in conditions])
        self._at_least = np.array([condition.at_least for condition in conditions], np.int64)
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._lower = np.array([condition.lower for condition in conditions])
        self._upper = np.array([condition.upper for condition in conditions])
        self._outwards = np.array([condition.outwards for condition in conditions], bool)
        # As in StuckState; no run: a length of 0.
        self._last, self._first, self._run_low, self._run_high = (np.zeros(len(conditions)) for _ in range(4))
        self._last_at, self._first_at, self._length = (np.zeros(len(conditions), np.int64) for _ in range(3))
        self._reached = np.zeros(len(conditions), bool)

    def hold(self, slot: int, state: StuckState) -> bool:
        """Take a state up, once there was a reading."""
        if state.last is None:
            return False
        (self._last_at[slot], self._last[slot]), self._length[slot] = state.last, state.length
        self._first_at[slot], self._first[slot] = state.first or (0, 0.0)
        self._run_low[slot], self._run_high[slot] = state.low, state.high
        self._reached[slot] = state.reached is not None
        return True

    def restore(self, slot: int, state: StuckState, position: Instant) -> StuckState:  # noqa: ARG002  # all is here
        """Put the state together again; a run that has lasted long enough is still the one that was held."""
        last, length = Reading(int(self._last_at[slot]), float(self._last[slot])), int(self._length[slot])
        if not length:
            return StuckState(last=last)
        first = Reading(int(self._first_at[slot]), float(self._first[slot]))
        low, high = float(self._run_low[slot]), float(self._run_high[slot])
        return StuckState(last, first, low, high, length, state.reached if self._reached[slot] else None)

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # of the last reading
        """Tell where no run becomes long enough, and none that was ends."""
        goes_on, _ = self._runs(slots, at, seen)
        lasts = (at - self._first_at[slots] >= self._duration[slots]) & (
            self._length[slots] + 1 >= self._at_least[slots]
        )
        # A run of two begins with the last reading, however far away that is.
        short = (at - self._last_at[slots] >= self._duration[slots]) & (self._at_least[slots] <= 2)
        return np.where(self._reached[slots], goes_on, ~(goes_on & lasts) & ~short)

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Begin, continue and end runs."""
        goes_on, pairs = self._runs(slots, at, seen)
        on = slots[goes_on]
        self._run_low[on] = np.minimum(self._run_low[on], seen[goes_on])
        self._run_high[on] = np.maximum(self._run_high[on], seen[goes_on])
        self._length[on] += 1
        looked_at = self._looks_at(slots, seen)
        off, begun = slots[~looked_at], looked_at & ~goes_on
        self._length[off] = 0
        pair, single = slots[begun & pairs], slots[begun & ~pairs]
        self._first_at[pair], self._first[pair] = self._last_at[pair], self._last[pair]
        self._run_low[pair] = np.minimum(self._last[pair], seen[begun & pairs])
        self._run_high[pair] = np.maximum(self._last[pair], seen[begun & pairs])
        self._length[pair] = 2
        self._first_at[single], self._first[single] = at[begun & ~pairs], seen[begun & ~pairs]
        self._run_low[single] = self._run_high[single] = seen[begun & ~pairs]
        self._length[single] = 1
        self._last_at[slots], self._last[slots] = at, seen

    def _runs(self, slots: Slots, at: Instants, seen: Floats) -> tuple[Mask, Mask]:
        """Tell which readings continue a run, and which are near enough to the last one to begin one with it."""
        near = at - self._last_at[slots] <= self._max_gap[slots]
        running, tolerance = self._length[slots] > 0, self._tolerance[slots]
        low, high = np.minimum(self._run_low[slots], seen), np.maximum(self._run_high[slots], seen)
        within = self._looks_at(slots, seen) & running & (high - low <= tolerance)
        last = self._last[slots]
        pairs = running & near & (np.maximum(last, seen) - np.minimum(last, seen) <= tolerance)
        return within & (near | self._reached[slots]), pairs

    def _looks_at(self, slots: Slots, seen: Floats) -> Mask:
        within = (seen >= self._lower[slots]) & (seen <= self._upper[slots])
        return within != self._outwards[slots]
