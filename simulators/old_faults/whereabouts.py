"""Animals that are not where their clean walk has them: stuck in one place, or across the fence.

Both carry the animal away from its walk by an offset; once the fault is over the offset shrinks at a trot, so that
nobody sees a leap.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shapely.geometry import Polygon

from simulators.faults.fault import Parameters
from simulators.plane import Plane, bearing, nearest_boundary
from simulators.reports import Fix, Report, State
from simulators.signals import seeded

_RETURN_METRES_PER_SECOND = 4.0
_JITTER_METRES = 2.5


@dataclass(slots=True, kw_only=True)
class Offset:
    """How far, in metres east and north, an animal is from its clean walk."""

    east: float = 0.0
    north: float = 0.0

    @property
    def metres(self) -> float:
        """Return its length."""
        return math.hypot(self.east, self.north)

    def shrink(self, seconds: float) -> None:
        """Walk back for a while."""
        left = max(0.0, 1.0 - _RETURN_METRES_PER_SECOND * seconds / self.metres) if self.metres else 0.0
        self.east, self.north = self.east * left, self.north * left


class Span(NamedTuple):
    """The moment before, and the moment of a report."""

    since: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """Return its length."""
        return (self.until - self.since).total_seconds()


class _Elsewhere(ABC):
    """What both faults share: the offset, and the way back."""

    def __init__(self, plane: Plane) -> None:
        self.active = False
        self._plane = plane
        self._offset = Offset()
        self._anchor: tuple[float, float] | None = None

    def end(self) -> None:
        """Let the animal return to its walk."""
        self.active = False
        self._anchor = None

    def apply(self, report: Report, since: datetime, until: datetime) -> Report:
        """Put the animal where the fault has it."""
        if report.fix is None or not (self.active or self._offset.metres):
            return report
        span = Span(since, until)
        walk = self._plane.metres(report.fix.longitude, report.fix.latitude)
        if not self.active:
            self._offset.shrink(span.seconds)
            fix = replace(report.fix, speed=_RETURN_METRES_PER_SECOND) if self._offset.metres else report.fix
        else:
            self._anchor = self._anchor or (walk[0] + self._offset.east, walk[1] + self._offset.north)
            east, north, fix = self._place(report.fix, self._anchor, span)
            self._offset.east, self._offset.north = east - walk[0], north - walk[1]
        longitude, latitude = self._plane.degrees(walk[0] + self._offset.east, walk[1] + self._offset.north)
        return replace(report, fix=replace(fix, longitude=longitude, latitude=latitude))

    def state(self) -> State:
        """Give offset and anchor."""
        anchor = {} if self._anchor is None else {"anchor_east": self._anchor[0], "anchor_north": self._anchor[1]}
        return {"active": float(self.active), "east": self._offset.east, "north": self._offset.north, **anchor}

    def restore(self, state: State) -> None:
        """Go on from there."""
        self.active = bool(state["active"])
        self._offset = Offset(east=state["east"], north=state["north"])
        anchored = "anchor_east" in state
        self._anchor = (state["anchor_east"], state["anchor_north"]) if anchored else None

    @abstractmethod
    def _place(self, fix: Fix, anchor: tuple[float, float], span: Span) -> tuple[float, float, Fix]:
        """Say where the fault has the animal: east, north, and the fix with its speed."""


class Immobility(_Elsewhere):
    """The collar lies still; its receiver still errs by a few metres."""

    def __init__(self, plane: Plane, name: str, seed: int) -> None:
        super().__init__(plane)
        self._name = name
        self._seed = seed

    def begin(self, parameters: Parameters) -> None:  # noqa: ARG002  # it takes none
        """Stop moving."""
        self.active = True

    def _place(self, fix: Fix, anchor: tuple[float, float], span: Span) -> tuple[float, float, Fix]:
        draws = seeded(self._seed, self._name, "still", span.until.timestamp())
        east = anchor[0] + draws.gauss(0.0, _JITTER_METRES)
        north = anchor[1] + draws.gauss(0.0, _JITTER_METRES)
        return east, north, replace(fix, speed=round(abs(draws.gauss(0.0, 0.05)), 2))


class FenceCrossing(_Elsewhere):
    """The animal walks straight over the nearest fence and on; parameters `metres_per_second`, `beyond_metres`."""

    _USUAL_BEYOND_METRES = 350.0
    _SLOWEST, _FASTEST = 2.0, 9.0  # an elephant's charge is faster: 11 m/s
    _SECONDS_TO_FENCE = 50.0
    _CIRCLE_METRES = 60.0
    _CIRCLING = 1.2

    def __init__(self, plane: Plane, reserve: Polygon) -> None:
        super().__init__(plane)
        self._reserve = reserve
        self._speed = 0.0
        self._beyond = self._USUAL_BEYOND_METRES
        self._walked = 0.0

    def begin(self, parameters: Parameters) -> None:
        """Head for the fence; without `metres_per_second`, fast enough to be there in a minute."""
        if not self.active:
            self.active = True
            self._walked = 0.0
            self._speed = max(0.0, parameters.get("metres_per_second", 0.0))
            self._beyond = max(20.0, parameters.get("beyond_metres", self._USUAL_BEYOND_METRES))

    def state(self) -> State:
        """Give also how far it came."""
        return super().state() | {"walked": self._walked, "speed": self._speed, "beyond": self._beyond}

    def restore(self, state: State) -> None:
        """Go on walking."""
        super().restore(state)
        self._walked, self._speed, self._beyond = state["walked"], state["speed"], state["beyond"]

    def _place(self, fix: Fix, anchor: tuple[float, float], span: Span) -> tuple[float, float, Fix]:
        fence = nearest_boundary(self._reserve, *anchor)
        way = (fence[0] - anchor[0], fence[1] - anchor[1])
        to_fence = math.hypot(*way) or 1.0
        self._speed = self._speed or min(self._FASTEST, max(self._SLOWEST, to_fence / self._SECONDS_TO_FENCE))
        goal = to_fence + self._beyond
        arrived = self._walked >= goal
        self._walked += (self._CIRCLING if arrived else self._speed) * span.seconds
        ahead, aside = _straight_then_circle(self._walked, goal, self._CIRCLE_METRES)
        unit = (way[0] / to_fence, way[1] / to_fence)
        east = anchor[0] + unit[0] * ahead + unit[1] * aside
        north = anchor[1] + unit[1] * ahead - unit[0] * aside
        speed = self._CIRCLING if arrived else self._speed
        return east, north, replace(fix, speed=round(speed, 2), heading=round(bearing(*unit), 1))


def _straight_then_circle(walked: float, goal: float, radius: float) -> tuple[float, float]:
    """Return metres ahead and aside after a way that ends in a circle: who has arrived does not stand still."""
    if walked <= goal:
        return walked, 0.0
    angle = (walked - goal) / radius
    return goal + radius * math.sin(angle) * 0.5, radius * (1 - math.cos(angle))
