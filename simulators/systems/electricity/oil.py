"""How warm a transformer's oil is: it follows the load with a lag of hours."""

import math

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment

# Source: IEC 60076-7, recommended thermal characteristics of distribution transformers, ONAN: top-oil rise of 55 K at
# rated load, ratio of load loss to no-load loss 5, oil exponent 0.8, oil time constant 180 min, k11 = 1.
_RATED_RISE, _LOSS_RATIO, _EXPONENT, _SECONDS = 55.0, 5.0, 0.8, 180.0 * 60.0
# Assumed: the day's swing around the mean, warmest at 15:00, and the year's at 50 degrees of latitude.
_DAY_SWING, _WARMEST_HOUR, _YEAR_SWING = 5.0, 15.0, 9.0
_COLDEST_DAY = 20.0


class Oil:
    """The oil of t transformers.

    Args:
        ambient: yearly mean around each, in degrees Celsius.
        latitude: degrees.

    Attributes:
        rise: top oil over ambient, in K.
    """

    def __init__(self, ambient: Floats, latitude: float) -> None:
        self._ambient = ambient
        self._north = latitude >= 0
        self._year_swing = _YEAR_SWING * min(abs(latitude) / 50.0, 1.0)
        self.rise: Floats = steady_rise(np.full(len(ambient), 0.3))

    def advance(self, load: Floats, energised: Floats | float, moment: Moment) -> None:
        """Let a step pass.

        Args:
            load: apparent over rated.
            energised: 0 where there is no voltage, and so no loss in the iron, 1 elsewhere.
        """
        self.rise += (steady_rise(load) * energised - self.rise) * (1.0 - math.exp(-moment.seconds / _SECONDS))

    def temperature(self, moment: Moment) -> Floats:
        """Return the top oil's temperature in degrees Celsius."""
        day = 2.0 * math.pi * (moment.hour - _WARMEST_HOUR) / 24.0
        year = 2.0 * math.pi * (moment.day_of_year - _COLDEST_DAY) / 365.25
        season = -self._year_swing * math.cos(year) * (1.0 if self._north else -1.0)
        return self._ambient + (_DAY_SWING * math.cos(day) + season) + self.rise


def steady_rise(load: Floats) -> Floats:
    """Return the top-oil rise in K that a load ends at, IEC 60076-7 equation (1)."""
    return _RATED_RISE * ((1.0 + _LOSS_RATIO * load * load) / (1.0 + _LOSS_RATIO)) ** _EXPONENT
