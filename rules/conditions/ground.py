"""Shapes on the ground: GeoJSON in degrees made into metres on one plane."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from rules.conditions.places import METRES_PER_DEGREE, Plane
from veldwatch.wire.geometries import AREAS


class Ground(NamedTuple):
    """A plane, and what lies on it in its metres."""

    plane: Plane
    geometry: BaseGeometry


def lay_out(shapes: Sequence[str], kinds: Sequence[str]) -> Ground:
    """Put all shapes of some kinds on one plane, as one geometry.

    Args:
        shapes: GeoJSON geometries as text.
        kinds: GeoJSON types; others are left out.

    Raises:
        ValueError: there are none.
    """
    degrees = [geometry for geometry in (shape(json.loads(text)) for text in shapes) if geometry.geom_type in kinds]
    if not degrees:
        raise ValueError(f"no shape (expected a {kinds[0]})")
    west, south, east, north = shapely.total_bounds(degrees).tolist()
    plane = Plane(longitude=(west + east) / 2.0, latitude=(south + north) / 2.0)
    parts = [_valid(shapely.transform(geometry, lambda vertices: _flatten(plane, vertices))) for geometry in degrees]  # pyright: ignore[reportUnknownLambdaType]  # shapely's stubs
    geometry = parts[0] if len(parts) == 1 else shapely.union_all(parts)
    if geometry.is_empty:
        raise ValueError(f"an empty shape (expected a {kinds[0]})")
    return Ground(plane, geometry)


def _flatten(plane: Plane, vertices: Any) -> Any:  # noqa: ANN401  # NumPy arrays, n x 2
    east = (vertices[:, 0] - plane.longitude + 180.0) % 360.0 - 180.0
    scale = METRES_PER_DEGREE * np.cos(np.radians(plane.latitude))
    return np.column_stack((east * scale, (vertices[:, 1] - plane.latitude) * METRES_PER_DEGREE))


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    """Make a bow-tie two triangles; what is left of lines is dropped."""
    if geometry.is_valid or geometry.geom_type not in AREAS:
        return geometry
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(geometry)))
    return shapely.union_all([part for part in parts if part.geom_type in AREAS])
