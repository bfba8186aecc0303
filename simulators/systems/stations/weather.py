"""The weather over a site tree: one for all its stations, of the highland tropics in the rainy season.

Temperature follows a day's course between a minimum and a maximum that change from day to day, humidity follows from
it and a dew point that changes slowly, pressure has its two tides a day and the passing of fronts, and showers come
mostly in the afternoon. Stations stand at about 1,100 m; how warm, how wet and how windy it is there is assumed.
"""

import math

from simulators.chance import Chance
from simulators.moment import Moment

_DAY_SECONDS = 86_400.0
# Assumed: about those of Lusaka in January.
_COLDEST, _WARMEST = (15.0, 19.0), (24.0, 29.0)
_DEW_POINT = (13.0, 18.0)
_SUNRISE, _SUNSET = 6.0, 18.0
# Source: Parton and Logan 1981, Agricultural Meteorology 23: at 1.5 m the maximum lags noon by a, the minimum lags
# sunrise by c, and at night temperature decays with b.
_LAG_OF_MAXIMUM, _NIGHT_DECAY, _LAG_OF_MINIMUM = 1.86, 2.20, -0.17
# Source: Alduchov and Eskridge 1996, Journal of Applied Meteorology 35: saturation vapour pressure over water, in hPa.
_MAGNUS = (6.1094, 17.625, 243.04)
# Source: ICAO standard atmosphere at 1,100 m.
_PRESSURE = 888.0
# Source: Haurwitz 1956: the semidiurnal tide has 1.16 hPa at the equator times the cube of the cosine of latitude, and
# its maxima at 9:42 and 21:42; here at 15 degrees.
_TIDE, _TIDE_HOUR = 1.16 * math.cos(math.radians(15.0)) ** 3, 9.7
_FRONT_SECONDS = 5400.0
_SHOWERS = (12.0, 20.0)
_MILLIMETRES_PER_HOUR = 90.0


class Weather:
    """What the sky does at the last step.

    Attributes:
        temperature: °C.
        dew_point: °C, never above the temperature.
        pressure: hPa, at the station.
        rain_rate: mm/h.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.temperature = sum(_COLDEST + _WARMEST) / 4.0
        self.dew_point = _DEW_POINT[0]
        self.pressure = _PRESSURE
        self.rain_rate = 0.0

    @property
    def humidity(self) -> float:
        """Tell the relative humidity, %."""
        return relative_humidity(self.temperature, self.dew_point)

    def advance(self, moment: Moment) -> None:
        """Let the sky change; it remembers nothing."""
        front = self._slowly("front", moment, _FRONT_SECONDS)
        threshold = 0.72 if _SHOWERS[0] <= moment.hour < _SHOWERS[1] else 0.93
        self.rain_rate = max(0.0, front - threshold) * _MILLIMETRES_PER_HOUR
        coldest = _between(_COLDEST, self._slowly("coldest", moment, 2 * _DAY_SECONDS))
        warmest = _between(_WARMEST, self._slowly("warmest", moment, 2 * _DAY_SECONDS))
        # Rain cools the air towards its dew point.
        self.temperature = coldest + (warmest - coldest) * day_course(moment.hour) - min(self.rain_rate, 10.0) * 0.1
        dew_point = _between(_DEW_POINT, self._slowly("dew point", moment, _DAY_SECONDS))
        self.dew_point = min(dew_point, self.temperature)
        tide = _TIDE * math.cos((moment.hour - _TIDE_HOUR) / 12.0 * 2.0 * math.pi)
        self.pressure = _PRESSURE + tide + 5.0 * (self._slowly("pressure", moment, 3 * _DAY_SECONDS) - 0.5)

    def _slowly(self, what: str, moment: Moment, period_seconds: float) -> float:
        return float(self._chance.smooth(what, moment.at_seconds, period_seconds)[0])


def day_course(hour: float) -> float:
    """Tell how far temperature is from the day's minimum (0) to its maximum (1), by the local hour.

    Source: Parton and Logan 1981: a sine from the minimum near sunrise over the maximum after noon to sunset, then an
    exponential decay.
    """
    day, night = _SUNSET - _SUNRISE, 24.0 - (_SUNSET - _SUNRISE)
    coldest = _SUNRISE + _LAG_OF_MINIMUM
    since_coldest = (hour - coldest) % 24.0
    until_sunset = _SUNSET - coldest
    if since_coldest <= until_sunset:
        return math.sin(math.pi * since_coldest / (day + 2.0 * _LAG_OF_MAXIMUM))
    at_sunset = math.sin(math.pi * until_sunset / (day + 2.0 * _LAG_OF_MAXIMUM))
    through = (since_coldest - until_sunset) / (night + _LAG_OF_MINIMUM)
    # Made to reach the next day's minimum exactly, where the paper's leaves a step.
    last = math.exp(-_NIGHT_DECAY)
    return at_sunset * (math.exp(-_NIGHT_DECAY * through) - last) / (1.0 - last)


def relative_humidity(temperature: float, dew_point: float) -> float:
    """Tell the relative humidity in % at a temperature and dew point in °C."""
    _, factor, offset = _MAGNUS
    exponent = factor * dew_point / (offset + dew_point) - factor * temperature / (offset + temperature)
    return 100.0 * math.exp(exponent)


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + (limits[1] - limits[0]) * share
