"""Fixes on the planes of their folds' shapes, many at once, and how far they are from those shapes at least.

Around a place whose distance from a boundary was measured lies a circle that the boundary does not enter. What lies
in it needs no measuring: it is on the place's side, and so is every way between two places in it. Most animals stay
in one circle for days.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from rules.conditions.places import METRES_PER_DEGREE, Plane
from rules.conditions.sides import error_of
from rules.conditions.span import Fix
from rules.screening.table import Floats, Mask, Slots
from veldwatch.model.track import UNTOLD_ERROR_METRES

SLACK = 0.2
"""Metres: more than rounding makes of a distance, which is told in tenths."""
_ERRORS = error_of(Fix(0, 0.0, 0.0, 1.0))


class Places:
    """The planes of many folds."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        self._longitude = np.array([plane.longitude for plane in planes])
        self._latitude = np.array([plane.latitude for plane in planes])
        self._scale = METRES_PER_DEGREE * np.cos(np.radians(self._latitude))

    def metres(self, slots: Slots, seen: Floats) -> Floats:
        """Give metres east and north, n x 2, of fixes."""
        east = (seen[:, 0] - self._longitude[slots] + 180.0) % 360.0 - 180.0
        return np.column_stack((east * self._scale[slots], (seen[:, 1] - self._latitude[slots]) * METRES_PER_DEGREE))


class Circles:
    """Around one place of each fold, the circle that its boundary does not enter."""

    def __init__(self, boundaries: Sequence[Any]) -> None:
        """Know no circle.

        Args:
            boundaries: shapely's, one of each fold, in metres.
        """
        self._boundaries = geometries(boundaries)
        self._centre = np.zeros((len(boundaries), 2))
        self._room = np.full(len(boundaries), -1.0)

    def centre(self, slots: Slots, places: Floats) -> Floats:
        """Measure from places, and lay the circles around them; gives the distances."""
        self._centre[slots] = places
        self._room[slots] = shapely.distance(self._boundaries[slots], shapely.points(places))
        return self._room[slots]

    def room(self, slots: Slots, places: Floats) -> Floats:
        """Tell how far places are from the boundaries at least; below 0: that is not known."""
        return self._room[slots] - np.hypot(*(places - self._centre[slots]).T)

    def holds_way(self, slots: Slots, start: Floats, end: Floats) -> Mask:
        """Tell whether the ways between places surely do not touch the boundaries."""
        safe = np.minimum(self.room(slots, start), self.room(slots, end)) > SLACK
        left = np.flatnonzero(~safe)
        if len(left):
            ways = shapely.linestrings(np.stack((start[left], end[left]), axis=1))
            safe[left] = shapely.distance(self._boundaries[slots[left]], ways) > SLACK
        return safe


def errors(seen: Floats) -> Floats:
    """Tell how far from the truth fixes may be, in metres: `rules.conditions.sides.error_of`."""
    return _ERRORS * np.where(np.isnan(seen[:, 2]), UNTOLD_ERROR_METRES, seen[:, 2])


def columns_of(fix: Fix) -> tuple[float, float, float]:
    """Give a fix as a row."""
    return fix.longitude, fix.latitude, np.nan if fix.accuracy is None else fix.accuracy


def fix_of(at: Any, row: npt.NDArray[np.float64]) -> Fix:  # noqa: ANN401  # NumPy's number
    """Put a fix together again."""
    longitude, latitude, accuracy = row.tolist()
    return Fix(int(at), longitude, latitude, None if accuracy != accuracy else accuracy)  # noqa: PLR0124  # NaN


def geometries(shapes: Sequence[Any]) -> npt.NDArray[np.object_]:
    """Put shapes in an array, to be picked by slot."""
    array = np.empty(len(shapes), object)
    array[:] = shapes
    return array
