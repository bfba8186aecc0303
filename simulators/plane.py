"""A small plane on the earth: metres east and north of a place, good to a part in a thousand over 50 km."""

import math
from dataclasses import dataclass

import shapely
from shapely.geometry import LineString, Point, Polygon

# Source: WGS 84, metres per degree of latitude at the equator and at 45°, averaged.
_METRES_PER_DEGREE = 111_132.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """Turns degrees of WGS 84 into metres around an origin, and back."""

    longitude: float
    latitude: float

    def metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Return (east, north) of the origin."""
        return (
            (longitude - self.longitude) * _METRES_PER_DEGREE * math.cos(math.radians(self.latitude)),
            (latitude - self.latitude) * _METRES_PER_DEGREE,
        )

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Return (longitude, latitude), to a decimetre."""
        return (
            round(self.longitude + east / _METRES_PER_DEGREE / math.cos(math.radians(self.latitude)), 6),
            round(self.latitude + north / _METRES_PER_DEGREE, 6),
        )

    def polygon(self, ring: list[tuple[float, float]]) -> Polygon:
        """Lay a ring of (longitude, latitude) on the plane."""
        return Polygon([self.metres(longitude, latitude) for longitude, latitude in ring])


def nearest_boundary(area: Polygon, east: float, north: float) -> tuple[float, float]:
    """Return the point of an area's boundary that is nearest to a place."""
    point = shapely.get_point(shapely.shortest_line(LineString(area.exterior.coords), Point(east, north)), 0)
    return float(point.x), float(point.y)


def bearing(east: float, north: float) -> float:
    """Return the direction of a vector in degrees from north, clockwise, 0 to 360."""
    return math.degrees(math.atan2(east, north)) % 360
