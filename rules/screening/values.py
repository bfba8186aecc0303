"""Tables of conditions that judge a value by itself, or by its neighbours."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.repeat import RepeatCondition, RepeatState
from rules.conditions.span import Instant, Reading
from rules.conditions.spike import SpikeCondition, SpikeState
from rules.conditions.threshold import ThresholdCondition, ThresholdState
from rules.screening.table import Floats, Instants, Mask, Slots
from veldwatch.model.conditions.values import Direction


class ThresholdTable:
    """Thresholds: a value within the range that keeps the state leaves no trace at all."""

    def __init__(self, conditions: Sequence[ThresholdCondition]) -> None:
        self._conditions = conditions
        self._low, self._high = np.full(len(conditions), np.inf), np.full(len(conditions), -np.inf)

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

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # values alone
        """Compare values with ranges."""
        return (seen >= self._low[slots]) & (seen <= self._high[slots])

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Keep nothing."""


class RepeatTable:
    """Repeats: a value inside the limits counts for nothing, as long as nothing holds."""

    def __init__(self, conditions: Sequence[RepeatCondition]) -> None:
        self._lower = np.array([condition.limits.lower for condition in conditions])
        self._upper = np.array([condition.limits.upper for condition in conditions])

    def hold(self, slot: int, state: RepeatState) -> bool:  # noqa: ARG002  # any slot
        """Take a state up while the value is inside, and nothing holds that time may end."""
        return state.first is None and not state.inside

    def restore(self, slot: int, state: RepeatState, position: Instant) -> RepeatState:  # noqa: ARG002  # unchanged
        """Give the state as it was."""
        return state

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # values alone
        """Compare values with limits."""
        return (seen >= self._lower[slots]) & (seen <= self._upper[slots])

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:
        """Keep nothing."""


class SpikeTable:
    """Spikes: a reading that lies between its neighbours, or near one, moves them on."""

    def __init__(self, conditions: Sequence[SpikeCondition]) -> None:
        self._above = np.array([condition.above for condition in conditions])
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._up = np.array([condition.direction is not Direction.DOWN for condition in conditions], bool)
        self._down = np.array([condition.direction is not Direction.UP for condition in conditions], bool)
        self._before_at = np.zeros(len(conditions), np.int64)
        self._before, self._last = (np.zeros(len(conditions)) for _ in range(2))

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

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:
        """Tell where the last reading does not stand out."""
        last, before = self._last[slots], self._before[slots]
        up, down = last - np.maximum(before, seen), np.minimum(before, seen) - last
        near = (after - self._before_at[slots] <= self._max_gap[slots]) & (at - after <= self._max_gap[slots])
        out = (self._up[slots] & (up > self._above[slots])) | (self._down[slots] & (down > self._above[slots]))
        return ~(near & out)

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Move on."""
        self._before_at[slots], self._before[slots] = after, self._last[slots]
        self._last[slots] = seen
