"""Weather stations: the weather of their site tree, each with its own corner of it."""

from collections.abc import Mapping

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, State, SystemPlan, World

_TIP_MM = 0.2
"""One tip of the bucket. Source: WMO-No. 8, chapter 6: 0.2 mm is the usual resolution."""


class WeatherStations(StationBank):
    """`temperature` in °C, `humidity` in %RH, register `rain` in mm, `wind_speed` in m/s."""

    model = "weather_station"
    metrics = (
        Metric(name="temperature", unit="Cel", decimals=1),
        Metric(name="humidity", unit="%RH", decimals=1),
        Metric(name="rain", unit="mm", decimals=1),
        Metric(name="wind_speed", unit="m/s", decimals=1),
    )

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._rain = self.chance.between("start", 200.0, 700.0)

    def advance(self, moment: Moment) -> None:
        """Collect rain."""
        self._rain += self.weather.rain_rate * moment.seconds / 3600.0

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read every sensor."""
        local = self.chance.smooth("local", moment.at_seconds, 900.0)[rows]
        gust = self.chance.smooth("gust", moment.at_seconds, 45.0)[rows]
        temperature = self.weather.temperature + 2.0 * (local - 0.5)
        return {
            "temperature": temperature,
            "humidity": np.clip(self.weather.humidity - 2.7 * 2.0 * (local - 0.5), 18.0, 99.0),
            "rain": np.floor(self._rain[rows] / _TIP_MM) * _TIP_MM,
            "wind_speed": 0.8 + 3.5 * local + 1.6 * gust,
        }

    def state(self) -> State:
        """Give the rain collected."""
        return {"rain": self._rain}

    def restore(self, state: State) -> None:
        """Go on from a register."""
        self._rain = state["rain"].copy()

    def resume(self, row: int, values: Mapping[str, float]) -> None:
        """Go on from a register."""
        if "rain" in values:
            self._rain[row] = values["rain"]
