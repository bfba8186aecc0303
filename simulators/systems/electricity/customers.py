"""The customers behind the meters: what each takes, gives and can pay for, step by step, and what the meters count."""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.scenario import DevicePlan
from simulators.systems.electricity.consumption import Consumption
from simulators.systems.electricity.credit import Credit
from simulators.systems.electricity.interruptions import change
from simulators.systems.electricity.pickup import Pickup
from simulators.systems.electricity.settings import meter_settings
from simulators.systems.electricity.sunshine import Sunshine
from simulators.systems.system import Flags, Rows, State, World

JOULES_PER_KWH = 3.6e6
# The meters hung for so many years before the run (assumed).
_YEARS = (0.2, 8.0)
# A roof gives so many kWh a year for each watt of its peak, of which so much is sold (assumed).
_SOLAR_KWH_PER_WATT, _SOLD_SHARE = 1.6, 0.5
_NOBODY: Rows = np.empty(0, dtype=np.intp)


class Customers:
    """The n customers of a network, one behind each meter.

    Args:
        name: of the system; the sky is drawn by it.
        place: longitude and latitude in degrees.

    Attributes:
        watts: what each takes less what it gives, in the mean of the last step.
        energy: registers of what was taken, kWh.
        export: registers of what was given, kWh.
        dead: whose supply was off in the last step; None: nobody's.
        lost: rows whose supply went in the last step; `regained`: whose came back.
        bought: rows that topped up in the last step, and by how many kWh.
        cut: rows that ran out of credit in the last step; `resumed`: rows that have some again.
        prepaid: which rows the arrays of `credit` are of.
        solar: which rows have panels.
    """

    def __init__(self, meters: Sequence[DevicePlan], world: World, name: str, place: tuple[float, float]) -> None:
        self.settings = tuple(meter_settings(meter) for meter in meters)
        names = [f"{meter.organisation}/{meter.id}" for meter in meters]
        chance = world.chance(names)
        self._consumption = Consumption(
            chance,
            np.array([each.use == "commercial" for each in self.settings], dtype=np.bool_),
            np.array([np.nan if each.annual_kwh is None else each.annual_kwh for each in self.settings]),
            place[1],
        )
        self.annual_kwh = self._consumption.annual_kwh
        self.solar = np.flatnonzero([each.solar_peak_watts > 0 for each in self.settings])
        self.solar_peak: Floats = np.array([each.solar_peak_watts for each in self.settings])
        self._sunshine = Sunshine(
            world.chance([names[row] for row in self.solar]), world.chance([f"{name}:sky"]), place[1], place[0]
        )
        self.prepaid = np.flatnonzero([each.prepaid for each in self.settings])
        self.credit = Credit(world.chance([names[row] for row in self.prepaid]), self.annual_kwh[self.prepaid])
        self._pickup = Pickup(len(meters))
        years = chance.between("years", *_YEARS)
        sold = _SOLD_SHARE * _SOLAR_KWH_PER_WATT * self.solar_peak
        self.energy: Floats = np.maximum(self.annual_kwh - sold, 0.1 * self.annual_kwh) * years
        self.export: Floats = sold * years
        self.watts: Floats = np.zeros(len(meters))
        self.dead: Flags | None = None
        self._forget_happenings()

    def advance(self, moment: Moment, dead: Flags | None) -> None:
        """Let a step pass.

        Args:
            dead: who has no supply; None: everybody has.
        """
        self._forget_happenings()
        self._notice(dead)
        off = self._off(dead)
        load = self._consumption.average(moment)
        factor = self._pickup.advance(off, moment.seconds)
        if factor is not None:
            load *= factor
        if self.solar.size:
            self._shine(load, moment)
        if off is not None:
            load[off] = 0.0
        if self.prepaid.size:
            self._pay(load, moment, dead)
        self._count(load, moment.seconds)
        self.watts = load

    def state(self) -> State:
        """Give what a restart must know."""
        dead = np.zeros(len(self.settings), dtype=np.bool_) if self.dead is None else self.dead
        return {
            "energy": self.energy.copy(),
            "export": self.export.copy(),
            "credit": self.credit.kwh.copy(),
            "cut": self.credit.is_cut.copy(),
            "excess": self._pickup.excess.copy(),
            "dead": dead.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self.energy, self.export = state["energy"].copy(), state["export"].copy()
        self.credit.kwh, self.credit.is_cut = state["credit"].copy(), state["cut"].copy()
        self._pickup.restore(state["excess"])
        self.dead = state["dead"].copy() if state["dead"].any() else None

    def _forget_happenings(self) -> None:
        self.lost = self.regained = self.cut = self.resumed = _NOBODY
        self.bought: tuple[Rows, Floats] = (_NOBODY, np.empty(0))

    def _notice(self, dead: Flags | None) -> None:
        changed = change(self.dead, dead)
        self.dead = dead
        if changed is not None:
            self.lost, self.regained = np.flatnonzero(changed.lost), np.flatnonzero(changed.regained)

    def _off(self, dead: Flags | None) -> Flags | None:
        """Return who draws nothing: for want of supply, or of credit."""
        if not self.credit.is_cut.any():
            return dead
        off = np.zeros(len(self.settings), dtype=np.bool_) if dead is None else dead.copy()
        off[self.prepaid[self.credit.is_cut]] = True
        return off

    def _shine(self, load: Floats, moment: Moment) -> None:
        share = self._sunshine.share(moment)
        if share is not None:
            load[self.solar] -= self.solar_peak[self.solar] * share

    def _pay(self, load: Floats, moment: Moment, dead: Flags | None) -> None:
        """Let credit be spent, and load end where it does; then let people buy."""
        per_kwh = moment.seconds / JOULES_PER_KWH
        mine = load[self.prepaid]
        taken = np.maximum(mine, 0.0) * per_kwh
        spent = self.credit.spend(taken)
        short = spent < taken
        load[self.prepaid] = np.where(short, spent / per_kwh, mine)
        powered = np.ones(len(self.prepaid), dtype=np.bool_) if dead is None else ~dead[self.prepaid]
        rows, bought = self.credit.top_up(powered, moment)
        self.bought = (self.prepaid[rows], bought)
        cut, resumed = self.credit.switch()
        self.cut, self.resumed = self.prepaid[cut], self.prepaid[resumed]

    def _count(self, load: Floats, seconds: float) -> None:
        if self.solar.size:
            self.energy = self.energy + np.maximum(load, 0.0) * (seconds / JOULES_PER_KWH)
            self.export = self.export + np.maximum(-load, 0.0) * (seconds / JOULES_PER_KWH)
        else:
            self.energy = self.energy + load * (seconds / JOULES_PER_KWH)
