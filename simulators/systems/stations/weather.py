"""The weather over a site tree: one for all its stations, warm days and short afternoon showers."""

import math

from simulators.chance import Chance
from simulators.moment import Moment

_MEAN_CELSIUS = 22.0  # Assumed: highland tropics in the rainy season.
_SWING_CELSIUS = 6.5
_WARMEST_HOUR = 14.0
_FRONT_SECONDS = 5400.0
_SHOWERS = (12.0, 20.0)
_MILLIMETRES_PER_HOUR = 90.0


class Weather:
    """What the sky does at the last step.

    Attributes:
        temperature: °C.
        humidity: %RH.
        rain_rate: mm/h.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self.temperature = _MEAN_CELSIUS
        self.humidity = 60.0
        self.rain_rate = 0.0

    def advance(self, moment: Moment) -> None:
        """Let the sky change; it remembers nothing."""
        front = float(self._chance.smooth("front", moment.at_seconds, _FRONT_SECONDS)[0])
        phase = math.cos((moment.hour - _WARMEST_HOUR) / 24.0 * 2.0 * math.pi)
        self.temperature = _MEAN_CELSIUS + _SWING_CELSIUS * phase
        self.humidity = 98.0 - 2.7 * (self.temperature - 15.0) + 8.0 * (front - 0.5)
        threshold = 0.72 if _SHOWERS[0] <= moment.hour < _SHOWERS[1] else 0.93
        self.rain_rate = max(0.0, front - threshold) * _MILLIMETRES_PER_HOUR
