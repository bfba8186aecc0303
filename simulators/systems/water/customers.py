"""What businesses draw: a steady use while they are open, now and then a little at night."""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.systems.water.rhythm import LocalTime
from simulators.systems.water.settings import BulkMeterSettings
from simulators.systems.water.wander import Wander

# How use sways around its mean while open; assumed.
_SWAY, _SWAY_SECONDS = 0.25, 900.0
# Source: the Dunedin water use study (hourly readings of 2012 to 2014): a commercial building uses nothing in three
# quarters of its night hours.
_NIGHT_SHARE = 0.25
_HOUR = 3_600_000


class Customers:
    """Customers behind bulk meters; what they use is what they are said to use, swaying, by opening hours."""

    def __init__(self, settings: Sequence[BulkMeterSettings], chance: Chance) -> None:
        self._chance = chance
        self._opens = np.array([s.opens for s in settings])
        self._weekend = np.array([s.weekend for s in settings])
        night = np.array([s.night_litres_per_hour / 3600.0 for s in settings])
        self.litres_per_day = np.array([s.litres_per_day for s in settings])
        self._hours = np.array([(s.closes - s.opens) % 24.0 or 24.0 for s in settings])
        at_night = night * (24.0 - self._hours) * 3600.0
        self._open = np.maximum(self.litres_per_day - at_night, 0.0) / self._hours / 3600.0
        self._night = night / _NIGHT_SHARE
        self._sway = Wander(chance, "customer", _SWAY_SECONDS)
        self._slot: int | None = None
        self._flows_at_night = self._night

    def flow(self, moment: Moment, time: LocalTime) -> Floats:
        """Return the mean flow of each in a step, in L/s."""
        since = (time.hour - self._opens) % 24.0
        flow = self._open * (1.0 + _SWAY * self._sway.at(moment.at_seconds))
        if time.is_weekend:
            flow = flow * self._weekend
        return np.where(since < self._hours, np.maximum(flow, 0.0), self._at_night(moment))

    def _at_night(self, moment: Moment) -> Floats:
        slot = (moment.at - moment.step // 2) // _HOUR
        if slot != self._slot:
            self._slot = slot
            self._flows_at_night = self._night * (self._chance.uniform("night", slot) < _NIGHT_SHARE)
        return self._flows_at_night
