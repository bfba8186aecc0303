"""A collared animal: a correlated random walk around its home, drawn back when it strays, inside the reserve.

Source for the model: Turchin 1998, "Quantitative Analysis of Movement" (correlated random walk), with a pull towards
home as in Dunn and Gipson 1977, Biometrics 33. Speeds suit a demonstration: an animal here does not rest for hours.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from shapely.geometry import Point, Polygon
from shapely.prepared import prep

from simulators.devices.device import World
from simulators.plane import Plane
from simulators.reports import Fix, Report, State
from simulators.signals import DailyShape, seeded, steps

# Share of the usual speed, by hour: active at dawn and dusk.
_ACTIVITY = (
    0.85, 0.85, 0.85, 0.90, 1.05, 1.25, 1.30, 1.20, 1.05, 0.95, 0.90, 0.85,
    0.85, 0.85, 0.90, 0.95, 1.10, 1.25, 1.30, 1.20, 1.05, 0.95, 0.90, 0.85,
)  # fmt: skip
SPEEDS = MappingProxyType({"elephant": 1.3, "rhino": 1.1, "wild_dog": 2.2})
"""Metres a second when walking."""
_STEP = timedelta(seconds=15)
_TURN_PER_ROOT_SECOND = 0.055
_FENCE_MARGIN_METRES = 90.0
_GPS_ERROR_METRES = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where an animal lives, in metres on a plane whose origin is the middle of its home range."""

    plane: Plane
    radius_metres: float
    reserve: Polygon


class Collar:
    """Fixes with an error of a few metres, and `battery` in %."""

    def __init__(self, name: str, world: World, home: Home, species: str) -> None:
        self._name = name
        self._seed = world.seed
        self._home = home
        self._activity = DailyShape(hours=_ACTIVITY, utc_offset=world.utc_offset)
        self._speed = SPEEDS[species]
        self._roaming = prep(home.reserve.buffer(-_FENCE_MARGIN_METRES))
        start = seeded(world.seed, name, "start")
        self._east = start.uniform(-0.5, 0.5) * home.radius_metres
        self._north = start.uniform(-0.5, 0.5) * home.radius_metres
        self._heading = start.uniform(0.0, 2 * math.pi)
        self._battery = start.uniform(60.0, 100.0)

    def advance(self, since: datetime, until: datetime) -> None:
        """Walk."""
        for middle, seconds in steps(since, until, _STEP):
            self._walk(middle, seconds)
        self._battery = max(5.0, self._battery - (until - since).total_seconds() / 86400 * 0.1)

    def report(self, at: datetime) -> Report:
        """Take a fix."""
        error = seeded(self._seed, self._name, "fix", at.timestamp())
        longitude, latitude = self._home.plane.degrees(
            self._east + error.gauss(0.0, _GPS_ERROR_METRES), self._north + error.gauss(0.0, _GPS_ERROR_METRES)
        )
        fix = Fix(
            longitude=longitude,
            latitude=latitude,
            accuracy=round(error.uniform(3.0, 8.0), 1),
            speed=round(self._speed * self._activity.value(at), 2),
            heading=round(math.degrees(self._heading) % 360, 1),
        )
        return Report(readings={"battery": round(self._battery, 1)}, fix=fix)

    def state(self) -> State:
        """Give place, heading (radians from north) and battery."""
        return {"east": self._east, "north": self._north, "heading": self._heading, "battery": self._battery}

    def restore(self, state: State) -> None:
        """Go on from a place."""
        self._east, self._north = state["east"], state["north"]
        self._heading, self._battery = state["heading"], state["battery"]

    def _walk(self, middle: datetime, seconds: float) -> None:
        draws = seeded(self._seed, self._name, "walk", middle.timestamp())
        self._heading += draws.gauss(0.0, _TURN_PER_ROOT_SECOND * math.sqrt(seconds))
        homeward = math.atan2(-self._east, -self._north)
        away = math.hypot(self._east, self._north) / self._home.radius_metres
        if away > 1.0:
            self._heading += math.remainder(homeward - self._heading, 2 * math.pi) * min(
                1.0, (away - 1.0) * seconds / 15
            )
        length = self._speed * self._activity.value(middle) * seconds
        if not self._step(length):
            self._heading = homeward
            self._step(length)

    def _step(self, length: float) -> bool:
        east = self._east + length * math.sin(self._heading)
        north = self._north + length * math.cos(self._heading)
        inside = self._roaming.contains(Point(east, north))
        if inside:
            self._east, self._north = east, north
        return inside
