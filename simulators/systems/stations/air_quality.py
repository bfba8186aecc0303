"""Air-quality sensors: particles of traffic, cooking fires and dust, washed out by rain."""

import math
from collections.abc import Mapping

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.system import Rows

_FRONT_SECONDS = 2 * 86_400.0
# Assumed: a clean small town, in ug/m3.
_BACKGROUND = 5.0
# PM2.5/PM10. Source: Antonel, Chowdhury 2014, Atmospheric Environment 95: 0.65, 0.75, 0.78 in three Cameroonian towns.
_RATIO = (0.65, 0.78)
_RATIO_SECONDS = 10_800.0
# Morning and evening: traffic and cooking, below a shallow inversion, the evening higher. Source: Eliasson, Jonsson,
# Holmer 2009, Environmental Monitoring and Assessment 154: so in inland African cities. Hours and sizes: assumed.
_PEAKS = ((7.0, 5.0), (19.0, 8.0))
_PEAK_HOURS = 1.6
# Source: less traffic, lower peaks at weekends: Shi et al. 2012, Sensors 12 (PMC3435953). Size: assumed.
_WEEKEND = 0.75
# In ug/m3, and per ug/m3 of particles that traffic makes. Source: below WHO's guideline values of 2021 for a day, 25,
# on the mean, as in a small town; sizes assumed.
_NO2_BACKGROUND, _NO2_TRAFFIC = 7.0, 4.0


class AirQualitySensors(StationBank):
    """`pm2_5`, `pm10` and `no2` in ug/m3, temperature and humidity; names and units of the bundled profile."""

    model = "air_quality"
    metrics = (
        Metric(name="pm2_5", unit="ug/m3", decimals=1),
        Metric(name="pm10", unit="ug/m3", decimals=1),
        Metric(name="no2", unit="ug/m3", decimals=1),
        Metric(name="temperature", unit="Cel", decimals=1),
        Metric(name="humidity", unit="%RH", decimals=1),
    )

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read every sensor."""
        still = 0.4 + 1.2 * self.chance.smooth("air", moment.at_seconds, _FRONT_SECONDS)[rows]
        passing = self.chance.smooth("passing", moment.at_seconds, 1200.0)[rows]
        made = sum(size * math.exp(-(((moment.hour - at) / _PEAK_HOURS) ** 2)) for at, size in _PEAKS)
        made *= _WEEKEND if moment.is_weekend else 1.0
        ratio = (
            _RATIO[0] + (_RATIO[1] - _RATIO[0]) * self.chance.smooth("ratio", moment.at_seconds, _RATIO_SECONDS)[rows]
        )
        washed = 1.0 / (1.0 + 0.2 * self.weather.rain_rate)
        fine = (_BACKGROUND + made) * still * (0.8 + 0.4 * passing) * washed
        return {
            "pm2_5": fine,
            "pm10": fine / ratio,
            "no2": (_NO2_BACKGROUND + _NO2_TRAFFIC * made) * still * (0.7 + 0.6 * passing),
            "temperature": self.weather.temperature + 1.5 * (passing - 0.5),
            "humidity": (self.weather.humidity + 4.0 * (0.5 - passing)).clip(5.0, 99.0),
        }
