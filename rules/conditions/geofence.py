"""Geofence: a boundary crossed.

A fix changes the side only when it is clearly across: outward by more than `margin_metres` and the fix's own accuracy,
inward by its accuracy. A device whose side was never clear has crossed nothing, so the first fix ever outside is no
exit. Two fixes outside whose straight way leads through the area (by more than the margin, and not further apart in
time than `max_gap`) are an entry and an exit at the second of them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, shape

from rules.conditions.places import Plane
from rules.conditions.span import Evidence, Fix, Instant, Span, span_from_json
from rules.instants import to_span
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent

Area = Polygon | MultiPolygon


class GeofenceState(NamedTuple):
    """Which side the device is on; None: never clear. And where it was last."""

    inside: bool | None = None
    last: Fix | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GeofenceCondition:
    """Holds while the device is on the side that its crossing led to.

    Attributes:
        area: in metres on `plane`, prepared.
        alarming_inside: the alert is about being inside (`enter`), else about being outside (`exit`).
    """

    plane: Plane
    area: Area
    alarming_inside: bool
    margin_metres: float
    max_gap: Instant
    hold_for: Instant

    def initial(self, *, truncated: bool) -> GeofenceState:  # noqa: ARG002  # a side is not guessed from what was cut off
        """Know no side."""
        return GeofenceState()

    def step(self, state: GeofenceState, seen: Fix) -> tuple[GeofenceState, Span | None]:
        """Take the side that the fix shows, and open or end a span when it is another one."""
        point = Point(self.plane.metres(seen.longitude, seen.latitude))
        inside = self._side(point, seen.accuracy or 0.0, state.inside)
        if inside is None or state.inside is None:
            return GeofenceState(inside, seen, state.span), None
        if inside is state.inside:
            return state._replace(last=seen), self._passage(state, seen, point)
        if inside is self.alarming_inside:
            evidence = _evidence(state.last, seen)
            span = Span(seen.at, seen.at + self.hold_for, None, self._distance(point), evidence)
            return GeofenceState(inside, seen, span), None
        ended = state.span and state.span._replace(ended_at=seen.at, evidence=(*state.span.evidence, tuple(seen)))
        return GeofenceState(inside, seen, None), ended

    def open_span(self, state: GeofenceState, now: Instant) -> Span | None:  # noqa: ARG002  # its end needs a fix
        """Give the span that holds: pending until `hold_for` is over."""
        return state.span

    def wake_at(self, state: GeofenceState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over."""
        if state.span is None or state.span.reached_at is None or state.span.reached_at <= now:
            return None
        return state.span.reached_at

    def load(self, document: Sequence[Any]) -> GeofenceState:
        """Read back a state."""
        inside, last, span = document
        return GeofenceState(inside, None if last is None else Fix(*last), span_from_json(span))

    def _side(self, point: Point, accuracy: float, before: bool | None) -> bool | None:
        distance = self._distance(point)
        if self.area.intersects(point):
            return True if distance >= accuracy else before
        return False if distance > max(self.margin_metres, accuracy) else before

    def _distance(self, point: Point) -> float:
        return round(self.area.boundary.distance(point), 1)

    def _passage(self, state: GeofenceState, seen: Fix, point: Point) -> Span | None:
        """Find the way through the area between two fixes outside."""
        if state.inside or not self.alarming_inside or state.last is None or seen.at - state.last.at > self.max_gap:
            return None
        start = self.plane.metres(state.last.longitude, state.last.latitude)
        way = LineString([start, (point.x, point.y)])
        if not self.area.intersects(way):
            return None
        through = self.area.intersection(way).length
        if through <= self.margin_metres:
            return None
        return Span(seen.at, seen.at + self.hold_for, seen.at, round(through, 1), _evidence(state.last, seen))


def compile_geofence(geofence: Geofence, polygon: str, hold_for: Instant) -> GeofenceCondition:
    """Make the condition of a definition.

    Args:
        polygon: GeoJSON geometry as text, the definition's own or its site's.
    """
    degrees = shape(json.loads(polygon))
    centre = degrees.centroid
    plane = Plane(longitude=centre.x, latitude=centre.y)
    area = shapely.transform(degrees, lambda vertices: _flatten(plane, vertices))  # pyright: ignore[reportUnknownLambdaType]  # shapely's stubs
    area = _valid(area)
    shapely.prepare(area)
    return GeofenceCondition(
        plane=plane,
        area=area,
        alarming_inside=geofence.event is GeofenceEvent.ENTER,
        margin_metres=geofence.margin_metres,
        max_gap=to_span(geofence.max_gap),
        hold_for=hold_for,
    )


def _flatten(plane: Plane, vertices: Any) -> Any:  # noqa: ANN401  # NumPy arrays, n x 2
    for index, (longitude, latitude) in enumerate(vertices):
        vertices[index] = plane.metres(longitude, latitude)
    return vertices


def _valid(area: Any) -> Area:  # noqa: ANN401  # any geometry
    """Make a bow-tie two triangles; what is left of lines is dropped."""
    if area.is_valid:
        return area
    parts: Any = shapely.get_parts(shapely.get_parts(shapely.make_valid(area)))  # pyright: ignore[reportUnknownArgumentType]  # shapely's stubs
    return MultiPolygon([part for part in parts if isinstance(part, Polygon)])


def _evidence(*fixes: Fix | None) -> Evidence:
    return tuple(tuple(fix) for fix in fixes if fix is not None)
