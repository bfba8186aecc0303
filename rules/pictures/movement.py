"""What is drawn of conditions on where trackers are: a map, and the number that decides over time."""

from collections.abc import Sequence

import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from rules.conditions.geofence import GeofenceCondition
from rules.conditions.immobility import FEWEST, ImmobilityCondition
from rules.conditions.line_crossing import CrossingCondition
from rules.conditions.outside_when_due import DueCondition
from rules.conditions.places import Plane
from rules.conditions.sides import Boundary
from rules.conditions.speed import SpeedCondition
from rules.pictures.charts import Chart, Curve, Form, Limit, Map, Outline, Part, Scale
from rules.pictures.moments import fixes_of, second
from rules.rule_tests import RuleTest
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed


def geofence_parts(condition: Geofence, test: RuleTest) -> Sequence[Part]:
    """Draw the area or line, and how far outside or beside it each fix is."""
    fold = test.fold.condition
    if isinstance(fold, CrossingCondition):
        return _line_parts(fold, condition, test)
    assert isinstance(fold, (GeofenceCondition, DueCondition))  # noqa: S101  # the other two
    outward = _outward(fold.boundary, test)
    limits = [
        Limit(value=0.0, label="boundary", faint=True),
        Limit(value=condition.margin_metres, label=f"outside: above {condition.margin_metres:g} m and the fix's error"),
    ]
    area, margin = fold.boundary.area, fold.boundary.area.buffer(condition.margin_metres)
    outlines = [_outline(area), _outline(margin, faint=True)]
    return [
        _map_on(fold.boundary.plane, test, outlines),
        Chart(title="metres outside", curves=[Curve(points=outward, form=Form.LINE)], limits=limits),
    ]


def near_parts(condition: Near, test: RuleTest) -> Sequence[Part]:
    """Draw the feature, and how far from it each fix is."""
    fold = test.fold.condition
    assert isinstance(fold, GeofenceCondition)  # noqa: S101  # what it compiles to
    plane = fold.boundary.plane
    places = [Point(plane.metres(fix.longitude, fix.latitude)) for fix in fixes_of(test)]
    points = [(second(f.at), fold.feature.distance(p)) for f, p in zip(fixes_of(test), places, strict=True)]
    limit = Limit(value=condition.distance_metres, label=f"near: within {condition.distance_metres:g} m")
    spot = fold.feature.buffer(condition.distance_metres / 40.0)
    outlines = [_outline(spot), _outline(fold.boundary.area, faint=True)]
    chart = Chart(title="metres from the place", curves=[Curve(points=points, form=Form.LINE)], limits=[limit])
    return [_map_on(plane, test, outlines), chart]


def immobility_parts(condition: Immobility, test: RuleTest) -> Sequence[Part]:
    """Draw which share of the window's fixes lies in one circle."""
    fold = test.fold.condition
    assert isinstance(fold, ImmobilityCondition)  # noqa: S101  # what it compiles to
    state = fold.initial(truncated=False)
    points: list[tuple[float, float]] = []
    for fix in fixes_of(test):
        state, _ = fold.step(state, fix)
        if len(state.fixes) >= FEWEST:
            points.append((second(fix.at), 100.0 * fold.share_near(state)))
    limit = Limit(value=100.0 * condition.share, label=f"{condition.share:.0%} within {condition.radius_metres:g} m")
    title = f"% of the last {Scale.DURATIONS.written(condition.window.total_seconds())} in one circle"
    return [track_of(test), Chart(title=title, curves=[Curve(points=points, form=Form.LINE)], limits=[limit])]


def speed_parts(condition: Speed, test: RuleTest) -> Sequence[Part]:
    """Draw the speed over each fix's window."""
    fold = test.fold.condition
    assert isinstance(fold, SpeedCondition)  # noqa: S101  # what it compiles to
    fixes = fixes_of(test)
    points: list[tuple[float, float]] = []
    for place, fix in enumerate(fixes):
        speed = fold.speed([other for other in fixes[: place + 1] if fix.at - other.at <= fold.window])
        if speed is not None:
            points.append((second(fix.at), speed))
    limits = [
        Limit(value=value, label=f"{side} {value:g}")
        for side, value in (("above", condition.above), ("below", condition.below))
        if value is not None
    ]
    title = f"km/h over the last {Scale.DURATIONS.written(condition.window.total_seconds())}"
    return [track_of(test), Chart(title=title, curves=[Curve(points=points, form=Form.LINE)], limits=limits)]


def track_of(test: RuleTest) -> Map:
    """Draw the fixes of a test on a map without anything else."""
    fixes = fixes_of(test)
    if not fixes:
        return Map(title="positions", track=[])
    return _map_on(Plane(longitude=fixes[0].longitude, latitude=fixes[0].latitude), test, [])


def _line_parts(fold: CrossingCondition, condition: Geofence, test: RuleTest) -> Sequence[Part]:
    points: list[tuple[float, float]] = []
    side, before = 1, None
    for fix in fixes_of(test):
        place = fold.plane.metres(fix.longitude, fix.latitude)
        if before is not None and fold.net_crossing(before, place):
            side = -side
        points.append((second(fix.at), side * float(fold.lines.distance(Point(place)))))
        before = place
    limits = [
        Limit(value=0.0, label="the line"),
        Limit(value=condition.margin_metres, label=f"{condition.margin_metres:g} m", faint=True),
        Limit(value=-condition.margin_metres, label=f"-{condition.margin_metres:g} m", faint=True),
    ]
    parts = [shapely.get_coordinates(part).tolist() for part in shapely.get_parts(fold.lines)]
    # There and back along each line, since outlines are closed.
    rings = [[(x, y) for x, y in (*part, *reversed(part))] for part in parts]
    chart = Chart(title="metres beside the line", curves=[Curve(points=points, form=Form.LINE)], limits=limits)
    return [_map_on(fold.plane, test, [Outline(rings=rings)]), chart]


def _outward(boundary: Boundary, test: RuleTest) -> list[tuple[float, float]]:
    points: list[tuple[float, float]] = []
    for fix in fixes_of(test):
        place = Point(boundary.plane.metres(fix.longitude, fix.latitude))
        sign = -1 if boundary.area.intersects(place) else 1
        points.append((second(fix.at), sign * float(boundary.rim.distance(place))))
    return points


def _map_on(plane: Plane, test: RuleTest, outlines: Sequence[Outline]) -> Map:
    track = [(second(fix.at), *plane.metres(fix.longitude, fix.latitude)) for fix in fixes_of(test)]
    return Map(title="positions", track=track, outlines=outlines)


def _outline(shape: BaseGeometry, *, faint: bool = False) -> Outline:
    rings = shapely.get_rings(shapely.get_parts(shape))
    return Outline(rings=[[(x, y) for x, y in shapely.get_coordinates(ring).tolist()] for ring in rings], faint=faint)
