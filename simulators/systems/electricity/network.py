"""The electricity network below a root site: what its customers take and give, and what that does to it.

Each step: who has supply; what each customer takes, makes and can pay for, and its registers; power from the meters up
to the feeders with its losses; voltage back down; the transformers' oil. `banks.py` reads it.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.report import Name, Place
from simulators.scenario import Area, Line, SitePlan
from simulators.systems.electricity.banks import FeederBank, MeterBank, TransformerBank
from simulators.systems.electricity.consumption import SlowNoise
from simulators.systems.electricity.customers import JOULES_PER_KWH, Customers
from simulators.systems.electricity.flow import Flow, Lines, summed
from simulators.systems.electricity.interruptions import Change, SupplyInterrupted, change
from simulators.systems.electricity.oil import Oil
from simulators.systems.electricity.sizing import POWER_FACTOR, Ratings, peak_watts, ratings
from simulators.systems.electricity.tree import build_tree
from simulators.systems.system import Bank, Flags, PhysicalFault, State, System, SystemPlan, World

_REGULATOR_SECONDS = 900.0
_FAULTS = frozenset({"feeder_outage", "planned_interruption"})
_FEEDER_RESERVE = 1.5  # Assumed: a feeder's cable is laid for more than hangs on it at first.
_LEAST_FEEDER_WATTS = 50_000.0


class ElectricityNetwork(System):
    """Meters, transformers and feeders below one root site.

    Attributes:
        flow: of the last step; before the first one, nothing flows.
        dead_transformers: without power in the last step; None: none.
        dead_feeders: likewise.
        transformer_change: which transformers' power went or came back in the last step; None: nothing is off.
        feeder_change: likewise.
        feeder_energy: registers of the feeders, kWh.
    """

    models = frozenset({"electricity_meter", "transformer", "feeder"})

    def __init__(self, plan: SystemPlan, world: World) -> None:
        super().__init__(plan, world)
        self.meters = plan.of_model("electricity_meter")
        transformers, feeders = plan.of_model("transformer"), plan.of_model("feeder")
        place = _centre(plan.sites[0])
        self.customers = Customers(self.meters, world, plan.name, place)
        self.tree = build_tree(plan.sites, self.meters, transformers)
        self.ratings = self._rate_transformers()
        self._lines = self._lay_lines()
        self._regulators = SlowNoise(
            world.chance([f"{plan.name}:{name}" for name in self.tree.feeder_names]), "regulator", _REGULATOR_SECONDS
        )
        self.oil = Oil(np.array([each.ambient_celsius for each in self.tree.transformers]), place[1])
        self.feeder_energy: Floats = self._per_feeder(self._per_transformer(self.customers.energy))
        self.dead_transformers: Flags | None = None
        self.dead_feeders: Flags | None = None
        self.transformer_change: Change | None = None
        self.feeder_change: Change | None = None
        self._interrupted: set[str] = set()
        self.flow: Flow = self._flow(0.0)
        self._banks: tuple[Bank, ...] = (
            *self._meter_banks(),
            *([TransformerBank(self, transformers)] if transformers else ()),
            *([FeederBank(self, feeders)] if feeders else ()),
        )
        self._meter_rows = {Name(meter.organisation, meter.id): row for row, meter in enumerate(self.meters)}
        self._feeder_rows = {Name(each.organisation, each.id): self.tree.feeder_at[each.site] for each in feeders}

    @property
    def banks(self) -> Sequence[Bank]:
        """Return its devices by model, meters by what they tell."""
        return self._banks

    def interrupt(self, site: str) -> None:
        """Let a feeder or transformer have no power in the coming step."""
        self._interrupted.add(site)

    def advance(self, moment: Moment) -> None:
        """Let a step pass."""
        self._switch()
        dead = None if self.dead_transformers is None else self.dead_transformers[self.tree.transformer_of]
        self.customers.advance(moment, dead)
        self.flow = self._flow(moment.at_seconds)
        self.feeder_energy = self.feeder_energy + np.maximum(self.flow.feeder_watts, 0.0) * (
            moment.seconds / JOULES_PER_KWH
        )
        energised = 1.0 if self.dead_transformers is None else np.where(self.dead_transformers, 0.0, 1.0)
        self.oil.advance(self.flow.transformer_load, energised, moment)

    def state(self) -> State:
        """Give registers, balances, what is off and missed, and the oil."""
        return {
            **self.customers.state(),
            "oil": self.oil.rise.copy(),
            "feeder_energy": self.feeder_energy.copy(),
            "dead_transformers": _flags(self.dead_transformers, len(self.tree.transformers)),
            "dead_feeders": _flags(self.dead_feeders, len(self.tree.feeders)),
        }

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self.customers.restore(state)
        self.oil.rise = state["oil"].copy()
        self.feeder_energy = state["feeder_energy"].copy()
        self.dead_transformers, self.dead_feeders = (
            state[key].copy() if state[key].any() else None for key in ("dead_transformers", "dead_feeders")
        )

    def resume(self, name: Name, values: Mapping[str, float]) -> None:
        """Let a meter's registers and balance, or a feeder's register, go on from what is known."""
        if name in self._feeder_rows and "energy" in values:
            self.feeder_energy[self._feeder_rows[name]] = values["energy"]
        row = self._meter_rows.get(name)
        if row is None:
            return
        customers = self.customers
        customers.energy[row] = values.get("energy", customers.energy[row])
        customers.export[row] = values.get("energy_export", customers.export[row])
        if row in customers.prepaid and "credit" in values:
            customers.credit.kwh[np.searchsorted(customers.prepaid, row)] = max(values["credit"], 0.0)

    def fault(self, kind: str, place: Place, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin an outage of a feeder or transformer.

        Raises:
            ConfigurationInvalid: another fault, or no such site.
        """
        if kind in _FAULTS and place.site is not None and place.site in self.tree.dead_transformers:
            return SupplyInterrupted(self, place.site)
        return super().fault(kind, place, parameters)

    def _switch(self) -> None:
        """Work out what is off in this step, and what has changed."""
        transformers, feeders = self.dead_transformers, self.dead_feeders
        self.dead_transformers = self.dead_feeders = None
        for site in sorted(self._interrupted):
            below, lines = self.tree.dead_transformers[site], self.tree.dead_feeders[site]
            self.dead_transformers = below if self.dead_transformers is None else self.dead_transformers | below
            self.dead_feeders = lines if self.dead_feeders is None else self.dead_feeders | lines
        self._interrupted.clear()
        self.transformer_change = change(transformers, self.dead_transformers)
        self.feeder_change = change(feeders, self.dead_feeders)

    def _flow(self, at_seconds: float) -> Flow:
        regulator = self._regulators.at(at_seconds)
        return self._lines.flow(self.customers.watts, regulator, self.dead_transformers, self.dead_feeders)

    def _per_transformer(self, of_meters: Floats) -> Floats:
        return summed(self.tree.transformer_of, of_meters, len(self.tree.transformers))

    def _per_feeder(self, of_transformers: Floats) -> Floats:
        """Sum over all transformers below a feeder, those of its branches among them."""
        sums = summed(self.tree.feeder_of, of_transformers, len(self.tree.feeders))
        for row in reversed(range(1, len(sums))):
            sums[self.tree.upper[row]] += sums[row]
        return sums

    def _rate_transformers(self) -> Ratings:
        return ratings(
            [each.rated_kva for each in self.tree.transformers],
            self._per_transformer(self.customers.annual_kwh),
            self._per_transformer(self.customers.solar_peak),
        )

    def _lay_lines(self) -> Lines:
        annual = self._per_feeder(self._per_transformer(self.customers.annual_kwh))
        solar = self._per_feeder(self._per_transformer(self.customers.solar_peak))
        rated = [
            feeder.rated_kva * 1000.0 * POWER_FACTOR
            if feeder.rated_kva
            else max(_FEEDER_RESERVE * max(peak_watts(kwh), watts), _LEAST_FEEDER_WATTS)
            for feeder, kwh, watts in zip(self.tree.feeders, annual.tolist(), solar.tolist(), strict=True)
        ]
        places = self.world.chance([f"{self.plan.name}:{name}" for name in self.tree.transformer_names])
        meters = self.world.chance([f"{meter.organisation}/{meter.id}" for meter in self.meters])
        return Lines(
            self.tree,
            self.ratings,
            np.array(rated),
            places.between("along the feeder", 0.1, 1.0),
            meters.between("along the line", 0.1, 1.0),
        )

    def _meter_banks(self) -> Iterator[MeterBank]:
        settings = self.customers.settings
        kinds = [(each.solar_peak_watts > 0, each.prepaid) for each in settings]
        for kind in sorted(set(kinds)):
            yield MeterBank(self, np.flatnonzero([each == kind for each in kinds]))


def _flags(dead: Flags | None, count: int) -> Flags:
    return np.zeros(count, dtype=np.bool_) if dead is None else dead.copy()


def _centre(site: SitePlan) -> tuple[float, float]:
    """Return longitude and latitude of the middle of a site's outline."""
    geometry = site.geometry
    if isinstance(geometry, Area):
        outline = geometry.coordinates[0]
    elif isinstance(geometry, Line):
        outline = geometry.coordinates
    else:
        outline = (geometry.coordinates,)
    longitudes, latitudes = [x for x, _ in outline], [y for _, y in outline]
    return (min(longitudes) + max(longitudes)) / 2.0, (min(latitudes) + max(latitudes)) / 2.0
