"""Tables of areas: entered, left, stayed in, near to, and not to be left when due.

A fix is uneventful while it is clear on the side that the device is on, or not clear at all.
"""

from collections.abc import Sequence

import numpy as np
import shapely

from rules.conditions.due import DueTimes
from rules.conditions.geofence import GeofenceCondition, GeofenceState
from rules.conditions.outside_when_due import DueCondition, DueState
from rules.conditions.sides import Boundary, Sides
from rules.conditions.span import Fix, Instant
from rules.screening.ground import SLACK, Circles, Places, columns_of, errors, fix_of, geometries
from rules.screening.table import NEVER, Floats, Instants, Mask, Slots

_UNKNOWN = -1
_MINUTE = 60_000_000
_MOST_MINUTES = 10_000


class _SideTable:
    """Which side each device is on, and where it was last."""

    def __init__(self, boundaries: Sequence[Boundary]) -> None:
        self._areas = geometries([boundary.area for boundary in boundaries])
        self._margin = np.array([boundary.margin_metres for boundary in boundaries])
        self._deep = np.array([boundary.deep for boundary in boundaries])
        self._places = Places([boundary.plane for boundary in boundaries])
        self._circles = Circles([boundary.rim for boundary in boundaries])
        self._centre_inside = np.zeros(len(boundaries), bool)
        self._inside = np.full(len(boundaries), _UNKNOWN, np.int8)
        self._last_at = np.zeros(len(boundaries), np.int64)
        self._last = np.zeros((len(boundaries), 3))

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # as all
        """Remember where they were last."""
        self._last_at[slots], self._last[slots] = at, seen

    def _hold_side(self, slot: int, sides: Sides, last: Fix | None) -> bool:
        """Take a side up, if no fix speaks against it yet."""
        if last is None or sides.votes:
            return False
        self._inside[slot] = _UNKNOWN if sides.inside is None else sides.inside
        self._last_at[slot], self._last[slot] = last.at, columns_of(last)
        return True

    def _stays_on_side(self, slots: Slots, seen: Floats, places: Floats) -> Mask:
        """Tell which fixes surely show the side that is known, or none."""
        errs = errors(seen)
        stays = self._judged(slots, errs, self._circles.room(slots, places))
        left = np.flatnonzero(~stays)
        if len(left):
            own, points = slots[left], places[left]
            room = self._circles.centre(own, points)
            self._centre_inside[own] = shapely.intersects(self._areas[own], shapely.points(points))
            stays[left] = self._judged(own, errs[left], room) | self._is_unclear(own, errs[left], room)
        return stays

    def _judged(self, slots: Slots, errs: Floats, room: Floats) -> Mask:
        needed = self._margin[slots] + errs
        inside = self._centre_inside[slots]
        clear = room - SLACK >= np.where(inside, np.minimum(needed, self._deep[slots]), needed)
        return clear & (room > SLACK) & (self._inside[slots] == inside)

    def _is_unclear(self, slots: Slots, errs: Floats, metres: Floats) -> Mask:
        needed = self._margin[slots] + errs
        inside = self._centre_inside[slots]
        return metres + SLACK < np.where(inside, np.minimum(needed, self._deep[slots]), needed)


class GeofenceTable(_SideTable):
    """Areas entered, left, stayed in or near to: what is on the side that is known moves the last fix on."""

    def __init__(self, conditions: Sequence[GeofenceCondition]) -> None:
        super().__init__([condition.boundary for condition in conditions])
        self._max_gap = np.array([condition.max_gap for condition in conditions], np.int64)
        self._stays = np.array([condition.stays or 0 for condition in conditions], np.int64)
        # Who is outside may have passed through between two fixes.
        self._passes = np.array([c.alarming_inside and c.stays is None and c.boundary.confirm <= 1 for c in conditions])
        self._stays_since = np.zeros(len(conditions), np.int64)
        self._waits = np.zeros(len(conditions), bool)

    def hold(self, slot: int, state: GeofenceState) -> bool:
        """Take a state up, whatever holds."""
        self._waits[slot] = self._stays[slot] > 0 and state.span is not None and state.span.reached_at is None
        self._stays_since[slot] = state.span.opened_at if state.span is not None else 0
        return self._hold_side(slot, state.sides, state.last)

    def restore(self, slot: int, state: GeofenceState, position: Instant) -> GeofenceState:  # noqa: ARG002  # all is here
        """Move the last fix on."""
        return state._replace(last=fix_of(self._last_at[slot], self._last[slot]))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # of the last fix
        """Tell which fixes show no other side, complete no stay and end no way through the area."""
        places = self._places.metres(slots, seen)
        quiet = self._stays_on_side(slots, seen, places)
        gap = at - self._last_at[slots] > self._max_gap[slots]
        quiet &= ~self._waits[slots] | (~gap & (at - self._stays_since[slots] < self._stays[slots]))
        ways = np.flatnonzero(quiet & self._passes[slots] & (self._inside[slots] == 0) & ~gap)
        if len(ways):
            own = slots[ways]
            begins = self._places.metres(own, self._last[own])
            quiet[ways] = self._circles.holds_way(own, begins, places[ways])
        return quiet


class DueTable(_SideTable):
    """Areas not to be left when due: who is inside is there, and who is outside was told of, or need not be there."""

    def __init__(self, conditions: Sequence[DueCondition]) -> None:
        super().__init__([condition.boundary for condition in conditions])
        self._until = np.zeros(len(conditions), np.int64)
        self._holds = np.zeros(len(conditions), bool)
        self._due: list[DueTimes] = [condition.due for condition in conditions]
        self._known: dict[tuple[DueTimes, int], bool] = {}

    def hold(self, slot: int, state: DueState) -> bool:
        """Take a state up, whatever holds."""
        self._holds[slot] = state.span is not None
        self._until[slot] = NEVER if state.until is None else state.until
        return self._hold_side(slot, state.sides, state.last)

    def restore(self, slot: int, state: DueState, position: Instant) -> DueState:  # noqa: ARG002  # all is here
        """Move the last fix on."""
        return state._replace(last=fix_of(self._last_at[slot], self._last[slot]))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # times of fixes
        """Tell which fixes show no other side, while nothing falls due and nothing is over."""
        quiet = self._stays_on_side(slots, seen, self._places.metres(slots, seen))
        quiet &= ~self._holds[slots] | (at < self._until[slots])
        outside: list[int] = np.flatnonzero(quiet & (self._inside[slots] == 0) & ~self._holds[slots]).tolist()
        for row in outside:
            quiet[row] = self._is_free(self._due[int(slots[row])], int(at[row]) // _MINUTE)
        return quiet

    def _is_free(self, due: DueTimes, minute: int) -> bool:
        """Tell whether nothing is due in a minute; what is due begins and ends with whole ones."""
        if len(self._known) > _MOST_MINUTES:
            self._known.clear()
        key = (due, minute)
        if key not in self._known:
            begin, end = minute * _MINUTE, (minute + 1) * _MINUTE - 1
            self._known[key] = due.window(begin) is None and due.window(end) is None
        return self._known[key]
