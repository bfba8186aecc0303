"""Documents of conditions on where trackers are."""

from datetime import timedelta
from typing import Any

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.polygons import canonical_polygon


def read_geofence(part: DocumentPart) -> Geofence:
    """Read a geofence."""
    area = part.one_of("site", "polygon")
    return Geofence(
        event=part.choice("event", GeofenceEvent),
        site=part.text("site") if area == "site" else None,
        polygon=_polygon(part) if area == "polygon" else None,
        margin_metres=part.number_or("margin_metres", 25.0, lowest=0.0, highest=100_000.0),
        max_gap=part.duration_or("max_gap", timedelta(hours=6)),
    )


def read_immobility(part: DocumentPart) -> Immobility:
    """Read an immobility."""
    return Immobility(
        radius_metres=part.number_or("radius_metres", 13.0, lowest=0.1, highest=100_000.0),
        window=part.duration_or("window", timedelta(seconds=18000), positive=True),
        share=part.number_or("share", 0.8, lowest=0.5, highest=1.0),
    )


def geofence_schemas() -> list[dict[str, Any]]:
    """Describe a geofence, by what says the area."""
    return [_geofence(area) for area in ("site", "polygon")]


def immobility_schemas() -> list[dict[str, Any]]:
    """Describe an immobility."""
    properties: dict[str, Any] = {
        "radius_metres": {"type": "number", "minimum": 0.1, "maximum": 100_000},
        "window": DURATION,
        "share": {"type": "number", "minimum": 0.5, "maximum": 1},
    }
    return [kind_of("immobility", properties, [])]


def _geofence(area: str) -> dict[str, Any]:
    polygon = {"type": "object", "required": ["type"], "description": "GeoJSON Polygon or MultiPolygon, WGS 84"}
    properties: dict[str, Any] = {
        "event": {"enum": [event.value for event in GeofenceEvent]},
        area: TEXT if area == "site" else polygon,
        "margin_metres": {"type": "number", "minimum": 0, "maximum": 100_000},
        "max_gap": DURATION,
    }
    return kind_of("geofence", properties, ["event", area])


def _polygon(part: DocumentPart) -> str:
    value = part.raw("polygon")
    try:
        return canonical_polygon(value)
    except ValueError as error:
        raise RuleInvalid(f"bad {part.at('polygon')}: {error}") from error
