"""Geofence of a line: a fence, a river, a road that is crossed between two fixes.

The way from the last clear fix (`rules.conditions.sides`) to the next is straight; fixes closer to the line than the
margin and their error are passed over, so that a device which rests on the line crosses nothing. What counts is the
net of the crossings: there and back between two fixes is none. Left and right are as seen along the line.

The alert ends at the crossing back, or when `lasts` is over after it fired: who has crossed a river may come home
another way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Point

from rules.conditions.ground import lay_out
from rules.conditions.places import Plane
from rules.conditions.sides import Vote, error_of, voted, votes_from_json
from rules.conditions.span import Fix, Instant, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent
from veldwatch.wire.geometries import LINES

Place = tuple[float, float]
TO_RIGHT, TO_LEFT = 1, -1


class CrossingState(NamedTuple):
    """Where the device was clearly off the line last, fixes that may show a crossing since, and the span that holds.

    Attributes:
        last_at: time of the last fix, clear or not.
        direction: of the crossing that opened the span.
    """

    anchor: Fix | None = None
    last_at: Instant | None = None
    votes: tuple[Vote, ...] = ()
    span: Span | None = None
    direction: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossingCondition:
    """Holds for a while after a crossing, or until the crossing back.

    Attributes:
        lines: in metres on `plane`.
        segments: their parts, n x 4: from east and north, to east and north.
        directions: the crossings that alarm.
    """

    plane: Plane
    lines: Any
    segments: npt.NDArray[np.float64]
    directions: tuple[int, ...]
    margin_metres: float
    confirm: int
    max_gap: Instant
    lasts: Instant
    hold_for: Instant

    def initial(self, *, truncated: bool) -> CrossingState:  # noqa: ARG002  # a crossing is seen, or it is not
        """Know no place."""
        return CrossingState()

    def step(self, state: CrossingState, seen: Fix) -> tuple[CrossingState, Span | None]:
        """Look whether the way to this fix crosses the line."""
        expired = self._over_by_time(state.span, seen.at)
        if expired is not None:
            state = state._replace(span=None, direction=0)
        if state.last_at is not None and seen.at - state.last_at > self.max_gap:
            state = state._replace(anchor=None, votes=())
        state = state._replace(last_at=seen.at)
        place = self.plane.metres(seen.longitude, seen.latitude)
        if self.lines.distance(Point(place)) <= self.margin_metres + error_of(seen):
            return state, expired
        if state.anchor is None:
            return state._replace(anchor=seen), expired
        net = self.net_crossing(self.plane.metres(state.anchor.longitude, state.anchor.latitude), place)
        if not net and not state.votes:
            return state._replace(anchor=seen), expired
        votes, first = voted(state.votes, Vote(net, seen), self.confirm)
        if first is None:
            return state._replace(votes=votes), expired
        moved = state._replace(anchor=seen, votes=())
        crossed, ended = self._crossed(moved, net, state.anchor, first)
        return crossed, expired or ended

    def open_span(self, state: CrossingState, now: Instant) -> Span | None:
        """Give the span that holds, over by itself once it has lasted."""
        return self._over_by_time(state.span, now) or state.span

    def wake_at(self, state: CrossingState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over, and when the alert is."""
        if state.span is None or state.span.reached_at is None:
            return None
        moments = (state.span.reached_at, state.span.reached_at + self.lasts)
        return min((moment for moment in moments if moment > now), default=None)

    def load(self, document: Sequence[Any]) -> CrossingState:
        """Read back a state."""
        anchor, last_at, votes, span, direction = document
        known = None if anchor is None else Fix(*anchor)
        return CrossingState(known, last_at, votes_from_json(votes), span_from_json(span), direction)

    def net_crossing(self, start: Place, end: Place) -> int:
        """Tell to which side a straight way leads; 0: it ends on the side where it began."""
        own = self.segments
        along, up = own[:, 2] - own[:, 0], own[:, 3] - own[:, 1]
        # Positive: left of the segment. A point on it counts as right, on either way, so that no touch counts twice.
        before = along * (start[1] - own[:, 1]) - up * (start[0] - own[:, 0]) > 0
        after = along * (end[1] - own[:, 1]) - up * (end[0] - own[:, 0]) > 0
        east, north = end[0] - start[0], end[1] - start[1]
        first = east * (own[:, 1] - start[1]) - north * (own[:, 0] - start[0]) > 0
        second = east * (own[:, 3] - start[1]) - north * (own[:, 2] - start[0]) > 0
        meets = (before != after) & (first != second)
        return int(np.sign(np.sum(before[meets].astype(np.int64) - after[meets].astype(np.int64))))

    def _crossed(self, state: CrossingState, net: int, before: Fix, first: Fix) -> tuple[CrossingState, Span | None]:
        assert state.anchor is not None  # noqa: S101  # the fix that confirmed it
        if state.span is not None:
            if net in (0, state.direction):
                return state, None
            span = state.span._replace(ended_at=first.at, evidence=(*state.span.evidence, tuple(state.anchor)))
            return state._replace(span=None, direction=0), span
        if net not in self.directions:
            return state, None
        reached_at = max(state.anchor.at, first.at + self.hold_for)
        metres = round(float(self.lines.distance(Point(self.plane.metres(first.longitude, first.latitude)))), 1)
        span = Span(first.at, reached_at, None, metres, (tuple(before), tuple(first)))
        return state._replace(span=span, direction=net), None

    def _over_by_time(self, span: Span | None, now: Instant) -> Span | None:
        if span is None or span.reached_at is None or now < span.reached_at + self.lasts:
            return None
        return span._replace(ended_at=span.reached_at + self.lasts)


def compile_crossing(geofence: Geofence, shapes: Sequence[str], hold_for: Instant) -> CrossingCondition:
    """Make the condition of a definition about a line.

    Raises:
        ValueError: there is no line among the shapes.
    """
    ground = lay_out(shapes, LINES)
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(ground.geometry)]
    return CrossingCondition(
        plane=ground.plane,
        lines=ground.geometry,
        segments=np.concatenate([np.hstack((part[:-1], part[1:])) for part in parts]),
        directions=_DIRECTIONS[geofence.event],
        margin_metres=geofence.margin_metres,
        confirm=geofence.confirm,
        max_gap=to_span(geofence.max_gap),
        lasts=to_span(geofence.lasts),
        hold_for=hold_for,
    )


_DIRECTIONS = {
    GeofenceEvent.CROSS: (TO_RIGHT, TO_LEFT),
    GeofenceEvent.LEFT_TO_RIGHT: (TO_RIGHT,),
    GeofenceEvent.RIGHT_TO_LEFT: (TO_LEFT,),
}
