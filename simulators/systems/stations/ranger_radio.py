"""Rangers' radios: at the post by night, on a round through the bush by day."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Fixes, Metric
from simulators.scenario import DevicePlan
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, World
from veldwatch.errors import ConfigurationInvalid

# Assumed: a foot patrol leaves in the morning and walks some 6 to 16 km.
_LEAVES, _RETURNS = 6.0, 16.0
_RADIUS_METRES = (1000.0, 2500.0)
# Source: GPS Standard Positioning Service performance standard, 5th edition, 2020: metres for hand-held receivers.
_ERROR_METRES = 4.0
_METRES_PER_DEGREE = 111_132.0
_PER_SHIFT_PERCENT = 45.0


class RangerRadios(StationBank):
    """Fixes and `battery` in %; the round is a circle through the post, another one each day.

    Raises:
        ConfigurationInvalid: a radio has no place, which is its post.
    """

    model = "ranger_radio"
    metrics = (Metric(name="battery", unit="%", decimals=0),)

    def __init__(self, devices: Sequence[DevicePlan], world: World, weather: Weather) -> None:
        super().__init__(devices, world, weather)
        for plan in devices:
            if plan.place is None:
                raise ConfigurationInvalid(f"bad place of {plan.organisation}/{plan.id}: None (expected its post)")
        self._post = np.array([plan.place for plan in devices]).T

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell the battery: used on the round, charged at night."""
        used = _PER_SHIFT_PERCENT * _share(moment.hour)
        charging = max(0.0, 1.0 - (moment.hour - _RETURNS) / 4.0) if moment.hour >= _RETURNS else 1.0
        battery = 100.0 - (used if moment.hour < _RETURNS else _PER_SHIFT_PERCENT * charging)
        return {"battery": np.full(len(rows), battery)}

    def fixes(self, rows: Rows, moment: Moment) -> Fixes:
        """Locate them."""
        day = (moment.at + moment.utc_offset) // 86_400_000
        radius = self.chance.between("radius", *_RADIUS_METRES, day)[rows]
        bearing = 2.0 * math.pi * self.chance.uniform("bearing", day)[rows]
        along = 2.0 * math.pi * _share(moment.hour)
        # A circle through the post: its middle lies a radius away, and the walk begins and ends at the post.
        east = radius * (np.cos(bearing) - np.cos(bearing + along))
        north = radius * (np.sin(bearing) - np.sin(bearing + along))
        east = east + _ERROR_METRES * self.chance.normal("east", moment.number)[rows]
        north = north + _ERROR_METRES * self.chance.normal("north", moment.number)[rows]
        longitude, latitude = self._post[0][rows], self._post[1][rows]
        walks = 0.0 < along < 2.0 * math.pi
        pace = 2.0 * math.pi * radius / ((_RETURNS - _LEAVES) * 3600.0)
        return Fixes(
            longitude=longitude + east / (_METRES_PER_DEGREE * np.cos(np.radians(latitude))),
            latitude=latitude + north / _METRES_PER_DEGREE,
            accuracy=np.full(len(rows), _ERROR_METRES),
            speed=pace if walks else np.zeros(len(rows)),
            heading=(180.0 - np.degrees(bearing + along)) % 360.0,
        )


def _share(hour: float) -> float:
    """Return how much of the day's round is walked."""
    return min(max((hour - _LEAVES) / (_RETURNS - _LEAVES), 0.0), 1.0)
