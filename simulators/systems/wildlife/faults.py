"""What befalls an animal: it lies still, dies, crosses the fence, or runs straight on."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import LineString, Point

from simulators.moment import Moment
from simulators.systems.wildlife.befallen import Befallen
from simulators.systems.wildlife.fence import Fence
from simulators.systems.wildlife.species import Species

# Assumed, and what demonstrations rely on: whoever means to cross is at the fence in less than a minute if it can.
_SECONDS_TO_FENCE = 50.0
_CROSSING_AT_LEAST = 2.0
# Who has come through does not stand still, which would be another fault: it circles at a walk.
_CIRCLE_METRES, _CIRCLING = 60.0, 1.2
_SHORTEST_BEYOND = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Animal:
    """One animal of a reserve; `row` is its place in the arrays; no fence stops it where `fence` is None."""

    row: int
    species: Species
    fence: Fence | None
    befallen: Befallen

    @property
    def place(self) -> tuple[float, float]:
        """Return where it is: (east, north) in metres."""
        east, north = self.befallen.place[:, self.row]
        return float(east), float(north)

    def settle(self) -> None:
        """Let its walk go on from here, unless it is across the fence: then it comes back first."""
        east, north = self.place
        if self.fence is None or bool(shapely.contains_xy(self.fence.inner, east, north)):
            self.befallen.settle(self.row)


class _Carried(ABC):
    """A fault that says where the animal is, starting from where it was."""

    def __init__(self, animal: Animal) -> None:
        self._animal = animal
        self._known: dict[str, float] = {}

    def step(self, moment: Moment) -> None:
        """Carry the animal for a step."""
        here = self._animal.place
        # Another fault may have carried it elsewhere meanwhile: then the course is laid anew.
        if (self._known.get("last_east"), self._known.get("last_north")) != here:
            self._known = self._begin(here)
        place, velocity = self._move(moment.seconds)
        self._known["last_east"], self._known["last_north"] = place
        self._animal.befallen.carry(self._animal.row, place, velocity)

    def end(self) -> None:
        """Let it go on from here."""
        self._animal.settle()

    def state(self) -> dict[str, float]:
        """Give what is known of the course."""
        return dict(self._known)

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        self._known = dict(state)

    @abstractmethod
    def _begin(self, place: tuple[float, float]) -> dict[str, float]:
        """Lay the course."""

    @abstractmethod
    def _move(self, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return place and velocity after some seconds more."""


class Immobility(_Carried):
    """It lies still as long as it lasts; its receiver errs on."""

    def _begin(self, place: tuple[float, float]) -> dict[str, float]:
        return {"east": place[0], "north": place[1]}

    def _move(self, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
        del seconds
        return (self._known["east"], self._known["north"]), (0.0, 0.0)


class Mortality:
    """It dies, for good; where the fault ends nevertheless, its collar is brought to another animal of its kind."""

    def __init__(self, animal: Animal) -> None:
        self._animal = animal

    def step(self, moment: Moment) -> None:
        """Be dead."""
        del moment
        self._animal.befallen.kill(self._animal.row)

    def end(self) -> None:
        """Bring the collar to another one, which is where this one would be."""
        self._animal.befallen.replace(self._animal.row)

    def state(self) -> dict[str, float]:
        """Who is dead is known elsewhere."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up nothing."""


class FenceCrossing(_Carried):
    """It makes straight for the nearest fence, goes on behind it, and circles there until it turns back.

    Args:
        metres_per_second: 0: fast enough to be at the fence in a minute, as far as its kind can run.
        beyond_metres: how far behind the fence it goes.
    """

    def __init__(self, animal: Animal, fence: Fence, metres_per_second: float, beyond_metres: float) -> None:
        super().__init__(animal)
        self._fence = fence
        self._speed = metres_per_second
        self._beyond = beyond_metres

    def end(self) -> None:
        """Let it come back: its walk went on inside."""

    def _begin(self, place: tuple[float, float]) -> dict[str, float]:
        here = Point(place)
        outline = LineString(self._fence.area.exterior.coords)
        gap = shapely.get_point(shapely.shortest_line(outline, here), 0)
        east, north = gap.x - place[0], gap.y - place[1]
        to_fence = math.hypot(east, north)
        if to_fence == 0.0:
            east, north = place[0] - outline.centroid.x, place[1] - outline.centroid.y
        length = math.hypot(east, north) or 1.0
        unit = (east / length, north / length)
        if not self._fence.area.contains(here):
            unit, to_fence = (-unit[0], -unit[1]), 0.0
        usual = min(max(to_fence / _SECONDS_TO_FENCE, _CROSSING_AT_LEAST), self._animal.species.running)
        return {
            "east": place[0],
            "north": place[1],
            "unit_east": unit[0],
            "unit_north": unit[1],
            "goal": to_fence + self._free_way(place, unit, to_fence),
            "beyond": self._free_way(place, unit, to_fence),
            "speed": self._speed or usual,
            "walked": 0.0,
        }

    def _free_way(self, place: tuple[float, float], unit: tuple[float, float], to_fence: float) -> float:
        """Return how far it can go on without coming into the reserve again where its outline bends."""
        beyond = self._beyond
        while beyond > _SHORTEST_BEYOND:
            start, end = to_fence + 1.0, to_fence + beyond
            way = LineString([(place[0] + unit[0] * far, place[1] + unit[1] * far) for far in (start, end)])
            if not self._fence.area.intersects(way):
                break
            beyond /= 2.0
        return max(beyond, _SHORTEST_BEYOND)

    def _move(self, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
        known = self._known
        has_come = known["walked"] >= known["goal"]
        speed = _CIRCLING if has_come else known["speed"]
        known["walked"] += speed * seconds
        ahead, aside, forward, sideways = _straight_then_circle(
            known["walked"], known["goal"], min(_CIRCLE_METRES, 0.4 * known["beyond"])
        )
        east, north = known["unit_east"], known["unit_north"]
        return (
            (known["east"] + east * ahead + north * aside, known["north"] + north * ahead - east * aside),
            (speed * (east * forward + north * sideways), speed * (north * forward - east * sideways)),
        )


class Streaking(_Carried):
    """It runs straight on, and along the fence or back where it comes to it."""

    _TURNS = np.radians([0, 15, -15, 30, -30, 45, -45, 60, -60, 75, -75, 90, -90, 120, -120, 150, -150, 180])

    def __init__(self, animal: Animal, metres_per_second: float) -> None:
        super().__init__(animal)
        self._speed = metres_per_second

    def _begin(self, place: tuple[float, float]) -> dict[str, float]:
        east, north = self._animal.befallen.velocity[:, self._animal.row]
        return {"east": place[0], "north": place[1], "heading": math.atan2(east, north)}

    def _move(self, seconds: float) -> tuple[tuple[float, float], tuple[float, float]]:
        known = self._known
        far = self._speed * seconds
        known["heading"] += self._turn(far)
        east, north = math.sin(known["heading"]), math.cos(known["heading"])
        place = (known["east"] + far * east, known["north"] + far * north)
        fence = self._animal.fence
        if fence is not None and bool(fence.is_outside(*np.array([place]).T)[0]):
            place = self._inward(fence, place, far)
        known["east"], known["north"] = place
        return place, (self._speed * east, self._speed * north)

    def _turn(self, far: float) -> float:
        """Return by how much it has to turn, in radians, for a step that stays inside: as little as possible."""
        fence = self._animal.fence
        if fence is None:
            return 0.0
        known = self._known
        headings = known["heading"] + self._TURNS
        outside = fence.is_outside(known["east"] + far * np.sin(headings), known["north"] + far * np.cos(headings))
        return float(self._TURNS[int(np.argmin(outside))])

    def _inward(self, fence: Fence, place: tuple[float, float], far: float) -> tuple[float, float]:
        """Return a place inside for one that is not: too long a step, or an animal that was outside before."""
        known = self._known
        east, north = (float(edge[0]) for edge in fence.nearest(*np.array([place]).T))
        way = math.hypot(east - known["east"], north - known["north"])
        share = min(1.0, far / way) if way > 0.0 else 1.0
        return known["east"] + share * (east - known["east"]), known["north"] + share * (north - known["north"])


def _straight_then_circle(walked: float, goal: float, radius: float) -> tuple[float, float, float, float]:
    """Return metres ahead and aside after a way that ends in a circle, and the direction in which it goes there."""
    if walked <= goal:
        return walked, 0.0, 1.0, 0.0
    angle = (walked - goal) / radius
    return goal + radius * math.sin(angle), radius * (1.0 - math.cos(angle)), math.cos(angle), math.sin(angle)
