"""Metres on a small part of the Earth: a plane that touches it at one point.

Equirectangular: x is longitude scaled by the cosine of the reference latitude. Within 100 km of the reference and below
60 degrees of latitude lengths are right within 1 %, far below the error of a fix.
"""

import math
from dataclasses import dataclass

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on a sphere of 6,371.0 km: the mean radius of WGS 84."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """The plane that touches at a place, in degrees."""

    longitude: float
    latitude: float

    def metres(self, longitude: float, latitude: float) -> tuple[float, float]:
        """Give metres east and north of the reference; the short way around the antimeridian."""
        east = (longitude - self.longitude + 180.0) % 360.0 - 180.0
        scale = METRES_PER_DEGREE * math.cos(math.radians(self.latitude))
        return east * scale, (latitude - self.latitude) * METRES_PER_DEGREE
