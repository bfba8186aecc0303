"""The table of night flow: readings of a night, and between nights, until the first one after a night judges it."""

from collections.abc import Sequence

import numpy as np

from rules.conditions.night_flow import DAY, HOUR, LONGEST, Night, NightFlowCondition, NightFlowState
from rules.conditions.span import Instant, Reading
from rules.screening.local_times import LocalTimes
from rules.screening.table import Floats, Instants, Mask, Slots
from veldwatch.model.conditions.flow import FlowKind

_HOURS = 28
"""Of a night of a day; some more where the clock is put back meanwhile."""


class NightFlowTable:
    """The night that goes on, hour by hour."""

    def __init__(self, conditions: Sequence[NightFlowCondition]) -> None:
        self._times = LocalTimes([condition.zone for condition in conditions])
        self._since = np.array([condition.since for condition in conditions], np.int64)
        self._length = np.array([condition.length for condition in conditions], np.int64)
        self._is_rate = np.array([condition.flow.of is FlowKind.RATE for condition in conditions], bool)
        self._last_at, self._number, self._first_at = (np.zeros(len(conditions), np.int64) for _ in range(3))
        self._last, self._first = (np.zeros(len(conditions)) for _ in range(2))
        self._is_night = np.zeros(len(conditions), bool)
        # Of each hour of the night that had a reading: its number, what flowed, over how much.
        self._hour = np.zeros((len(conditions), _HOURS), np.int64)
        self._flowed, self._over = (np.zeros((len(conditions), _HOURS)) for _ in range(2))
        self._count = np.zeros(len(conditions), np.int64)

    def hold(self, slot: int, state: NightFlowState) -> bool:
        """Take a state up, once there was a reading."""
        if state.last is None or (state.night is not None and len(state.night.hours) >= _HOURS):
            return False
        self._last_at[slot], self._last[slot] = state.last
        self._is_night[slot] = state.night is not None
        if state.night is not None:
            self._number[slot], (self._first_at[slot], self._first[slot]) = state.night.number, state.night.first
            self._count[slot] = len(state.night.hours)
            for place, (hour, flowed, over) in enumerate(state.night.hours):
                self._hour[slot, place], self._flowed[slot, place], self._over[slot, place] = hour, flowed, over
        return True

    def restore(self, slot: int, state: NightFlowState, position: Instant) -> NightFlowState:  # noqa: ARG002  # all is here
        """Put last reading and night together again."""
        night = None
        if self._is_night[slot]:
            columns = (column[slot, : self._count[slot]].tolist() for column in (self._hour, self._flowed, self._over))
            first = int(self._first_at[slot]), float(self._first[slot])
            night = Night(int(self._number[slot]), first, tuple(zip(*columns, strict=True)))
        return state._replace(last=Reading(int(self._last_at[slot]), float(self._last[slot])), night=night)

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # times alone
        """Tell which readings are not the first after a night."""
        number, _, inside, known = self._night(slots, at)
        goes_on = inside & (number == self._number[slots]) & (self._count[slots] < _HOURS)
        return known & (~self._is_night[slots] | goes_on)

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Add what flowed to the hour of the night."""
        number, within, inside, _ = self._night(slots, at)
        flowed, over = self._flow(slots, at, seen)
        begins = inside & ~self._is_night[slots]
        new = slots[begins]
        self._is_night[new], self._number[new], self._count[new] = True, number[begins], 0
        self._first_at[new], self._first[new] = at[begins], seen[begins]
        own, hour, flowed, over = slots[inside], within[inside] // HOUR, flowed[inside], over[inside]
        last = np.maximum(self._count[own] - 1, 0)
        same = (self._count[own] > 0) & (self._hour[own, last] == hour)
        place = np.where(same, last, self._count[own])
        self._flowed[own, place] = np.where(same, flowed + self._flowed[own, place], flowed)
        self._over[own, place] = np.where(same, over + self._over[own, place], over)
        self._hour[own, place] = hour
        self._count[own] = place + 1
        self._last_at[slots], self._last[slots] = at, seen

    def _night(self, slots: Slots, at: Instants) -> tuple[Slots, Instants, Mask, Mask]:
        """Give the night's number, how far into it, whether that is still in it, and whether this is known."""
        local, known = self._times.local(slots, at)
        number, within = np.divmod(local - self._since[slots], DAY)
        return number, within, within < self._length[slots], known

    def _flow(self, slots: Slots, at: Instants, seen: Floats) -> tuple[Floats, Floats]:
        """Give what flowed, over how much; over nothing: not known."""
        is_rate, last = self._is_rate[slots], self._last[slots]
        apart = at - self._last_at[slots]
        told = is_rate | ((apart <= LONGEST) & (seen >= last))
        flowed = np.where(is_rate, seen, seen - last)
        return np.where(told, flowed, 0.0), np.where(told, np.where(is_rate, 1.0, apart / HOUR), 0.0)
