"""What meters, transformers and feeders tell of their network."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Happening, Metric
from simulators.scenario import DevicePlan
from simulators.systems.electricity.flow import NOMINAL_VOLTS
from simulators.systems.electricity.interruptions import Change
from simulators.systems.electricity.settings import device_settings
from simulators.systems.electricity.sizing import POWER_FACTOR
from simulators.systems.system import Bank, Flags, Rows

if TYPE_CHECKING:
    from simulators.systems.electricity.network import ElectricityNetwork

_ENERGY = Metric(name="energy", unit="kWh", decimals=4)
_EXPORT = Metric(name="energy_export", unit="kWh", decimals=4)
_POWER = Metric(name="power", unit="W", decimals=0)
_VOLTAGE = Metric(name="voltage", unit="V", decimals=1)
_CREDIT = Metric(name="credit", unit="kWh", decimals=2)


class MeterBank(Bank):
    """Meters that all have panels or none, and are all prepaid or none.

    Args:
        of: their rows among the network's meters.
    """

    def __init__(self, network: "ElectricityNetwork", of: Rows) -> None:
        rows = cast("list[int]", of.tolist())
        super().__init__([network.meters[row] for row in rows])
        self._network, self._of = network, of
        self._place = {row: place for place, row in enumerate(rows)}
        settings = [network.customers.settings[row] for row in rows]
        self._has_battery: Flags = np.array([bool(each.battery) for each in settings], dtype=np.bool_)
        self._gasps = [each.last_gasp for each in settings]
        self._is_solar = settings[0].solar_peak_watts > 0
        self._credit_of: Rows | None = None
        if settings[0].prepaid:
            self._credit_of = np.searchsorted(network.customers.prepaid, of)
        extra = ((_EXPORT,) if self._is_solar else ()) + ((_CREDIT,) if settings[0].prepaid else ())
        self.metrics = (_ENERGY, *extra, _POWER, _VOLTAGE)

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read registers, the mean power of the step (negative: given), voltage and credit."""
        del moment
        network, at = self._network, self._of[rows]
        values = {
            "energy": network.customers.energy[at],
            # Without -0.0.
            "power": network.customers.watts[at] + 0.0,
            "voltage": network.flow.voltage[at],
        }
        if self._is_solar:
            values["energy_export"] = network.customers.export[at]
        if self._credit_of is not None:
            values["credit"] = network.customers.credit.kwh[self._credit_of[rows]]
        return values

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell of purchases, of meters that switched off or on, and the last gasps of those that can."""
        del moment
        customers = self._network.customers
        return [
            *(h for row in self._here(customers.lost) if self._gasps[row] for h in _event(row, "power_fail")),
            *(h for row in self._here(customers.regained) if self._gasps[row] for h in _event(row, "power_restore")),
            *(self._purchases() if self._credit_of is not None else ()),
            *(h for row in self._here(customers.cut) for h in _event(row, "disconnected", reason="no credit")),
            *(h for row in self._here(customers.resumed) for h in _event(row, "reconnected", reason="credit")),
        ]

    def silent(self, rows: Rows, moment: Moment) -> Flags | None:
        """Say which meters have neither supply nor a battery."""
        del moment
        dead = self._network.customers.dead
        return None if dead is None else dead[self._of[rows]] & ~self._has_battery[rows]

    def _purchases(self) -> Iterator[Happening]:
        rows, bought = self._network.customers.bought
        for row, kwh in zip(rows.tolist(), bought.tolist(), strict=True):
            if row in self._place:
                yield from _event(self._place[row], "vending", amount=kwh, unit="kWh")

    def _here(self, rows: Rows) -> Iterator[int]:
        return (self._place[row] for row in rows.tolist() if row in self._place)


class TransformerBank(Bank):
    """Monitors at transformers: load, oil and voltage; fed by the transformer, unless they have a battery."""

    metrics = (
        Metric(name="apparent_power", unit="kVA", decimals=2),
        Metric(name="oil_temperature", unit="Cel", decimals=1),
        _VOLTAGE,
    )

    def __init__(self, network: "ElectricityNetwork", devices: Sequence[DevicePlan]) -> None:
        super().__init__(devices)
        self._network = network
        self._of: Rows = np.array([network.tree.transformer_at[device.site] for device in devices], dtype=np.intp)
        settings = [device_settings(device) for device in devices]
        self._has_battery: Flags = np.array([bool(each.battery) for each in settings], dtype=np.bool_)
        self._gasping: Flags = np.array([each.last_gasp for each in settings], dtype=np.bool_)

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read the low-voltage side."""
        network, at = self._network, self._of[rows]
        return {
            "apparent_power": network.flow.transformer_load[at] * network.ratings.rated[at] / 1000.0,
            "oil_temperature": network.oil.temperature(moment)[at],
            "voltage": network.flow.transformer_voltage[at] * NOMINAL_VOLTS,
        }

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell the last gasps of those that can."""
        del moment
        return _gasps(self._network.transformer_change, self._of, self._gasping)

    def silent(self, rows: Rows, moment: Moment) -> Flags | None:
        """Say which have neither supply nor a battery."""
        del moment
        dead = self._network.dead_transformers
        return None if dead is None else dead[self._of[rows]] & ~self._has_battery[rows]


class FeederBank(Bank):
    """Measurements at the head of feeders; they live on the substation's battery, unless told that there is none."""

    metrics = (
        _ENERGY,
        _POWER,
        Metric(name="current", unit="A", decimals=2),
        Metric(name="line_voltage", unit="V", decimals=0),
    )

    def __init__(self, network: "ElectricityNetwork", devices: Sequence[DevicePlan]) -> None:
        super().__init__(devices)
        self._network = network
        self._of: Rows = np.array([network.tree.feeder_at[device.site] for device in devices], dtype=np.intp)
        feeders = [network.tree.feeders[network.tree.feeder_at[device.site]] for device in devices]
        self._nominal: Floats = np.array([feeder.nominal_volts for feeder in feeders])
        settings = [device_settings(device) for device in devices]
        self._has_battery: Flags = np.array([each.battery is not False for each in settings], dtype=np.bool_)
        self._gasping: Flags = np.array([each.last_gasp for each in settings], dtype=np.bool_)

    def readings(self, rows: Rows, moment: Moment) -> Mapping[str, Floats]:
        """Read the register, power (negative: given back), the current of a phase and the voltage between phases."""
        del moment
        network, at = self._network, self._of[rows]
        watts = network.flow.feeder_watts[at]
        voltage = network.flow.feeder_voltage[at] * self._nominal[rows]
        return {
            "energy": network.feeder_energy[at],
            "power": watts + 0.0,
            "current": np.abs(watts) / (np.sqrt(3.0) * np.maximum(voltage, 1.0) * POWER_FACTOR),
            "line_voltage": voltage,
        }

    def events(self, moment: Moment) -> Sequence[Happening]:
        """Tell the last gasps of those that can."""
        del moment
        return _gasps(self._network.feeder_change, self._of, self._gasping)

    def silent(self, rows: Rows, moment: Moment) -> Flags | None:
        """Say which have neither voltage nor a battery."""
        del moment
        dead = self._network.dead_feeders
        return None if dead is None else dead[self._of[rows]] & ~self._has_battery[rows]


def _event(row: int, kind: str, **attributes: object) -> tuple[Happening]:
    return (Happening(row=row, kind=kind, attributes=attributes),)


def _gasps(change: Change | None, of: Rows, gasping: Flags) -> list[Happening]:
    if change is None:
        return []
    return [
        Happening(row=row, kind=kind, attributes={})
        for kind, flags in (("power_fail", change.lost), ("power_restore", change.regained))
        for row in np.flatnonzero(flags[of] & gasping).tolist()
    ]
