"""Geofence: an area entered or left, one in which a device stays, and nearness to a feature.

The side changes as `rules.conditions.sides` says. A device whose side was never clear has crossed nothing, so the first
fix ever outside is no exit; but one that is first seen near a village is near it, and stays there if it does.

Two fixes outside whose straight way leads through the area (by more than the margin and their error, and not
further apart in time than `max_gap`) are an entry and an exit at the second of them; not where fixes have to be
confirmed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shapely.geometry import LineString, Point

from rules.conditions.ground import lay_out
from rules.conditions.sides import Boundary, Look, Sides, boundary, error_of, sides_from_json
from rules.conditions.span import Evidence, Fix, Instant, Span, reached_after, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Near
from veldwatch.wire.geometries import AREAS, SHAPES


class GeofenceState(NamedTuple):
    """Which side the device is on, where it was last, and the span that holds."""

    sides: Sides = Sides()
    last: Fix | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeofenceCondition:
    """Holds while the device is on the side that its crossing led to.

    Attributes:
        alarming_inside: the alert is about being inside, else about being outside.
        from_the_start: a device that is first seen there is there; else it must have crossed.
        stays: how long it must be seen there; None: it does not matter.
        feature: what a device is near to; its distance is the alert's value. None: the distance to the boundary is.
    """

    boundary: Boundary
    alarming_inside: bool
    max_gap: Instant
    hold_for: Instant
    from_the_start: bool = False
    stays: Instant | None = None
    feature: Any = None

    def initial(self, *, truncated: bool) -> GeofenceState:  # noqa: ARG002  # a side is not guessed from what was cut off
        """Know no side."""
        return GeofenceState()

    def step(self, state: GeofenceState, seen: Fix) -> tuple[GeofenceState, Span | None]:
        """Take the side that the fix shows, and open or end a span when it is another one."""
        look = self.boundary.look(seen)
        sides, first = self.boundary.follow(state.sides, seen, look)
        if first is None:
            span = self._stayed(state, seen)
            return GeofenceState(sides, seen, span), self._passage(state, seen, look)
        if sides.inside is not self.alarming_inside:
            ended = state.span and _ended(state.span, first, seen)
            return GeofenceState(sides, seen), ended
        if state.sides.inside is None and not self.from_the_start:
            return GeofenceState(sides, seen), None
        span = Span(first.at, None, None, self._value(look), _evidence(state.last, *_different(first, seen)))
        if self.stays is None:
            span = span._replace(reached_at=max(seen.at, first.at + self.hold_for))
        return GeofenceState(sides, seen, span), None

    def open_span(self, state: GeofenceState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a fix
        """Give the span that holds: pending until `hold_for` is over."""
        return state.span

    def wake_at(self, state: GeofenceState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over."""
        return reached_after(state.span, now)

    def load(self, document: Sequence[Any]) -> GeofenceState:
        """Read back a state."""
        sides, last, span = document
        return GeofenceState(sides_from_json(sides), None if last is None else Fix(*last), span_from_json(span))

    def _stayed(self, state: GeofenceState, seen: Fix) -> Span | None:
        """See whether it has stayed long enough; a gap in which nobody knows where it was begins it anew."""
        span = state.span
        if self.stays is None or span is None or span.reached_at is not None:
            return span
        if state.last is not None and seen.at - state.last.at > self.max_gap:
            return span._replace(opened_at=seen.at, evidence=_evidence(seen))
        if seen.at - span.opened_at < self.stays:
            return span
        return span._replace(reached_at=seen.at, evidence=(*span.evidence, tuple(seen)))

    def _passage(self, state: GeofenceState, seen: Fix, look: Look) -> Span | None:
        """Find the way through the area between two fixes outside."""
        last = state.last
        if not self.alarming_inside or self.stays is not None or self.boundary.confirm > 1:
            return None
        if last is None or state.sides.inside is not False or seen.at - last.at > self.max_gap:
            return None
        start = Point(self.boundary.plane.metres(last.longitude, last.latitude))
        way = LineString([start, look.point])
        area = self.boundary.area
        if not area.intersects(way) or area.intersects(start) or area.intersects(look.point):
            return None
        # Nor do two fixes that err at a corner lead through it.
        through = area.intersection(way).length
        if through <= self.boundary.margin_metres + max(error_of(last), error_of(seen)):
            return None
        value = through if self.feature is None else self.feature.distance(way)
        return Span(seen.at, seen.at + self.hold_for, seen.at, round(value, 1), _evidence(last, seen))

    def _value(self, look: Look) -> float:
        return look.metres if self.feature is None else round(float(self.feature.distance(look.point)), 1)


def compile_geofence(geofence: Geofence, shapes: Sequence[str], hold_for: Instant) -> GeofenceCondition:
    """Make the condition of a definition about an area: entered, left or stayed in.

    Args:
        shapes: GeoJSON geometries as text, the definition's own or its sites'.

    Raises:
        ValueError: there is no area among the shapes.
    """
    ground = lay_out(shapes, AREAS)
    return GeofenceCondition(
        boundary=boundary(ground.plane, ground.geometry, geofence.margin_metres, geofence.confirm),  # pyright: ignore[reportArgumentType]  # areas only
        alarming_inside=geofence.event is not GeofenceEvent.EXIT,
        from_the_start=geofence.event is GeofenceEvent.DWELL,
        stays=None if geofence.duration is None else to_span(geofence.duration),
        max_gap=to_span(geofence.max_gap),
        hold_for=hold_for,
    )


def compile_near(near: Near, shapes: Sequence[str], hold_for: Instant) -> GeofenceCondition:
    """Make the condition of a nearness: the area within the distance is entered by the first fix in it.

    Raises:
        ValueError: there is no feature.
    """
    ground = lay_out(shapes, SHAPES)
    area: Any = ground.geometry.buffer(near.distance_metres)
    return GeofenceCondition(
        boundary=boundary(ground.plane, area, near.margin_metres, near.confirm, deep=0.0),
        alarming_inside=True,
        from_the_start=True,
        feature=ground.geometry,
        max_gap=to_span(near.max_gap),
        hold_for=hold_for,
    )


def _ended(span: Span, first: Fix, seen: Fix) -> Span:
    """End a span at the first fix that is back; not before it was told."""
    return span._replace(ended_at=max(first.at, span.opened_at), evidence=(*span.evidence, tuple(seen)))


def _different(first: Fix, seen: Fix) -> list[Fix]:
    return [seen] if first.at == seen.at else [first, seen]


def _evidence(*fixes: Fix | None) -> Evidence:
    listed = sorted({fix.at: tuple(fix) for fix in fixes if fix is not None}.items())
    return tuple(fix for _, fix in listed)
