"""Small reserves to try things in, and animals to follow."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Fixes
from simulators.scenario import Area, DevicePlan, Point, SitePlan
from simulators.systems.system import PhysicalFault, SystemPlan, World
from simulators.systems.wildlife.reserve import Reserve

BEGINS_AT = 1_790_000_000_000 // 3_600_000 * 3_600_000
HOME = (31.25, -10.2)
DEGREES_A_KILOMETRE = 1 / 111.132


def site(kilometres: float = 6.0, *, bent: bool = False) -> SitePlan:
    """Make a square reserve around HOME, or an L without its north-eastern quarter."""
    half = kilometres / 2 * DEGREES_A_KILOMETRE
    east, north = HOME
    corners = [(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)] if bent else [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    ring = tuple((east + x * half, north + y * half) for x, y in [*corners, corners[0]])
    return SitePlan(
        slug="reserve",
        organisation="agency",
        name="Reserve",
        kind="reserve",
        geometry=Area(type="Polygon", coordinates=(ring,)),
    )


def unfenced() -> SitePlan:
    """Make a site without an area."""
    return SitePlan(
        slug="reserve",
        organisation="agency",
        name="Reserve",
        kind="reserve",
        geometry=Point(type="Point", coordinates=HOME),
    )


def collar(
    number: int,
    settings: Mapping[str, Any],
    *,
    interval_seconds: float = 600.0,
    place: tuple[float, float] | None = HOME,
) -> DevicePlan:
    """Make a collar."""
    return DevicePlan(
        id=f"collar-{number}",
        name=f"Collar {number}",
        organisation="agency",
        site="reserve",
        profile="collar",
        model="collar",
        interval_seconds=interval_seconds,
        place=place,
        settings=settings,
    )


def reserve(*devices: DevicePlan, where: SitePlan | None = None, seed: int = 1) -> Reserve:
    """Make a reserve with these collars."""
    plan = SystemPlan(name="agency/reserve", sites=(where or site(),), devices=tuple(devices), begins_at=BEGINS_AT)
    return Reserve(plan, World(seed=seed))


class Watch:
    """Follows the animals of a reserve, whose local time is two hours ahead."""

    def __init__(self, system: Reserve) -> None:
        self.system = system
        self.now = BEGINS_AT

    def moments(self, hours: float, step_seconds: float, *faults: PhysicalFault) -> Iterator[Moment]:
        """Let some hours pass; yields the end of each step."""
        step = round(step_seconds * 1000)
        for _ in range(round(hours * 3_600_000 / step)):
            self.now += step
            moment = Moment(at=self.now, step=step, utc_offset=7_200_000)
            for fault in faults:
                fault.step(moment)
            self.system.advance(moment)
            yield moment

    def track(self, hours: float, step_seconds: float, *faults: PhysicalFault) -> Floats:
        """Let some hours pass; returns true places, steps x 2 x n, in metres east and north of HOME."""
        return np.array([self.places for _ in self.moments(hours, step_seconds, *faults)])

    def fixes(self, hours: float, step_seconds: float, *faults: PhysicalFault) -> list[Fixes]:
        """Let some hours pass; returns a fix of every collar at each step."""
        rows = np.arange(len(self.system.banks[0].devices))
        found = [self.system.banks[0].fixes(rows, moment) for moment in self.moments(hours, step_seconds, *faults)]
        return [fixes for fixes in found if fixes is not None]

    @property
    def places(self) -> Floats:
        """Return true places, 2 x n, in metres east and north of HOME."""
        return metres(*self.system.whereabouts)


def metres(longitude: Floats, latitude: Floats) -> Floats:
    """Return 2 x n metres east and north of HOME."""
    east = (longitude - HOME[0]) / DEGREES_A_KILOMETRE * 1000 * np.cos(np.radians(HOME[1]))
    return np.stack((east, (latitude - HOME[1]) / DEGREES_A_KILOMETRE * 1000))
