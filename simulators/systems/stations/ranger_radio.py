"""Rangers' radios: at the post by night, on a round through the bush by day."""

from collections.abc import Mapping
from typing import cast

import numpy as np
from shapely.geometry import Point, Polygon

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.plane import Plane, bearing, nearest_boundary
from simulators.report import Fixes, Metric
from simulators.scenario import Area, DevicePlan
from simulators.systems.stations.patrol import Round, draw_round, inner
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, SystemPlan, World
from veldwatch.errors import ConfigurationInvalid

_OPEN_METRES = 5000.0
"""Around its post a patrol stays whose sites have no area. Assumed."""
# Source: GPS Standard Positioning Service performance standard, 5th edition, 2020: metres for hand-held receivers.
_ERROR_METRES = 4.0
# Assumed: a shift takes less than half of a charge, which four hours of the evening give back.
_SHIFT_HOURS, _SHIFT_PERCENT, _CHARGED_FROM, _CHARGING_HOURS = (6.0, 16.0), 45.0, 18.0, 4.0
_DAY = 86_400_000


class RangerRadios(StationBank):
    """Fixes and `battery` in %; a patrol stays inside the area of its site, or of the nearest one above with an area.

    Raises:
        ConfigurationInvalid: a radio has no place, which is its post.
    """

    model = "ranger_radio"
    metrics = (Metric(name="battery", unit="%", decimals=0),)

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._planes = [_plane(device) for device in self.devices]
        self._areas = [_area(plan, device, plane) for device, plane in zip(self.devices, self._planes, strict=True)]
        self._own: list[Chance] = [world.chance([f"{device.organisation}/{device.id}"]) for device in self.devices]
        self._rounds: dict[int, tuple[int, Round]] = {}

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell the battery: used on the round, charged in the evening."""
        begins, ends = _SHIFT_HOURS
        used = min(max((moment.hour - begins) / (ends - begins), 0.0), 1.0)
        charged = min(max((moment.hour - _CHARGED_FROM) / _CHARGING_HOURS, 0.0), 1.0)
        return {"battery": np.full(len(rows), 100.0 - _SHIFT_PERCENT * (used - charged))}

    def fixes(self, rows: Rows, moment: Moment) -> Fixes:
        """Locate them."""
        day, rest = divmod(moment.at + moment.utc_offset, _DAY)
        errors = [_ERROR_METRES / 2**0.5 * self.chance.normal(axis, moment.number)[rows] for axis in ("east", "north")]
        longitude, latitude, speed, heading = np.zeros((4, len(rows)))
        for index, row in enumerate(cast("list[int]", rows.tolist())):
            east, north, fast_east, fast_north = self._round(row, day).at(rest / 1000)
            seen_east, seen_north = east + float(errors[0][index]), north + float(errors[1][index])
            longitude[index], latitude[index] = self._planes[row].degrees(seen_east, seen_north)
            speed[index], heading[index] = np.hypot(fast_east, fast_north), bearing(fast_east, fast_north)
        return Fixes(
            longitude=longitude,
            latitude=latitude,
            accuracy=np.full(len(rows), _ERROR_METRES),
            speed=speed,
            heading=heading,
        )

    def _round(self, row: int, day: int) -> Round:
        known = self._rounds.get(row)
        if known is None or known[0] != day:
            area = self._areas[row]
            home = Point(0.0, 0.0)
            # A post beyond the margin: its patrol begins where the margin does.
            post = (0.0, 0.0) if area.covers(home) else nearest_boundary(area, 0.0, 0.0)
            known = self._rounds[row] = day, draw_round(self._own[row], day, post, area)
        return known[1]


def _plane(device: DevicePlan) -> Plane:
    if device.place is None:
        raise ConfigurationInvalid(f"bad place of {device.organisation}/{device.id}: None (expected its post)")
    return Plane(longitude=device.place[0], latitude=device.place[1])


def _area(plan: SystemPlan, device: DevicePlan, plane: Plane) -> Polygon:
    sites = {(site.organisation, site.slug): site for site in plan.sites}
    site = sites[device.organisation, device.site]
    while not isinstance(site.geometry, Area):
        if site.parent is None:
            return Point(0.0, 0.0).buffer(_OPEN_METRES)
        site = sites[site.organisation, site.parent]
    return inner(plane.polygon(list(site.geometry.coordinates[0])))
