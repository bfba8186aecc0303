"""Weather stations: the weather of their site tree, each with its own corner of it."""

from collections.abc import Mapping

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather, day_course
from simulators.systems.system import Rows, State, SystemPlan, World

_TIP_MM = 0.2
"""One tip of the bucket. Source: WMO-No. 8, chapter 6: 0.2 mm is the usual resolution."""


class WeatherStations(StationBank):
    """`temperature` in °C, `humidity` in %RH, `air_pressure` in hPa, register `rain` in mm, `wind_speed` in m/s."""

    model = "weather_station"
    metrics = (
        Metric(name="temperature", unit="Cel", decimals=1),
        Metric(name="humidity", unit="%RH", decimals=1),
        Metric(name="air_pressure", unit="hPa", decimals=1),
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
        pressure = self.chance.smooth("pressure", moment.at_seconds, 3600.0)[rows]
        temperature = self.weather.temperature + 1.2 * (local - 0.5)
        return {
            "temperature": temperature,
            # The air of a site holds as much water everywhere: where it is warmer it is drier, by some 6 % a kelvin.
            "humidity": np.clip(self.weather.humidity * (1.0 - 0.06 * 1.2 * (local - 0.5)), 5.0, 100.0),
            "air_pressure": self.weather.pressure + 0.4 * (pressure - 0.5),
            "rain": np.floor(self._rain[rows] / _TIP_MM) * _TIP_MM,
            # Calm nights and windy afternoons, as the sun mixes the air; sizes assumed.
            "wind_speed": (0.6 + 2.4 * day_course(moment.hour)) * (0.5 + local) + 1.6 * gust,
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
