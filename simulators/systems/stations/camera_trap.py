"""Camera traps at waterholes: animals come at dusk, at night and at dawn."""

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

# Assumed: a well-visited waterhole. Crepuscular visits: Valeix, Chamaillé-Jammes, Fritz 2007, Oecologia 153.
_PER_DAY = 9.0
_PEAKS = (5.5, 18.5)
_PEAK_HOURS = 2.5
_SPECIES = ("elephant", "buffalo", "impala", "zebra", "kudu", "warthog", "lion", "spotted hyena")
# Assumed: fresh cells last four months; somebody changes them then.
_BATTERY_DAYS = 120.0


class CameraTraps(StationBank):
    """`photos`, a register of how many were taken, `battery` in %, and an event `detection` for each visit."""

    model = "camera_trap"
    metrics = (
        Metric(name="photos", unit="1", decimals=0),
        Metric(name="battery", unit="%", decimals=0),
    )

    def __init__(self, devices: Sequence[DevicePlan], world: World, weather: Weather) -> None:
        super().__init__(devices, world, weather)
        self._photos = np.floor(self.chance.between("photos", 100.0, 3000.0))
        self._age = self.chance.between("cells", 0.0, _BATTERY_DAYS * 0.8)
        self._seen = np.zeros(len(devices), dtype=np.bool_)

    def advance(self, moment: Moment) -> None:
        """Let animals come."""
        near = max(math.exp(-((_apart(moment.hour, peak) / _PEAK_HOURS) ** 2)) for peak in _PEAKS)
        rate = _PER_DAY / 86_400.0 * (0.25 + 1.9 * near)
        self._seen = self.chance.uniform("visit", moment.number) < -math.expm1(-rate * moment.seconds)
        # A burst of three, as cameras are usually set.
        self._photos += 3.0 * self._seen

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell the counter and the battery."""
        days = (self._age[rows] + moment.at_seconds / 86_400.0) % _BATTERY_DAYS
        return {"photos": self._photos[rows], "battery": 100.0 - 85.0 * days / _BATTERY_DAYS}

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell who came."""
        rows = np.flatnonzero(self._seen).tolist()
        which = self.chance.uniform("species", moment.number) if rows else ()
        return [
            Happening(row=row, kind="detection", attributes={"species": _SPECIES[int(which[row] * len(_SPECIES))]})
            for row in rows
        ]

    def state(self) -> State:
        """Give the counter."""
        return {"photos": self._photos.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._photos = state["photos"].copy()

    def resume(self, row: int, values: Mapping[str, float]) -> None:
        """Go on from a counter."""
        if "photos" in values:
            self._photos[row] = values["photos"]


def _apart(hour: float, other: float) -> float:
    return min(abs(hour - other), 24.0 - abs(hour - other))
