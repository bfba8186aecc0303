"""The table of lines that are crossed."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.line_crossing import CrossingCondition, CrossingState
from rules.conditions.span import Instant
from rules.screening.ground import SLACK, Circles, Places, columns_of, errors, fix_of
from rules.screening.table import NEVER, Floats, Instants, Mask, Slots


class CrossingTable:
    """Lines: a way that keeps away from the line moves the place on from which the next one is judged."""

    def __init__(self, conditions: Sequence[CrossingCondition]) -> None:
        self._margin = np.array([condition.margin_metres for condition in conditions])
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._lasts = [condition.lasts for condition in conditions]
        self._places = Places([condition.plane for condition in conditions])
        self._circles = Circles([condition.lines for condition in conditions])
        self._anchor_at, self._last_at, self._until = (np.zeros(len(conditions), np.int64) for _ in range(3))
        self._anchor = np.zeros((len(conditions), 3))

    def hold(self, slot: int, state: CrossingState) -> bool:
        """Take a state up, if it is known where the device was and nothing speaks for a crossing yet."""
        if state.anchor is None or state.last_at is None or state.votes:
            return False
        self._anchor_at[slot], self._anchor[slot] = state.anchor.at, columns_of(state.anchor)
        self._last_at[slot] = state.last_at
        reached = None if state.span is None else state.span.reached_at
        self._until[slot] = NEVER if reached is None else reached + self._lasts[slot]
        return True

    def restore(self, slot: int, state: CrossingState, position: Instant) -> CrossingState:  # noqa: ARG002  # all is here
        """Move the last place on."""
        anchor = fix_of(self._anchor_at[slot], self._anchor[slot])
        return state._replace(anchor=anchor, last_at=int(self._last_at[slot]))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # of the last fix
        """Tell which fixes are too near to the line to be judged, or lead away from it and not across."""
        quiet = (at - self._last_at[slots] <= self._max_gap[slots]) & (at < self._until[slots])
        places = self._places.metres(slots, seen)
        needed = self._margin[slots] + errors(seen)
        room = self._circles.room(slots, places)
        left = np.flatnonzero(room <= needed + SLACK)
        if len(left):
            room[left] = self._circles.centre(slots[left], places[left])
        clear = room > needed + SLACK
        ways = np.flatnonzero(quiet & clear)
        if len(ways):
            own = slots[ways]
            begins = self._places.metres(own, self._anchor[own])
            clear[ways] = self._circles.holds_way(own, begins, places[ways])
        return quiet & (clear | (room < needed - SLACK))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Remember where they were clear of the line last."""
        self._last_at[slots] = at
        clear = self._circles.room(slots, self._places.metres(slots, seen)) > self._margin[slots] + errors(seen)
        self._anchor_at[slots[clear]], self._anchor[slots[clear]] = at[clear], seen[clear]
