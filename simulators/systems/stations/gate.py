"""Gates of a reserve: opened for vehicles by day, closed behind them."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Happening, Metric
from simulators.scenario import DevicePlan
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, State, World

# Assumed: gate hours of national parks; a small gate sees a vehicle every half hour.
_OPENS, _CLOSES = 6.0, 18.5
_PER_HOUR = 2.0
_STANDS_SECONDS = 90.0


class Gates(StationBank):
    """`open`: 1 while it stands open, and the events `gate_opened` and `gate_closed` as they happen."""

    model = "gate"
    metrics = (Metric(name="open", unit="1", decimals=0),)

    def __init__(self, devices: Sequence[DevicePlan], world: World, weather: Weather) -> None:
        super().__init__(devices, world, weather)
        self._open = np.zeros(len(devices), dtype=np.bool_)
        self._changed = self._open.copy()

    def advance(self, moment: Moment) -> None:
        """Let vehicles come and gates fall shut."""
        rate = _PER_HOUR if _OPENS <= moment.hour < _CLOSES else 0.0
        comes = self.chance.uniform("vehicle", moment.number) < -math.expm1(-rate * moment.seconds / 3600.0)
        shuts = self.chance.uniform("shut", moment.number) < -math.expm1(-moment.seconds / _STANDS_SECONDS)
        before = self._open
        self._open = np.where(before, ~shuts, comes)
        self._changed = self._open != before

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell which stand open."""
        del moment
        return {"open": self._open[rows].astype(np.float64)}

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell which were opened or closed."""
        del moment
        return [
            Happening(row=row, kind="gate_opened" if self._open[row] else "gate_closed", attributes={})
            for row in np.flatnonzero(self._changed).tolist()
        ]

    def state(self) -> State:
        """Give which stand open."""
        return {"open": self._open.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._open = state["open"].copy()
