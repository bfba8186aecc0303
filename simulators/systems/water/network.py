"""The water network below a root site: homes, customers, areas, reservoirs, and the instruments that show them."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Name, Place
from simulators.scenario import DevicePlan
from simulators.systems.system import Bank, PhysicalFault, Rows, State, System, SystemPlan, World
from simulators.systems.water.banks import BulkMeters, Located, PressureLoggers, ReservoirGauges, WaterMeters
from simulators.systems.water.customers import Customers
from simulators.systems.water.draws import DRAWS
from simulators.systems.water.faults import BackgroundGrowth, Burst, Leak, PumpFailure, nothing
from simulators.systems.water.households import Households
from simulators.systems.water.registers import Registers
from simulators.systems.water.reservoirs import Reservoirs
from simulators.systems.water.rhythm import LocalTime
from simulators.systems.water.settings import (
    BulkMeterSettings,
    LoggerSettings,
    MeterSettings,
    ReservoirSettings,
    of_device,
)
from simulators.systems.water.wander import Wander
from simulators.systems.water.zones import ZONE_KINDS, Connected, Zones
from veldwatch.errors import ConfigurationInvalid

# What registers show at the beginning, in litres: some years of use; assumed.
_HOME_START, _BULK_START = (120_000.0, 900_000.0), (5_000_000.0, 60_000_000.0)

_BURSTINESS, _CORRELATION_SECONDS = DRAWS.burstiness, DRAWS.correlation_seconds


class WaterNetwork(System):
    """Homes draw, businesses draw, pipes leak; reservoirs feed all of it.

    An area's inlet is the sum of its meters, unmetered homes, leakage and bursts, and of the areas inside it.
    """

    models = frozenset({"water_meter", "bulk_meter", "pressure_logger", "reservoir"})

    def __init__(self, plan: SystemPlan, world: World) -> None:
        super().__init__(plan, world)
        self.zones = Zones(plan.sites)
        self._make_meters()
        self._make_bulk_meters()
        self._connect()
        self._make_loggers()
        self._make_reservoirs()
        self._unmetered = self.zones.unmetered
        self._has_unmetered = bool(self._unmetered.any())
        self._noise = Wander(
            world.chance([f"{plan.name}/{slug}" for slug in self.zones.slugs]), "unmetered", _CORRELATION_SECONDS
        )
        self.ailing = nothing(self.zones.count, self.reservoirs.count, self.zones.growth)
        self._banks: tuple[Bank, ...] = tuple(
            bank for bank in (self.meters, self.bulk_meters, self.loggers, self.gauges) if bank.devices
        )

    @property
    def banks(self) -> Sequence[Bank]:
        """Return meters, bulk meters, loggers and reservoirs, as far as there are any."""
        return self._banks

    def advance(self, moment: Moment) -> None:
        """Draw, leak, and balance the reservoirs."""
        time = LocalTime.of(moment)
        use = self.zones.use(time)
        litres = self._homes(moment, time, use)
        customers = self._customers.flow(moment, time) if self._customer_rows.size else self._nobody
        demand = self._demand(moment, use, litres, customers)
        supplied = self._supplied(moment, demand)
        if supplied < 1.0:
            litres, customers, demand = litres * supplied, customers * supplied, demand * supplied
            self.meters.flow *= supplied
        self.zones.advance(demand, self.reservoirs.head_change, supplied, self.ailing.bursts)
        if self.reservoirs.count:
            self.reservoirs.advance(moment, float(self.zones.inlet[0]))
        self.meters.registers.litres += litres
        self._count_bulk(moment, customers)
        self.ailing.clear()

    def state(self) -> State:
        """Give registers, running taps, flows and levels."""
        parts = {"homes": self._households.state(), "zones": self.zones.state(), "tanks": self.reservoirs.state()}
        return {
            "meters": self.meters.registers.litres.copy(),
            "bulk_meters": self.bulk_meters.registers.litres.copy(),
            **{f"{part}.{name}": array for part, state in parts.items() for name, array in state.items()},
        }

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self.meters.registers.litres[:] = state["meters"]
        self.bulk_meters.registers.litres[:] = state["bulk_meters"]
        parts = (("homes", self._households), ("zones", self.zones), ("tanks", self.reservoirs))
        for name, part in parts:
            prefix = f"{name}."
            part.restore({key.removeprefix(prefix): a for key, a in state.items() if key.startswith(prefix)})

    def resume(self, name: Name, values: Mapping[str, float]) -> None:
        """Go on from a register's figure, or a reservoir's level."""
        if name in self.meters.rows and "volume" in values:
            self.meters.registers.resume(self.meters.rows[name], values["volume"])
        if name in self.bulk_meters.rows and "volume" in values:
            self.bulk_meters.registers.resume(self.bulk_meters.rows[name], values["volume"])
        if name in self.gauges.rows and "level" in values:
            self.reservoirs.level[self.gauges.rows[name]] = values["level"]
            self.reservoirs.pumping[self.gauges.rows[name]] = values.get("pump", 0.0) > 0.0

    def fault(self, kind: str, place: Place, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin a leak, a burst, growing leakage, or a pump's failure.

        Raises:
            ConfigurationInvalid: the place has no such thing.
        """
        makers: Mapping[str, Callable[[], PhysicalFault]] = {
            "leak": lambda: Leak(self.ailing, self._row(self.meters, kind, place), parameters["litres_per_hour"]),
            "burst": lambda: Burst(self.ailing, self._zone(kind, place), parameters["litres_per_second"]),
            "background_growth": lambda: BackgroundGrowth(
                self.ailing, self._zone(kind, place), parameters["litres_per_second_per_week"]
            ),
            "pump_failure": lambda: PumpFailure(self.ailing, self._row(self.gauges, kind, place)),
        }
        if kind not in makers:
            return super().fault(kind, place, parameters)
        return makers[kind]()

    def _make_meters(self) -> None:
        devices = self.plan.of_model("water_meter")
        settings = [of_device(plan, MeterSettings) for plan in devices]
        chance = self.world.chance(_names(devices))
        self._households = Households(devices, settings, self.world)
        start = chance.between("register", *_HOME_START)
        self.meters = WaterMeters(devices, Registers(start, [s.litres_per_pulse for s in settings]), chance)
        self._meter_zones = self._zones_of(devices)

    def _make_bulk_meters(self) -> None:
        devices = self.plan.of_model("bulk_meter")
        settings = [of_device(plan, BulkMeterSettings) for plan in devices]
        chance = self.world.chance(_names(devices))
        registers = Registers(chance.between("register", *_BULK_START), [s.litres_per_pulse for s in settings])
        self._bulk_zones = self._zones_of(devices)
        is_customer = np.array([s.role == "customer" for s in settings], dtype=np.bool_)
        self._customer_rows = np.flatnonzero(is_customer)
        self._inlet_rows = np.flatnonzero(~is_customer)
        self._nobody = np.zeros(0)
        some = [devices[row] for row in self._customer_rows.tolist()]
        self._customers = Customers([s for s in settings if s.role == "customer"], self.world.chance(_names(some)))
        inlets = self._bulk_zones[self._inlet_rows]
        self._inlet_share = 1.0 / np.bincount(inlets, minlength=self.zones.count)[inlets] if inlets.size else inlets
        entry = [LoggerSettings(distance=0.0) for _ in devices]
        located = Located(self.zones, self._bulk_zones, entry, chance)
        self.bulk_meters = BulkMeters(devices, settings, registers, located)

    def _make_loggers(self) -> None:
        devices = self.plan.of_model("pressure_logger")
        settings = [of_device(plan, LoggerSettings) for plan in devices]
        located = Located(self.zones, self._zones_of(devices), settings, self.world.chance(_names(devices)))
        self.loggers = PressureLoggers(devices, located)

    def _make_reservoirs(self) -> None:
        devices = self.plan.of_model("reservoir")
        settings = [of_device(plan, ReservoirSettings) for plan in devices]
        mean = float((self.zones.mean_demand + self.zones.background).sum())
        self.reservoirs = Reservoirs(settings, self.world.chance(_names(devices)), mean)
        self.gauges = ReservoirGauges(devices, self.reservoirs)

    def _connect(self) -> None:
        count = self.zones.count
        customers = self._bulk_zones[self._customer_rows]
        homes = np.bincount(self._meter_zones, self._households.litres_per_day, count)
        businesses = np.bincount(customers, self._customers.litres_per_day, count)
        connections = np.bincount(self._meter_zones, minlength=count) + np.bincount(customers, minlength=count)
        self.zones.connect(
            Connected(connections=connections.astype(np.float64), litres_per_second=(homes + businesses) / 86400.0)
        )

    def _homes(self, moment: Moment, time: LocalTime, use: Floats) -> Floats:
        factor = float(use[0]) if self.zones.is_uniform else use[self._meter_zones]
        litres = self._households.advance(moment, time, factor)
        flow = self._households.flow.copy()
        for row, leak in self.ailing.leaks.items():
            litres[row] += leak * moment.seconds
            flow[row] += leak
        self.meters.flow = flow
        return litres

    def _demand(self, moment: Moment, use: Floats, litres: Floats, customers: Floats) -> Floats:
        """Return the L/s that customers draw in each zone."""
        count = self.zones.count
        demand = np.bincount(self._meter_zones, litres, count) / moment.seconds
        if customers.size:
            demand += np.bincount(self._bulk_zones[self._customer_rows], customers, count)
        if self._has_unmetered:
            demand += self._unmetered_flow(moment, use)
        return demand

    def _unmetered_flow(self, moment: Moment, use: Floats) -> Floats:
        mean = self._unmetered * use
        # A mean over a step longer than draws last sways less.
        calm = min(1.0, _CORRELATION_SECONDS / moment.seconds)
        return np.maximum(mean + np.sqrt(mean * (_BURSTINESS * calm)) * self._noise.at(moment.at_seconds), 0.0)

    def _supplied(self, moment: Moment, demand: Floats) -> float:
        """Let pumps run; return which share of the water asked for there is."""
        if not self.reservoirs.count:
            return 1.0
        there = self.reservoirs.begin(moment, self.ailing.pumps)
        asked = float((demand + self.zones.background + self.ailing.bursts).sum())
        return min(1.0, there / asked) if asked > 0.0 else 1.0

    def _count_bulk(self, moment: Moment, customers: Floats) -> None:
        if not self.bulk_meters.devices:
            return
        flow = self.bulk_meters.flow
        flow[self._customer_rows] = customers
        flow[self._inlet_rows] = self.zones.inlet[self._bulk_zones[self._inlet_rows]] * self._inlet_share
        self.bulk_meters.registers.litres += flow * moment.seconds

    def _zones_of(self, devices: Sequence[DevicePlan]) -> Rows:
        return np.array([self.zones.within(plan.site) for plan in devices], dtype=np.intp)

    def _row(self, bank: Bank, kind: str, place: Place) -> int:
        name = Name(place.organisation, place.device or "")
        if name not in bank.rows:
            raise ConfigurationInvalid(f"bad fault: {kind!r} does not suit {place} (expected {_WHERE[kind]})")
        return bank.rows[name]

    def _zone(self, kind: str, place: Place) -> int:
        slugs = self.zones.slugs
        row = slugs.index(place.site) if place.site in slugs else None
        if (
            place.organisation != self.plan.sites[0].organisation
            or row is None
            or self.zones.kinds[row] not in ZONE_KINDS
        ):
            raise ConfigurationInvalid(f"bad fault: {kind!r} does not suit {place} (expected {_WHERE[kind]})")
        return row


_WHERE = {
    "leak": "a water meter",
    "burst": "a district metered area or zone with water devices",
    "background_growth": "a district metered area or zone with water devices",
    "pump_failure": "a reservoir",
}


def _names(devices: Sequence[DevicePlan]) -> list[str]:
    return [f"{plan.organisation}/{plan.id}" for plan in devices]
