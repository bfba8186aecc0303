"""Documents of conditions on where trackers are."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility, Near, Speed, Way
from veldwatch.wire.conditions.shapes import (
    DAYS,
    DURATION,
    TEXT,
    TIME_OF_DAY,
    check_time_of_day,
    check_zone,
    kind_of,
    read_days,
)
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.geometries import AREAS, LINES, SHAPES, canonical_geometry

_LINE_EVENTS = tuple(event for event in GeofenceEvent if event.is_of_line)
_MOST_CONFIRMING = 20


def read_geofence(part: DocumentPart) -> Geofence:
    """Read a geofence."""
    event = part.choice("event", GeofenceEvent)
    where = part.one_of("site", "sites_of_kind", "line" if event.is_of_line else "polygon")
    is_due = event is GeofenceEvent.OUTSIDE_WHEN_DUE
    return Geofence(
        event=event,
        site=part.text("site") if where == "site" else None,
        sites_of_kind=part.text("sites_of_kind") if where == "sites_of_kind" else None,
        polygon=_geometry(part, "polygon", AREAS) if where == "polygon" else None,
        line=_geometry(part, "line", LINES) if where == "line" else None,
        margin_metres=part.number_or("margin_metres", 25.0, lowest=0.0, highest=100_000.0),
        max_gap=part.duration_or("max_gap", timedelta(hours=6)),
        confirm=part.whole_or("confirm", 1, lowest=1, highest=_MOST_CONFIRMING),
        duration=part.duration("duration") if event is GeofenceEvent.DWELL else None,
        lasts=part.duration_or("lasts", timedelta(hours=24), positive=True)
        if event.is_of_line
        else timedelta(hours=24),
        due_from=part.text("due_from", check_time_of_day) if is_due else None,
        due_to=part.text("due_to", check_time_of_day) if is_due else None,
        due_days=read_days(part, "due_days") if is_due else (),
        time_zone=(part.text_or_none("time_zone", check_zone) or "UTC") if is_due else "UTC",
    )


def read_near(part: DocumentPart) -> Near:
    """Read a nearness to a feature."""
    where = part.one_of("site", "sites_of_kind", "feature")
    return Near(
        distance_metres=part.number("distance_metres", lowest=0.1, highest=1_000_000.0),
        site=part.text("site") if where == "site" else None,
        sites_of_kind=part.text("sites_of_kind") if where == "sites_of_kind" else None,
        feature=_geometry(part, "feature", SHAPES) if where == "feature" else None,
        margin_metres=part.number_or("margin_metres", 25.0, lowest=0.0, highest=100_000.0),
        max_gap=part.duration_or("max_gap", timedelta(hours=6)),
        confirm=part.whole_or("confirm", 1, lowest=1, highest=_MOST_CONFIRMING),
    )


def read_immobility(part: DocumentPart) -> Immobility:
    """Read an immobility."""
    return Immobility(
        radius_metres=part.number_or("radius_metres", 13.0, lowest=0.1, highest=100_000.0),
        window=part.duration_or("window", timedelta(seconds=18000), positive=True),
        share=part.number_or("share", 0.8, lowest=0.5, highest=1.0),
    )


def read_speed(part: DocumentPart) -> Speed:
    """Read a speed."""
    limit = part.one_of("above", "below", "below_percentile")
    condition = Speed(
        above=part.number("above", lowest=0.0, highest=10_000.0) if limit == "above" else None,
        below=part.number("below", lowest=0.0, highest=10_000.0) if limit == "below" else None,
        below_percentile=part.number(limit, lowest=0.0, highest=50.0) if limit == "below_percentile" else None,
        dead_band=part.number_or("dead_band", 0.0, lowest=0.0, highest=10_000.0),
        of=part.choice("of", Way, Way.PATH),
        window=part.duration_or("window", timedelta(hours=1), positive=True),
        max_gap=part.duration_or("max_gap", timedelta(hours=2), positive=True),
    )
    if condition.above is not None and condition.dead_band > condition.above:
        raise part.wrong("dead_band", condition.dead_band, "expected at most the limit, or it never ends")
    return condition


def geofence_schemas() -> list[dict[str, Any]]:
    """Describe a geofence, by its event and by what says where."""
    return [_geofence(events, where) for events in _VARIANTS for where in ("site", "sites_of_kind", _own(events))]


def near_schemas() -> list[dict[str, Any]]:
    """Describe a nearness, by what says the feature."""
    properties = {"distance_metres": {"type": "number", "minimum": 0.1, "maximum": 1_000_000}, **_TOLERANCE}
    return [
        kind_of("near", {**properties, where: _WHERE[where]}, ["distance_metres", where])
        for where in ("site", "sites_of_kind", "feature")
    ]


def immobility_schemas() -> list[dict[str, Any]]:
    """Describe an immobility."""
    properties: dict[str, Any] = {
        "radius_metres": {"type": "number", "minimum": 0.1, "maximum": 100_000},
        "window": DURATION,
        "share": {"type": "number", "minimum": 0.5, "maximum": 1},
    }
    return [kind_of("immobility", properties, [])]


def speed_schemas() -> list[dict[str, Any]]:
    """Describe a speed, by its limit."""
    speed = {"type": "number", "minimum": 0, "maximum": 10_000, "description": "km/h"}
    limits = {"above": speed, "below": speed, "below_percentile": {"type": "number", "minimum": 0, "maximum": 50}}
    properties = {
        "dead_band": speed,
        "of": {"enum": [way.value for way in Way]},
        "window": DURATION,
        "max_gap": DURATION,
    }
    return [kind_of("speed", {limit: schema, **properties}, [limit]) for limit, schema in limits.items()]


_VARIANTS: Sequence[Sequence[GeofenceEvent]] = (
    (GeofenceEvent.ENTER, GeofenceEvent.EXIT),
    (GeofenceEvent.DWELL,),
    (GeofenceEvent.OUTSIDE_WHEN_DUE,),
    _LINE_EVENTS,
)
_TOLERANCE: dict[str, Any] = {
    "margin_metres": {"type": "number", "minimum": 0, "maximum": 100_000},
    "max_gap": DURATION,
    "confirm": {"type": "integer", "minimum": 1, "maximum": _MOST_CONFIRMING},
}
_WHERE: dict[str, dict[str, Any]] = {
    "site": TEXT,
    "sites_of_kind": TEXT,
    "polygon": {"type": "object", "required": ["type"], "description": "GeoJSON Polygon or MultiPolygon, WGS 84"},
    "line": {"type": "object", "required": ["type"], "description": "GeoJSON LineString or MultiLineString, WGS 84"},
    "feature": {"type": "object", "required": ["type"], "description": "GeoJSON points, lines or polygons, WGS 84"},
}


def _own(events: Sequence[GeofenceEvent]) -> str:
    return "line" if events[0].is_of_line else "polygon"


def _geofence(events: Sequence[GeofenceEvent], where: str) -> dict[str, Any]:
    properties: dict[str, Any] = {"event": {"enum": [e.value for e in events]}, where: _WHERE[where], **_TOLERANCE}
    required = ["event", where]
    if events == (GeofenceEvent.DWELL,):
        properties["duration"] = DURATION
        required.append("duration")
    if events == (GeofenceEvent.OUTSIDE_WHEN_DUE,):
        properties |= {"due_from": TIME_OF_DAY, "due_to": TIME_OF_DAY, "due_days": DAYS, "time_zone": TEXT}
        required += ["due_from", "due_to"]
    if events == _LINE_EVENTS:
        properties["lasts"] = DURATION
    return kind_of("geofence", properties, required)


def _geometry(part: DocumentPart, key: str, kinds: Collection[str]) -> str:
    try:
        return canonical_geometry(part.raw(key), kinds)
    except ValueError as error:
        raise RuleInvalid(f"bad {part.at(key)}: {error}") from error
