"""What water devices tell of the network."""

from collections.abc import Mapping, Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.report import Metric
from simulators.scenario import DevicePlan
from simulators.systems.system import Bank, Rows
from simulators.systems.water.registers import Registers
from simulators.systems.water.reservoirs import Reservoirs
from simulators.systems.water.settings import BulkMeterSettings, LoggerSettings
from simulators.systems.water.zones import Zones

# Lithium cells of meters last about fifteen years (makers' data sheets) and are exchanged at a tenth.
_BATTERY_MILLISECONDS = 15 * 365.25 * 86_400_000
_BATTERY_LEAST = 10.0


class WaterMeters(Bank):
    """Meters of homes.

    Attributes:
        flow: L/s through each at the end of the step.
    """

    metrics = (
        Metric(name="volume", unit="m3", decimals=4),
        Metric(name="flow_rate", unit="L/h", decimals=0),
        Metric(name="battery", unit="%", decimals=1),
    )

    def __init__(self, devices: Sequence[DevicePlan], registers: Registers, chance: Chance) -> None:
        super().__init__(devices)
        self.registers = registers
        self.flow = np.zeros(len(devices))
        self._age = chance.uniform("battery")

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read registers, flows and batteries."""
        age = (self._age[rows] + moment.at / _BATTERY_MILLISECONDS) % 1.0
        return {
            "volume": self.registers.read(rows),
            "flow_rate": self.flow[rows] * 3600.0,
            "battery": 100.0 - (100.0 - _BATTERY_LEAST) * age,
        }


class BulkMeters(Bank):
    """Meters of inlets and of large customers.

    Attributes:
        flow: L/s through each, mean of the step.
    """

    metrics = (
        Metric(name="volume", unit="m3", decimals=4),
        Metric(name="flow_rate", unit="m3/h", decimals=3),
        Metric(name="pressure", unit="bar", decimals=3),
    )

    def __init__(
        self,
        devices: Sequence[DevicePlan],
        settings: Sequence[BulkMeterSettings],
        registers: Registers,
        located: "Located",
    ) -> None:
        super().__init__(devices)
        self.registers = registers
        self.flow = np.zeros(len(devices))
        self._has_pressure = np.array([s.pressure for s in settings])
        self._located = located

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read registers and flows, and pressure where it is measured."""
        told = {"volume": self.registers.read(rows), "flow_rate": self.flow[rows] * 3.6}
        measures = self._has_pressure[rows]
        if measures.any():
            told["pressure"] = np.where(measures, self._located.bar(rows, moment), np.nan)
        return told


class PressureLoggers(Bank):
    """Loggers at hydrants and fittings."""

    metrics = (Metric(name="pressure", unit="bar", decimals=3),)

    def __init__(self, devices: Sequence[DevicePlan], located: "Located") -> None:
        super().__init__(devices)
        self._located = located

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read pressures."""
        return {"pressure": self._located.bar(rows, moment)}


class ReservoirGauges(Bank):
    """Gauges of reservoirs and their pumps."""

    metrics = (
        Metric(name="level", unit="m", decimals=3),
        Metric(name="inflow", unit="L/s", decimals=2),
        Metric(name="outflow", unit="L/s", decimals=2),
        Metric(name="pump", unit="1", decimals=0),
    )

    def __init__(self, devices: Sequence[DevicePlan], reservoirs: Reservoirs) -> None:
        super().__init__(devices)
        self._reservoirs = reservoirs

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read levels, flows and pumps."""
        return self._reservoirs.readings(rows, moment)


class Located:
    """Where in the zones some pressure sensors are, and how noisy they are."""

    def __init__(self, zones: Zones, rows: Rows, settings: Sequence[LoggerSettings], chance: Chance) -> None:
        self._zones = zones
        self._rows = rows
        self._chance = chance
        drawn = chance.between("distance", 0.3, 1.0).tolist()
        self._distance = np.array(
            [d if s.distance is None else s.distance for s, d in zip(settings, drawn, strict=True)]
        )
        ground = [zones.settings[int(row)].elevation_metres for row in rows]
        self._above = np.array(
            [
                0.0 if s.elevation_metres is None else s.elevation_metres - g
                for s, g in zip(settings, ground, strict=True)
            ]
        )
        self._noise = np.array([s.noise_bar for s in settings])

    def bar(self, rows: Rows, moment: Moment) -> Floats:
        """Return what some of them show."""
        true = self._zones.pressure(self._rows[rows], self._distance[rows], self._above[rows])
        shown = true + self._noise[rows] * self._chance.normal("pressure", moment.number)[rows]
        return np.maximum(shown, 0.0)
