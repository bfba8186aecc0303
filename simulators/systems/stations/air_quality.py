"""Air-quality sensors: particles of traffic, cooking fires and dust, washed out by rain."""

import math
from collections.abc import Mapping

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.system import Rows

_FRONT_SECONDS = 2 * 86_400.0
# Assumed: a clean small town; the ratio of fine to coarse particles is that of WHO's guideline values, 15 to 45 ug/m3.
_BACKGROUND, _COARSE = 5.0, 2.2
# Morning and evening: traffic and cooking, below a shallow inversion. Assumed.
_PEAKS = ((7.0, 5.0), (19.0, 8.0))
_PEAK_HOURS = 1.6


class AirQualitySensors(StationBank):
    """`pm2_5` and `pm10` in ug/m3, temperature and humidity; names and units of the bundled profile."""

    model = "air_quality"
    metrics = (
        Metric(name="pm2_5", unit="ug/m3", decimals=1),
        Metric(name="pm10", unit="ug/m3", decimals=1),
        Metric(name="temperature", unit="Cel", decimals=1),
        Metric(name="humidity", unit="%RH", decimals=1),
    )

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read every sensor."""
        still = 0.4 + 1.2 * self.chance.smooth("air", moment.at_seconds, _FRONT_SECONDS)[rows]
        passing = self.chance.smooth("passing", moment.at_seconds, 1200.0)[rows]
        made = sum(size * math.exp(-(((moment.hour - at) / _PEAK_HOURS) ** 2)) for at, size in _PEAKS)
        washed = 1.0 / (1.0 + 0.2 * self.weather.rain_rate)
        fine = (_BACKGROUND + made) * still * (0.8 + 0.4 * passing) * washed
        return {
            "pm2_5": fine,
            "pm10": fine * _COARSE + 4.0 * passing * washed,
            "temperature": self.weather.temperature + 1.5 * (passing - 0.5),
            "humidity": (self.weather.humidity + 4.0 * (0.5 - passing)).clip(5.0, 99.0),
        }
