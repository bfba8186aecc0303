"""The collars themselves: battery and temperature besides the fixes."""

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.report import Fixes, Metric
from simulators.scenario import DevicePlan
from simulators.systems.system import Bank, Flags, Rows, State
from simulators.systems.wildlife.befallen import Befallen
from simulators.systems.wildlife.receiver import Receivers

# Source: Stander, Desert Lion Project 2009: a collar lasts 3.9 years with a fix an hour, 1.1 years with six: so each
# hourly fix takes 13 % of a battery a year, and the rest of it another 13 %.
_PERCENT_A_DAY, _PERCENT_A_DAY_PER_HOURLY_FIX = 0.035, 0.036
# Denser fixes than this, such as a demonstration's, are taken for these.
_MOST_FIXES_AN_HOUR = 6.0
# Assumed: a collar is exchanged in time.
_EXCHANGED_AT = 25.0
# Assumed: a collar is between the animal's skin and the air; a carcass cools in some hours.
_SKIN_CELSIUS, _SHARE_OF_SKIN, _COOLING_SECONDS = 35.0, 0.5, 14_400.0
_MEAN_CELSIUS, _SWING_CELSIUS, _WARMEST_HOUR = 22.0, 7.0, 15.0


class Collars(Bank):
    """Collars of one reserve; a row is the animal's row."""

    metrics = (Metric(name="battery", unit="%", decimals=1), Metric(name="temperature", unit="Cel", decimals=1))

    def __init__(
        self,
        devices: Sequence[DevicePlan],
        tells_temperature: Flags,
        receivers: Receivers,
        befallen: Befallen,
        seed: int,
    ) -> None:
        super().__init__(devices)
        self._tells_temperature = tells_temperature
        self._receivers = receivers
        self._befallen = befallen
        self._battery = Chance(seed, [f"{d.organisation}/{d.id}" for d in devices]).between("battery", 60.0, 100.0)
        hourly = np.array([min(3600.0 / device.interval_seconds, _MOST_FIXES_AN_HOUR) for device in devices])
        self._drain = (_PERCENT_A_DAY + _PERCENT_A_DAY_PER_HOURLY_FIX * hourly) / 86_400
        self._warmth: Floats = np.ones(len(devices))
        self._has_cooled = False

    def advance(self, moment: Moment) -> None:
        """Use the battery, cool what is dead."""
        self._battery = self._battery - self._drain * moment.seconds
        self._battery = np.where(self._battery < _EXCHANGED_AT, 100.0, self._battery)
        if self._befallen.dead.any() or self._has_cooled:
            cooled = float(np.exp(-moment.seconds / _COOLING_SECONDS))
            self._warmth = np.where(self._befallen.dead, self._warmth * cooled, 1.0)
            self._has_cooled = bool(self._befallen.dead.any())

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read battery in %, and temperature where it is told, about every sixth time."""
        telling = self._receivers.tells_more(rows, moment)
        air = _MEAN_CELSIUS + _SWING_CELSIUS * np.cos((moment.hour - _WARMEST_HOUR) * np.pi / 12.0)
        warmer = _SHARE_OF_SKIN * self._warmth[rows] * (_SKIN_CELSIUS - air)
        return {
            "battery": np.where(telling, self._battery[rows], np.nan),
            "temperature": np.where(telling & self._tells_temperature[rows], air + warmer, np.nan),
        }

    def fixes(self, rows: Rows, moment: Moment) -> Fixes:
        """Locate the animals."""
        return self._receivers.fixes(rows, moment, self._befallen.place, self._befallen.velocity)

    def state(self) -> State:
        """Give what a restart must know."""
        return {"battery": self._battery, "warmth": self._warmth}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._battery, self._warmth = state["battery"], state["warmth"]
        self._has_cooled = bool((self._warmth < 1.0).any())
