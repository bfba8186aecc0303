"""GeoJSON polygons as canonical text, so that the same area reads the same wherever it was written.

Source: RFC 7946, sections 3.1.6 and 3.1.7.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import cast

MOST_VERTICES = 10_000


def canonical_polygon(value: object) -> str:
    """Check a Polygon or MultiPolygon, alone or as a Feature, and write it as compact JSON.

    Raises:
        ValueError: saying what is wrong.
    """
    geometry = _geometry(value)
    kind = geometry.get("type")
    if kind == "Polygon":
        polygons = [_sequence(geometry.get("coordinates"), "coordinates")]
    elif kind == "MultiPolygon":
        polygons = [_sequence(part, "a polygon") for part in _sequence(geometry.get("coordinates"), "coordinates")]
    else:
        raise ValueError(f"type {kind!r} (expected a GeoJSON Polygon or MultiPolygon)")
    rings = [[_ring(ring) for ring in polygon] for polygon in polygons]
    if not rings or not all(rings):
        raise ValueError("no ring (expected at least one)")
    if sum(len(ring) for polygon in rings for ring in polygon) > MOST_VERTICES:
        raise ValueError(f"more than {MOST_VERTICES} vertices (simplify it)")
    coordinates = rings[0] if kind == "Polygon" else rings
    return json.dumps({"coordinates": coordinates, "type": kind}, separators=(",", ":"), sort_keys=True)


def _geometry(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} (expected a GeoJSON geometry)")  # noqa: TRY004  # one error for all callers
    geometry = cast("Mapping[str, object]", value)
    inner = geometry.get("geometry")
    if geometry.get("type") == "Feature" and isinstance(inner, Mapping):
        return cast("Mapping[str, object]", inner)
    return geometry


def _ring(value: object) -> list[list[float]]:
    ring = [_vertex(vertex) for vertex in _sequence(value, "a ring")]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError(f"a ring of {len(ring)} vertices (expected at least four, the last equal to the first)")
    return ring


def _vertex(value: object) -> list[float]:
    numbers = _sequence(value, "a vertex")
    if len(numbers) < 2 or not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers[:2]):
        raise ValueError(f"vertex {value!r} (expected [longitude, latitude])")
    longitude, latitude = (float(cast("float", number)) for number in numbers[:2])
    if not (math.isfinite(longitude) and abs(longitude) <= 360 and abs(latitude) <= 90):
        raise ValueError(f"vertex {value!r} (expected longitude and latitude in degrees)")
    return [longitude, latitude]


def _sequence(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{what} is {value!r} (expected a list)")  # noqa: TRY004  # one error for all callers
    return cast("Sequence[object]", value)
