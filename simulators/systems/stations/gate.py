"""Gates of a reserve: opened for vehicles by day, closed behind them."""

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Happening, Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.visits import Visits
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, SystemPlan, World

# Assumed: gate hours of national parks; a small gate sees a vehicle every half hour and
# stands open for a minute or so.
_OPENS, _CLOSES = 6.0, 18.5
_PER_HOUR = 2.0
_STANDS_SECONDS = (30.0, 150.0)
# Assumed: lithium cells of a radio contact last five years; they are exchanged before they are empty.
_BATTERY_DAYS, _BATTERY_USED = 1826.0, 85.0


class Gates(StationBank):
    """`open`: 1 while it stands open, `battery` in %, and the events `gate_opened` and `gate_closed` as they happen."""

    model = "gate"
    metrics = (Metric(name="open", unit="1", decimals=0), Metric(name="battery", unit="%", decimals=0))

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._visits = Visits(self.chance, _per_hour, _STANDS_SECONDS)
        self._age = self.chance.between("cells", 0.0, _BATTERY_DAYS)

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell which stand open, and the battery."""
        is_open = np.zeros(len(self.devices))
        for visit in self._visits.around(moment):
            if visit.begins <= moment.at < visit.ends:
                is_open[visit.row] = 1.0
        days = (self._age[rows] + moment.at_seconds / 86_400.0) % _BATTERY_DAYS
        return {"open": is_open[rows], "battery": 100.0 - _BATTERY_USED * days / _BATTERY_DAYS}

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell which were opened or closed in the step."""
        before = moment.at - moment.step
        told: list[Happening] = []
        for visit in self._visits.around(moment):
            if before < visit.begins <= moment.at:
                told.append(Happening(row=visit.row, kind="gate_opened", attributes={}))
            if before < visit.ends <= moment.at:
                told.append(Happening(row=visit.row, kind="gate_closed", attributes={}))
        return told


def _per_hour(hour: float) -> float:
    return _PER_HOUR if _OPENS <= hour < _CLOSES else 0.0
