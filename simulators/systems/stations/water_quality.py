"""Water-quality sondes in a drinking-water network, and contamination that passes them."""

import math
from collections.abc import Mapping

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import PhysicalFault, Rows, State, SystemPlan, World

# Assumed: mixing and the pipe's length let a front arrive over some minutes, and leave as slowly.
_FRONT_SECONDS = 900.0
_DAY_SECONDS = 86_400.0
# Drinking water: free chlorine of 0.2 to 1 mg/L in the network, turbidity well below 1. Source: WHO, Guidelines for
# drinking-water quality, 4th edition, chapters 8 and 10. How the rest lies and sways: assumed, a moderately hard water.
_CHLORINE, _CHLORINE_SWAY = 0.6, 0.15
_TURBIDITY, _TURBIDITY_SWAY = 0.3, 0.15
_PH, _CONDUCTIVITY, _OXYGEN = 7.5, 0.42, 8.0
# What gross contamination (share 1) does. Source for the order of response, chlorine first, then conductivity and
# turbidity: Hall et al. 2007, "On-line water quality parameters as indicators of distribution system contamination",
# Journal AWWA 99(1). Sizes are assumed.
_CHLORINE_LOST = 0.95
_TURBIDITY_ADDED, _CONDUCTIVITY_ADDED, _PH_LOST, _OXYGEN_LOST = 25.0, 0.5, 0.6, 3.0


class WaterQualitySondes(StationBank):
    """Temperature, pH, conductivity, oxygen, turbidity and free chlorine; names and units of the bundled profile."""

    model = "water_quality_sonde"
    metrics = (
        Metric(name="temperature", unit="Cel", decimals=2),
        Metric(name="ph", unit="[pH]", decimals=2),
        Metric(name="conductivity", unit="mS/cm", decimals=3),
        Metric(name="dissolved_oxygen", unit="mg/L", decimals=2),
        Metric(name="turbidity", unit="[FNU]", decimals=2),
        Metric(name="free_chlorine", unit="mg/L", decimals=2),
    )

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._foul = np.zeros(len(self.devices))
        self.coming = np.zeros(len(self.devices))
        """Share of contamination that flows past each in the coming step."""

    def advance(self, moment: Moment) -> None:
        """Let fronts arrive and leave."""
        self._foul += (self.coming - self._foul) * -math.expm1(-moment.seconds / _FRONT_SECONDS)
        self.coming[:] = 0.0

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read every sensor."""
        foul = self._foul[rows]
        slow = {
            what: self.chance.smooth(what, moment.at_seconds, _DAY_SECONDS)[rows] - 0.5
            for what in ("temperature", "ph", "salt", "chlorine")
        }
        noise = {what: self.chance.normal(what, moment.number)[rows] for what in ("ph", "turbidity", "chlorine")}
        # By night water stands in the pipes, and chlorine goes.
        standing = 0.5 - 0.5 * math.cos((moment.hour - 16.0) / 24.0 * 2.0 * math.pi)
        chlorine = _CHLORINE + _CHLORINE_SWAY * (slow["chlorine"] - 0.5 * standing) + 0.01 * noise["chlorine"]
        sway = self.chance.smooth("turbidity", moment.at_seconds, 7200.0)[rows]
        return {
            "temperature": 20.5 + 2.0 * slow["temperature"],
            "ph": _PH + 0.2 * slow["ph"] + 0.01 * noise["ph"] - _PH_LOST * foul,
            "conductivity": _CONDUCTIVITY + 0.04 * slow["salt"] + _CONDUCTIVITY_ADDED * foul,
            "dissolved_oxygen": _OXYGEN - 0.3 * slow["temperature"] - _OXYGEN_LOST * foul,
            "turbidity": np.maximum(
                _TURBIDITY + _TURBIDITY_SWAY * (sway - 0.5) + 0.02 * noise["turbidity"] + _TURBIDITY_ADDED * foul, 0.02
            ),
            "free_chlorine": np.maximum(chlorine * (1.0 - _CHLORINE_LOST * np.minimum(2.0 * foul, 1.0)), 0.0),
        }

    def state(self) -> State:
        """Give how foul the water is."""
        return {"foul": self._foul.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._foul = state["foul"].copy()

    def fault(self, kind: str, row: int, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin contamination at one sonde; raises as `StationBank.fault`."""
        if kind != "contamination":
            return super().fault(kind, row, parameters)
        return _Contamination(self, row, parameters["share"])


class _Contamination:
    def __init__(self, sondes: WaterQualitySondes, row: int, share: float) -> None:
        self._sondes, self._row, self._share = sondes, row, share

    def step(self, moment: Moment) -> None:
        """Let it flow by."""
        del moment
        self._sondes.coming[self._row] = max(self._sondes.coming[self._row], self._share)

    def end(self) -> None:
        """Nothing is left to undo: clean water follows."""

    def state(self) -> dict[str, float]:
        """Nothing is remembered."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Nothing is remembered."""
