"""A foot patrol's day: out from its post, from place to place inside an area, with rests, and back."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon

from simulators.chance import Chance, Floats

# Source: van Doormaal et al. 2022, Oryx 56(4): teams walk in the early morning, before the heat. How long: assumed.
_LEAVES_HOUR = (5.5, 7.0)
_LEGS = 5
_LEG_METRES = (700.0, 2200.0)
# Source: Bohannon, Williams Andrews 2011, Physiotherapy 97: adults walk at 0.94 to 1.43 m/s on even ground; slower
# through the bush, assumed.
_METRES_PER_SECOND = (0.6, 1.3)
_REST_SECONDS = (300.0, 1500.0)
_ATTEMPTS = 24
_MARGIN_METRES = 40.0
"""From the boundary: more than a receiver errs."""


@dataclass(frozen=True, slots=True)
class Round:
    """A day's way: corners in metres, and at which second of the day each is reached; between two it is straight."""

    seconds: Floats
    east: Floats
    north: Floats

    def at(self, second: float) -> tuple[float, float, float, float]:
        """Return where the patrol is, and its velocity: (east, north) in m and in m/s."""
        east, north = (
            float(np.interp(second, self.seconds, self.east)),
            float(np.interp(second, self.seconds, self.north)),
        )
        leg = int(np.searchsorted(self.seconds, second, side="right"))
        if leg in (0, len(self.seconds)):
            return east, north, 0.0, 0.0
        lasts = float(self.seconds[leg] - self.seconds[leg - 1])
        return (
            east,
            north,
            float(self.east[leg] - self.east[leg - 1]) / lasts,
            float(self.north[leg] - self.north[leg - 1]) / lasts,
        )

    @property
    def metres(self) -> float:
        """Return how long the way is."""
        return float(np.hypot(np.diff(self.east), np.diff(self.north)).sum())


def inner(area: Polygon) -> Polygon:
    """Return the part of an area in which a patrol walks; all of a small one."""
    part = area.buffer(-_MARGIN_METRES)
    inside = part if part.geom_type == "Polygon" and not part.is_empty else area
    shapely.prepare(inside)
    return inside


def draw_round(chance: Chance, day: int, post: tuple[float, float], area: Polygon) -> Round:
    """Draw a day's round of one patrol.

    Args:
        chance: of this patrol alone.
        day: local day, counted from 1970.
        post: in metres, inside the area.
        area: in metres; no way leaves it.
    """

    def drawn(what: str, low: float, high: float) -> float:
        return float(chance.between(what, low, high, day)[0])

    places = [post]
    for leg in range(_LEGS):
        found = _next_place(chance, day * _LEGS + leg, places[-1], area)
        # Home must be in sight from every place, so that the way back is inside as well.
        if found is not None and area.covers(LineString([found, post])):
            places.append(found)
    places.append(post)
    now = drawn("leaves", *_LEAVES_HOUR) * 3600.0
    seconds, corners = [now], [post]
    for number, (one, other) in enumerate(pairwise(places)):
        length = float(np.hypot(other[0] - one[0], other[1] - one[1]))
        if length < 1.0:
            continue
        now += length / drawn(f"pace:{number}", *_METRES_PER_SECOND)
        seconds.append(now)
        corners.append(other)
        if number + 2 < len(places):
            now += drawn(f"rest:{number}", *_REST_SECONDS)
            seconds.append(now)
            corners.append(other)
    east, north = np.array(corners).T
    return Round(seconds=np.array(seconds), east=east, north=north)


def _next_place(chance: Chance, number: int, origin: tuple[float, float], area: Polygon) -> tuple[float, float] | None:
    for attempt in range(_ATTEMPTS):
        length = float(chance.between(f"length:{attempt}", *_LEG_METRES, number)[0])
        # Small areas are walked in short legs.
        length *= 0.9**attempt
        bearing = 2.0 * np.pi * float(chance.uniform(f"bearing:{attempt}", number)[0])
        place = (origin[0] + length * float(np.sin(bearing)), origin[1] + length * float(np.cos(bearing)))
        if area.covers(LineString([origin, place])):
            return place
    return None
