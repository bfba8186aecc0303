"""Camera traps at waterholes: animals come at dusk, at night and at dawn."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Happening, Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.visits import Visit, Visits
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Rows, State, SystemPlan, World

# Assumed: a well-visited waterhole. Crepuscular visits: Valeix, Chamaillé-Jammes, Fritz 2007, Oecologia 153.
_PER_DAY = 9.0
_PEAKS = (5.5, 18.5)
_PEAK_HOURS = 2.5
_NIGHT_SHARE, _PEAK_SHARE = 0.25, 1.9
# With the largest group that one burst shows. Assumed.
_SPECIES = (
    ("elephant", 6),
    ("buffalo", 8),
    ("impala", 8),
    ("zebra", 5),
    ("kudu", 4),
    ("warthog", 3),
    ("lion", 3),
    ("spotted hyena", 2),
)
_PHOTOS = 3  # Of a burst, as cameras are usually set.
_LASTS_SECONDS = (5.0, 60.0)
# Assumed: fresh cells last four months; somebody changes them then.
_BATTERY_DAYS = 120.0


class CameraTraps(StationBank):
    """`photos`, a register of how many were taken, `battery` in %, and an event `detection` for each visit."""

    model = "camera_trap"
    metrics = (
        Metric(name="photos", unit="1", decimals=0),
        Metric(name="battery", unit="%", decimals=0),
    )

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._photos = np.floor(self.chance.between("photos", 100.0, 3000.0))
        self._age = self.chance.between("cells", 0.0, _BATTERY_DAYS * 0.8)
        self._visits = Visits(self.chance, _per_hour, _LASTS_SECONDS)

    def advance(self, moment: Moment) -> None:
        """Let animals come."""
        for visit in self._seen(moment):
            self._photos[visit.row] += _PHOTOS

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Tell the counter and the battery."""
        days = (self._age[rows] + moment.at_seconds / 86_400.0) % _BATTERY_DAYS
        return {"photos": self._photos[rows], "battery": 100.0 - 85.0 * days / _BATTERY_DAYS}

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell who came."""
        told: list[Happening] = []
        for visit in self._seen(moment):
            scaled = visit.draw * len(_SPECIES)
            species, largest = _SPECIES[int(scaled)]
            count = 1 + int(scaled % 1.0 * largest)
            told.append(Happening(row=visit.row, kind="detection", attributes={"species": species, "count": count}))
        return told

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

    def _seen(self, moment: Moment) -> list[Visit]:
        return [v for v in self._visits.around(moment) if moment.at - moment.step < v.begins <= moment.at]


def _per_hour(hour: float) -> float:
    near = max(math.exp(-((_apart(hour, peak) / _PEAK_HOURS) ** 2)) for peak in _PEAKS)
    return _PER_DAY / 24.0 * (_NIGHT_SHARE + _PEAK_SHARE * near)


def _apart(hour: float, other: float) -> float:
    return min(abs(hour - other), 24.0 - abs(hour - other))
