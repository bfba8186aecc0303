"""A reserve's fence: healthy animals turn a little before it."""

import numpy as np
import shapely
from shapely.geometry import Polygon

from simulators.chance import Floats
from simulators.systems.system import Flags

# A receiver's error (receiver.py) stays well below this, so that no fix of an animal inside is outside.
_MARGIN_METRES = 60.0


class Fence:
    """An area and the part of it in which healthy animals stay, in metres.

    Attributes:
        area: all of the reserve.
        inner: what is left of it away from the fence.
    """

    def __init__(self, area: Polygon) -> None:
        self.area = area
        margin = _MARGIN_METRES
        inner = area.buffer(-margin)
        while inner.is_empty:
            margin /= 2.0
            inner = area.buffer(-margin)
        self.inner = inner
        shapely.prepare(self.inner)
        shapely.prepare(self.area)

    def is_outside(self, east: Floats, north: Floats) -> Flags:
        """Say which places are too close to the fence, or beyond it."""
        return ~shapely.contains_xy(self.inner, east, north)

    def nearest(self, east: Floats, north: Floats) -> tuple[Floats, Floats]:
        """Return the nearest places of the inner part; each place itself where it is inside."""
        ends = shapely.get_point(shapely.shortest_line(self.inner, shapely.points(east, north)), 0)
        return np.asarray(shapely.get_x(ends), dtype=np.float64), np.asarray(shapely.get_y(ends), dtype=np.float64)

    def mirrored(self, east: Floats, north: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Fold places outside back in; returns (east, north) and the direction outward, of length 1 or 0."""
        edge_east, edge_north = self.nearest(east, north)
        over_east, over_north = east - edge_east, north - edge_north
        length = np.hypot(over_east, over_north)
        folded_east, folded_north = edge_east - over_east, edge_north - over_north
        # In a corner, or after a leap, the mirror image may be outside too.
        lost = self.is_outside(folded_east, folded_north)
        unit = np.where(length > 0.0, length, 1.0)
        return (
            np.where(lost, edge_east, folded_east),
            np.where(lost, edge_north, folded_north),
            over_east / unit,
            over_north / unit,
        )
