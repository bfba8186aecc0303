"""A weather station in the rainy season: warm days, short afternoon showers."""

import math
from datetime import datetime, timedelta

from simulators.devices.device import World
from simulators.reports import Report, State
from simulators.signals import Noise, local_hour, seeded, steps

_TIP_MM = 0.2
"""One tip of the bucket. Source: WMO-No. 8, chapter 6: 0.2 mm is the usual resolution."""
_STEP = timedelta(minutes=1)


class WeatherStation:
    """`temperature` in °C, `humidity` in %RH, register `rain` in mm, `wind_speed` in m/s."""

    def __init__(self, name: str, world: World) -> None:
        self._utc_offset = world.utc_offset
        self._front = Noise(seed=world.seed, name="front", period_seconds=5400)
        self._local = Noise(seed=world.seed, name=f"{name}:local", period_seconds=900)
        self._gust = Noise(seed=world.seed, name=f"{name}:gust", period_seconds=45)
        self._rain = seeded(world.seed, name, "start").uniform(200.0, 700.0)

    def advance(self, since: datetime, until: datetime) -> None:
        """Collect rain."""
        for middle, seconds in steps(since, until, _STEP):
            self._rain += self._rain_mm_per_hour(middle) * seconds / 3600

    def report(self, at: datetime) -> Report:
        """Read every sensor."""
        temperature = self._temperature(at)
        humidity = 98.0 - 2.7 * (temperature - 15.0) + 8.0 * (self._front.value(at) - 0.5)
        return Report(
            readings={
                "temperature": round(temperature, 1),
                "humidity": round(min(99.0, max(18.0, humidity)), 1),
                "rain": round(math.floor(self._rain / _TIP_MM) * _TIP_MM, 1),
                "wind_speed": round(0.8 + 3.5 * self._local.value(at) + 1.6 * self._gust.value(at), 1),
            }
        )

    def state(self) -> State:
        """Give the rain collected."""
        return {"rain": self._rain}

    def restore(self, state: State) -> None:
        """Go on from a register."""
        self._rain = state["rain"]

    def _temperature(self, at: datetime) -> float:
        # Coldest at 5, warmest at 14.
        phase = math.cos((local_hour(at, self._utc_offset) - 14.0) / 24 * 2 * math.pi)
        return 22.0 + 6.5 * phase + 2.0 * (self._local.value(at) - 0.5)

    def _rain_mm_per_hour(self, at: datetime) -> float:
        afternoon = 12.0 <= local_hour(at, self._utc_offset) < 20.0
        return max(0.0, self._front.value(at) - (0.72 if afternoon else 0.93)) * 90.0
