"""What businesses draw: a steady use while they are open, a little at night."""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.systems.water.rhythm import LocalTime
from simulators.systems.water.settings import BulkMeterSettings
from simulators.systems.water.wander import Wander

# How use sways around its mean while open; assumed.
_SWAY, _SWAY_SECONDS = 0.25, 900.0


class Customers:
    """Customers behind bulk meters; what they use is what they are said to use, swaying, by opening hours."""

    def __init__(self, settings: Sequence[BulkMeterSettings], chance: Chance) -> None:
        self._opens = np.array([s.opens for s in settings])
        self._weekend = np.array([s.weekend for s in settings])
        self._night = np.array([s.night_litres_per_hour / 3600.0 for s in settings])
        self.litres_per_day = np.array([s.litres_per_day for s in settings])
        hours = np.array([(s.closes - s.opens) % 24.0 or 24.0 for s in settings])
        self._hours = hours
        self._open = np.maximum(self.litres_per_day - self._night * (24.0 - hours) * 3600.0, 0.0) / hours / 3600.0
        self._sway = Wander(chance, "customer", _SWAY_SECONDS)

    def flow(self, moment: Moment, time: LocalTime) -> Floats:
        """Return the mean flow of each in a step, in L/s."""
        since = (time.hour - self._opens) % 24.0
        is_open = since < self._hours
        open_flow = self._open * (1.0 + _SWAY * self._sway.at(moment.at_seconds))
        if time.is_weekend:
            open_flow = open_flow * self._weekend
        return np.where(is_open, np.maximum(open_flow, self._night), self._night)
