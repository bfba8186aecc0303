"""What panels on roofs give, as a share of their peak: the sun's height, a clear sky, and clouds."""

import math

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment, from_milliseconds
from simulators.systems.electricity.consumption import SlowNoise

_TEST_IRRADIANCE = 1000.0  # W/m2, at which a panel's peak is told; IEC 60904-3.
# Source: IEA PVPS T13, "Analysis of long-term performance of PV systems" (2014): performance ratios of 0.75 to 0.85.
_PERFORMANCE_RATIO = 0.8
# Cover is drawn evenly, mean 0.5. Source: Warren, Eastman, Hahn, "A survey of changes in cloud cover and cloud types
# over land", Journal of Climate 20 (2007): 0.54 over land. How long weather and single clouds last is assumed.
_WEATHER_SECONDS = 6 * 3600.0
_CLOUD_SECONDS = 300.0


class Sunshine:
    """Panels of n customers under one sky.

    Args:
        chance: of the customers' names.
        sky: of the system's name: the weather that all have.
        latitude: degrees.
        longitude: degrees.
    """

    def __init__(self, chance: Chance, sky: Chance, latitude: float, longitude: float) -> None:
        self._latitude, self._longitude = latitude, longitude
        self._weather = SlowNoise(sky, "weather", _WEATHER_SECONDS)
        self._clouds = SlowNoise(chance, "clouds", _CLOUD_SECONDS)

    def share(self, moment: Moment) -> Floats | None:
        """Return the panels' mean output over a step as a share of their peak; None: the sun is down."""
        middle = moment.at - moment.step // 2
        clear = clear_sky(cosine_of_zenith(middle, self._latitude, self._longitude))
        if clear <= 0.0:
            return None
        cover = self._weather.at(middle / 1000.0)[0] + 0.4 * (self._clouds.at(middle / 1000.0) - 0.5)
        # Source: Kasten and Czeplak, "Solar and terrestrial radiation dependent on the amount and type of cloud",
        # Solar Energy 24 (1980): a share of 0.75 N^3.4 is lost under a cloud cover N.
        let_through = 1.0 - 0.75 * np.clip(cover, 0.0, 1.0) ** 3.4
        return np.minimum(let_through * (clear / _TEST_IRRADIANCE * _PERFORMANCE_RATIO), 1.0)


def cosine_of_zenith(at: int, latitude: float, longitude: float) -> float:
    """Return the cosine of the sun's distance from the zenith; negative: it is down.

    Source: Spencer, "Fourier series representation of the position of the sun", Search 2 (1971): declination to
    0.0006 rad and equation of time to 35 s.

    Args:
        at: milliseconds since 1970, UTC.
        latitude: degrees.
        longitude: degrees, east is positive.
    """
    day = from_milliseconds(at).timetuple().tm_yday - 1
    hours = (at % 86_400_000) / 3_600_000
    angle = 2.0 * math.pi * day / 365.0
    declination = (
        0.006918
        - 0.399912 * math.cos(angle)
        + 0.070257 * math.sin(angle)
        - 0.006758 * math.cos(2 * angle)
        + 0.000907 * math.sin(2 * angle)
        - 0.002697 * math.cos(3 * angle)
        + 0.00148 * math.sin(3 * angle)
    )
    equation_hours = (
        (
            0.000075
            + 0.001868 * math.cos(angle)
            - 0.032077 * math.sin(angle)
            - 0.014615 * math.cos(2 * angle)
            - 0.040849 * math.sin(2 * angle)
        )
        * 12.0
        / math.pi
    )
    hour_angle = math.radians(15.0 * (hours + longitude / 15.0 + equation_hours - 12.0))
    north = math.radians(latitude)
    return math.sin(north) * math.sin(declination) + math.cos(north) * math.cos(declination) * math.cos(hour_angle)


def clear_sky(cosine: float) -> float:
    """Return the global irradiance on flat ground under a clear sky, in W/m2.

    Source: Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal of Meteorology 2 (1945), in the
    form of pvlib's `clearsky.haurwitz`.
    """
    return 1098.0 * cosine * math.exp(-0.059 / cosine) if cosine > 0.0 else 0.0
