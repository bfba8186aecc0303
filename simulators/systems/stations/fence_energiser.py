"""Energisers of an electric fence: the voltage at the far end of their stretch, and what a break does to it."""

from collections.abc import Mapping

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.weather import Weather
from simulators.systems.system import PhysicalFault, Rows, SystemPlan, World

# Fences against elephants are kept above 5 kV, energisers give up to 10 without load (IEC 60335-2-76 limits the energy
# of a pulse, not its voltage). Where between is assumed.
_KILOVOLTS = (6.8, 8.2)
# Wet plants and insulators lead to earth; assumed: a tenth at dew, a fifth in rain.
_DEW, _RAIN = 0.10, 0.20
_WET_FROM, _WET_ALL = 70.0, 95.0
_BROKEN = (0.02, 0.12)
_BATTERY, _CHARGED = 12.4, 1.3


class FenceEnergisers(StationBank):
    """`fence_voltage` in kV at the end of the stretch, `battery` in V, charged by the sun."""

    model = "fence_energiser"
    metrics = (
        Metric(name="fence_voltage", unit="kV", decimals=2),
        Metric(name="battery", unit="V", decimals=2),
    )

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan, world, weather)
        self._usual = self.chance.between("voltage", *_KILOVOLTS)
        self._left = self.chance.between("broken", *_BROKEN)
        self.coming = np.zeros(len(self.devices), dtype=np.bool_)
        """Which stretches are broken in the coming step."""
        self._broken = self.coming.copy()

    def advance(self, moment: Moment) -> None:
        """Take up which stretches are whole."""
        del moment
        self._broken, self.coming = self.coming, np.zeros_like(self.coming)

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Measure voltage and battery."""
        dew = min(max((self.weather.humidity - _WET_FROM) / (_WET_ALL - _WET_FROM), 0.0), 1.0)
        lost = _DEW * dew + (_RAIN if self.weather.rain_rate > 0.5 else 0.0)
        plants = 0.06 * self.chance.smooth("plants", moment.at_seconds, 7 * 86_400.0)[rows]
        whole = self._usual[rows] * (1.0 - lost - plants)
        sun = max(0.0, np.sin((moment.hour - 6.0) / 12.0 * np.pi)) if 6.0 <= moment.hour <= 18.0 else 0.0
        noise = self.chance.normal("noise", moment.number)[rows]
        voltage = np.where(self._broken[rows], self._usual[rows] * self._left[rows], whole)
        return {
            "fence_voltage": np.maximum(voltage + 0.04 * noise, 0.0),
            "battery": _BATTERY + _CHARGED * sun + 0.02 * noise,
        }

    def fault(self, kind: str, row: int, parameters: Mapping[str, float]) -> PhysicalFault:
        """Break one stretch; raises as `StationBank.fault`."""
        if kind != "fence_break":
            return super().fault(kind, row, parameters)
        return _Break(self, row)


class _Break:
    def __init__(self, fence: FenceEnergisers, row: int) -> None:
        self._fence, self._row = fence, row

    def step(self, moment: Moment) -> None:
        """Keep it broken."""
        del moment
        self._fence.coming[self._row] = True

    def end(self) -> None:
        """It is mended: nothing is left to undo."""

    def state(self) -> dict[str, float]:
        """Nothing is remembered."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Nothing is remembered."""
