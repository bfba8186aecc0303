"""On which side of a boundary a device is, though its fixes err.

A fix is *clear* when it is further from the boundary than the margin and its own error together; others prove
nothing. The side changes when `confirm` of at most 2 `confirm` - 1 clear fixes in a row show the other one, so the two
thresholds are a hysteresis both ways, and a wild fix alone does nothing where `confirm` is 2 or more.

What receivers tell as accuracy is a radius that holds about two thirds of the errors, 1.5 deviations along an axis;
twice that is three deviations. A fix that tells none errs by 30 m (`veldwatch.model.track`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import shapely
from shapely.geometry import MultiPolygon, Point, Polygon

from rules.conditions.places import Plane
from rules.conditions.span import Fix
from veldwatch.model.track import UNTOLD_ERROR_METRES

Area = Polygon | MultiPolygon
_ERRORS = 2.0
"""Of a fix's accuracy, that count as its error."""
_DEEP = 0.5
"""Of an area's inscribed circle: so deep a fix is inside, however little the area."""


def error_of(fix: Fix) -> float:
    """Tell how far from the truth a fix may be, in metres."""
    return _ERRORS * (UNTOLD_ERROR_METRES if fix.accuracy is None else fix.accuracy)


class Vote(NamedTuple):
    """A clear fix, and the side that it shows."""

    side: int
    fix: Fix


def voted(votes: Sequence[Vote], vote: Vote, confirm: int) -> tuple[tuple[Vote, ...], Fix | None]:
    """Add a clear fix to those before it; give those that count, and the first that shows what is confirmed now.

    Once enough agree, the votes are empty again.
    """
    kept = (*votes, vote)[-(2 * confirm - 1) :]
    agreeing = [other for other in kept if other.side == vote.side]
    return ((), agreeing[0].fix) if len(agreeing) >= confirm else (kept, None)


def votes_from_json(document: Sequence[Any]) -> tuple[Vote, ...]:
    """Read back what JSON made of votes."""
    return tuple(Vote(side, Fix(*fix)) for side, fix in document)


class Sides(NamedTuple):
    """Which side the device is on; None: never clear. And clear fixes since the first that shows the other one."""

    inside: bool | None = None
    votes: tuple[Vote, ...] = ()


class Look(NamedTuple):
    """Where a fix is: on the plane, how far from the boundary, and on which side if that is clear."""

    point: Point
    metres: float
    clear: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """An area with its tolerance.

    Attributes:
        area: in metres on `plane`, prepared.
        deep: so many metres inside a fix is inside, whatever its error.
    """

    plane: Plane
    area: Area
    rim: Any
    margin_metres: float
    confirm: int
    deep: float

    def look(self, fix: Fix) -> Look:
        """Judge a fix by itself."""
        point = Point(self.plane.metres(fix.longitude, fix.latitude))
        metres = round(float(self.rim.distance(point)), 1)
        needed = self.margin_metres + error_of(fix)
        if self.area.intersects(point):
            return Look(point, metres, True if metres >= min(needed, self.deep) else None)
        return Look(point, metres, False if metres > needed else None)

    def follow(self, sides: Sides, fix: Fix, look: Look) -> tuple[Sides, Fix | None]:
        """Take a fix in; give the first of those that confirm that the side is another one than it was."""
        if look.clear is None or (look.clear is sides.inside and not sides.votes):
            return sides, None
        votes, first = voted(sides.votes, Vote(int(look.clear), fix), self.confirm)
        if first is None:
            return Sides(sides.inside, votes), None
        return Sides(look.clear), None if look.clear is sides.inside else first


def boundary(plane: Plane, area: Area, margin_metres: float, confirm: int, deep: float | None = None) -> Boundary:
    """Make a boundary.

    Args:
        deep: as the attribute; None: half of what the area has room for.
    """
    shapely.prepare(area)
    room = shapely.maximum_inscribed_circle(area).length if deep is None else 0.0
    return Boundary(
        plane=plane,
        area=area,
        rim=area.boundary,
        margin_metres=margin_metres,
        confirm=confirm,
        deep=_DEEP * room if deep is None else deep,
    )


def sides_from_json(document: Sequence[Any]) -> Sides:
    """Read back what JSON made of sides."""
    inside, votes = document
    return Sides(inside, votes_from_json(votes))
