"""GeoJSON geometries as canonical text, so that the same shape reads the same wherever it was written.

Source: RFC 7946, section 3.1.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import cast

MOST_VERTICES = 10_000

AREAS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
POINTS = ("Point", "MultiPoint")
SHAPES = (*AREAS, *LINES, *POINTS)

_Counted = list[list[float]]
"""Every vertex that was read, to count them."""


def canonical_geometry(value: object, kinds: Collection[str] = SHAPES) -> str:
    """Check a geometry of some kinds, alone or as a Feature, and write it as compact JSON.

    Raises:
        ValueError: saying what is wrong.
    """
    geometry = _geometry(value)
    kind = geometry.get("type")
    if kind not in kinds:
        raise ValueError(f"type {kind!r} (expected a GeoJSON {' or '.join(kinds)})")
    vertices: _Counted = []
    coordinates = _READERS[str(kind)](geometry.get("coordinates"), vertices)
    if len(vertices) > MOST_VERTICES:
        raise ValueError(f"more than {MOST_VERTICES} vertices (simplify it)")
    return json.dumps({"coordinates": coordinates, "type": kind}, separators=(",", ":"), sort_keys=True)


def _geometry(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} (expected a GeoJSON geometry)")  # noqa: TRY004  # one error for all callers
    geometry = cast("Mapping[str, object]", value)
    inner = geometry.get("geometry")
    if geometry.get("type") == "Feature" and isinstance(inner, Mapping):
        return cast("Mapping[str, object]", inner)
    return geometry


def _polygon(value: object, vertices: _Counted) -> list[object]:
    rings = [_ring(ring, vertices) for ring in _sequence(value, "a polygon")]
    if not rings:
        raise ValueError("no ring (expected at least one)")
    return [*rings]


def _ring(value: object, vertices: _Counted) -> list[list[float]]:
    ring = [_vertex(vertex, vertices) for vertex in _sequence(value, "a ring")]
    if len(ring) < 4 or ring[0] != ring[-1]:
        raise ValueError(f"a ring of {len(ring)} vertices (expected at least four, the last equal to the first)")
    return ring


def _line(value: object, vertices: _Counted) -> list[list[float]]:
    line = [_vertex(vertex, vertices) for vertex in _sequence(value, "a line")]
    if len(line) < 2:
        raise ValueError(f"a line of {len(line)} vertices (expected at least two)")
    return line


def _vertex(value: object, vertices: _Counted) -> list[float]:
    numbers = _sequence(value, "a vertex")
    if len(numbers) < 2 or not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers[:2]):
        raise ValueError(f"vertex {value!r} (expected [longitude, latitude])")
    longitude, latitude = (float(cast("float", number)) for number in numbers[:2])
    if not (math.isfinite(longitude) and abs(longitude) <= 360 and abs(latitude) <= 90):
        raise ValueError(f"vertex {value!r} (expected longitude and latitude in degrees)")
    vertices.append([longitude, latitude])
    return vertices[-1]


def _several(read: Callable[[object, _Counted], object]) -> Callable[[object, _Counted], object]:
    def read_all(value: object, vertices: _Counted) -> list[object]:
        parts = [read(part, vertices) for part in _sequence(value, "coordinates")]
        if not parts:
            raise ValueError("no coordinates (expected at least one part)")
        return parts

    return read_all


def _sequence(value: object, what: str) -> Sequence[object]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{what} is {value!r} (expected a list)")  # noqa: TRY004  # one error for all callers
    return cast("Sequence[object]", value)


_READERS: Mapping[str, Callable[[object, _Counted], object]] = {
    "Polygon": _polygon,
    "MultiPolygon": _several(_polygon),
    "LineString": _line,
    "MultiLineString": _several(_line),
    "Point": _vertex,
    "MultiPoint": _several(_vertex),
}
