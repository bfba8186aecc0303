"""Areas: what flows into each, at which pressure, and what its pipes lose.

A static model, solved anew at each step: an area is one pipe from the source to its far end, with the head loss of
Hazen and Williams, loss = k Q^1.852; leaks draw on its middle. That is enough for what instruments at inlets and
loggers show, and costs microseconds a step. `wntr` solves whole networks of pipes: it needs a layout that scenarios
do not have, milliseconds a step, and would tell the same story at an inlet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.chance import Floats
from simulators.scenario import Area, Line, Point, SitePlan
from simulators.systems.system import Rows, State
from simulators.systems.water.draws import DRAWS
from simulators.systems.water.rhythm import PEAK_FACTOR, LocalTime, diurnal, season, warmest_day
from simulators.systems.water.settings import ZoneSettings, of_site

ZONE_KINDS = frozenset({"district_metered_area", "zone"})
BAR_PER_METRE = 0.0980665
"""Source: ISO 80000-4, conventional water column."""
REFERENCE_METRES = 50.0
# Source: Lambert, Brown, Takizawa, Weimer 1999, "A review of performance indicators for real losses", AQUA 48(6):
# unavoidable background losses at 50 m of pressure.
_PER_KILOMETRE_HOUR, _PER_CONNECTION_HOUR = 20.0, 1.25
_CONNECTIONS_PER_KILOMETRE = 50.0
# Source: Hazen-Williams formula in SI units, as in the EPANET 2.2 user manual.
_EXPONENT = 1.852
# Source: Torricelli; a burst's hole keeps its area, Lambert 2001.
_BURST_EXPONENT = 0.5
# Source: UK national guidance document on the provision of water for fire fighting, 2007: 8 L/s for housing; mains are
# laid for it, so a single tap does not move the pressure of a small area.
FIRE_LITRES_PER_SECOND = 8.0
_LEAST_METRES = 0.1
_NEWTON_STEPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What hangs on each zone.

    Attributes:
        connections: number of meters.
        litres_per_second: their mean demand.
    """

    connections: Floats
    litres_per_second: Floats


class Zones:
    """The areas of one network.

    Attributes:
        slugs: of their sites.
        usual_metres: pressure in each one's middle at mean flow.
        metres: pressure in the middle at the last step.
        inlet: L/s into each at the last step, with the areas inside it.
        leakage: L/s, of `inlet`, lost from each zone's own pipes.
        growth: L/s at usual pressure that background leakage has grown by.
        is_uniform: homes use water at the same times in all of them.
    """

    def __init__(self, sites: Sequence[SitePlan]) -> None:
        chosen = [site for number, site in enumerate(sites) if number == 0 or site.kind in ZONE_KINDS]
        self.slugs = tuple(site.slug for site in chosen)
        self.settings = tuple(of_site(site) for site in chosen)
        self.kinds = tuple(site.kind for site in chosen)
        self._within, self._parents = _tree(sites, self.slugs)
        self._warmest = [
            _latitude(site) if s.warmest_day is None else s.warmest_day
            for site, s in zip(chosen, self.settings, strict=True)
        ]
        self.count = len(chosen)
        seasons = {(s.seasonal_amplitude, day) for s, day in zip(self.settings, self._warmest, strict=True)}
        self.is_uniform = len(seasons) == 1
        self.unmetered = np.array([_mean_unmetered(s) for s in self.settings])
        self.growth = np.zeros(self.count)
        self.inlet = self._own = np.zeros(self.count)
        self.leakage = np.zeros(self.count)
        self.metres = np.zeros(self.count)
        self._head = np.array([s.head_metres - s.elevation_metres for s in self.settings])
        self._exponent = np.array([s.leakage_exponent for s in self.settings])

    def connect(self, connected: Connected) -> None:
        """Size pipes and leakage for what hangs on the zones."""
        connections = connected.connections + np.array([float(s.unmetered_customers) for s in self.settings])
        kilometres = np.array(
            [
                count / _CONNECTIONS_PER_KILOMETRE if s.mains_kilometres is None else s.mains_kilometres
                for s, count in zip(self.settings, connections.tolist(), strict=True)
            ]
        )
        condition = np.array([s.condition for s in self.settings])
        self.background = condition * (_PER_KILOMETRE_HOUR * kilometres + _PER_CONNECTION_HOUR * connections) / 3600.0
        self.mean_demand = connected.litres_per_second + self.unmetered
        design = PEAK_FACTOR * self.mean_demand + FIRE_LITRES_PER_SECOND
        self._loss = np.array([max(s.head_loss_metres, 1e-6) for s in self.settings]) / design**_EXPONENT
        self.usual_metres = np.maximum(self._head - 0.5 * self._loss * self.mean_demand**_EXPONENT, _LEAST_METRES)
        self._background_scale = self.background / REFERENCE_METRES**self._exponent
        self._growth_scale = self.usual_metres**-self._exponent
        self._usual_root = np.sqrt(self.usual_metres)
        self._head_now, self._lost = self._head, np.zeros(self.count)
        self._flow_per_head = 2.0 / self._loss
        self.metres = self.usual_metres.copy()
        self._own = self.mean_demand + self.background
        self.inlet = self._with_inner(self._own)

    def within(self, site: str) -> int:
        """Return the row of the nearest zone around a site; the root is one where no other is."""
        return self._within[site]

    def use(self, time: LocalTime) -> Floats:
        """Return the expected use of homes over the year's mean, by zone."""
        hourly = diurnal(time)
        if self.is_uniform:
            return np.full(self.count, hourly * season(time, self.settings[0].seasonal_amplitude, self._warmest[0]))
        return np.array(
            [
                hourly * season(time, s.seasonal_amplitude, day)
                for s, day in zip(self.settings, self._warmest, strict=True)
            ]
        )

    def advance(self, demand: Floats, head_change: float, supplied: float, bursts: Floats) -> None:
        """Solve a step.

        Args:
            demand: L/s drawn in each zone by its customers.
            head_change: metres that the source stands above its usual level.
            supplied: share of the water asked for that there is; pressure falls with it.
            bursts: L/s of each zone's bursts at usual pressure.
        """
        head = (self._head + head_change) * supplied
        scale = self._background_scale + self.growth * self._growth_scale
        burst_scale = bursts / self._usual_root
        # More than this loses all of the head; leaks cannot ask for it.
        most = np.maximum((np.maximum(head, 0.0) * self._flow_per_head) ** (1.0 / _EXPONENT), demand)
        flow = np.minimum(np.maximum(self._own, demand), most)
        metres, leakage, through = self.metres, self.leakage, self._lost
        # Newton's method on flow = demand + leakage(pressure(flow)), from the last step's flow.
        for _ in range(_NEWTON_STEPS):
            steep = self._loss * flow ** (_EXPONENT - 1.0)
            through = steep * flow
            metres = np.maximum(head - 0.5 * through, _LEAST_METRES)
            lost = scale * metres**self._exponent
            burst = burst_scale * np.sqrt(metres)
            leakage = lost + burst
            slope = (self._exponent * lost + _BURST_EXPONENT * burst) / metres * (0.5 * _EXPONENT * steep)
            flow = np.minimum(np.maximum(flow - (flow - demand - leakage) / (1.0 + slope), demand), most)
        if supplied <= 0.0:
            leakage = np.zeros(self.count)
        self.metres, self.leakage = metres, leakage
        self._head_now, self._lost = head, through
        self._own = demand + leakage
        self.inlet = self._with_inner(self._own)

    def pressure(self, zones: Rows, distance: Floats, elevation: Floats) -> Floats:
        """Return the pressure at some places in bar.

        Args:
            zones: which zone each is in.
            distance: share of the zone's head loss before it.
            elevation: metres above the zone's ground.
        """
        return np.maximum(self._head_now[zones] - distance * self._lost[zones] - elevation, 0.0) * BAR_PER_METRE

    def state(self) -> State:
        """Give what the next step begins from."""
        return {"own": self._own.copy(), "metres": self.metres.copy(), "growth": self.growth.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._own, self.metres = state["own"].copy(), state["metres"].copy()
        self.growth[:] = state["growth"]
        self.inlet = self._with_inner(self._own)

    def _with_inner(self, own: Floats) -> Floats:
        """Add to each zone's flow that of the zones inside it."""
        total = own.copy()
        for row in range(self.count - 1, 0, -1):
            total[self._parents[row]] += total[row]
        return total


def _mean_unmetered(settings: ZoneSettings) -> float:
    daily = settings.persons * (settings.litres_per_person_day or DRAWS.litres_per_person_day)
    return settings.unmetered_customers * daily / 86400.0


def _tree(sites: Sequence[SitePlan], zones: Sequence[str]) -> tuple[dict[str, int], list[int]]:
    """Return each site's zone, and each zone's parent; the root's is itself."""
    rows = {slug: row for row, slug in enumerate(zones)}
    within: dict[str, int] = {}
    parents = [0] * len(zones)
    for site in sites:
        around = 0 if site.parent is None else within[site.parent]
        within[site.slug] = rows.get(site.slug, around)
        if site.slug in rows:
            parents[rows[site.slug]] = around
    return within, parents


def _latitude(site: SitePlan) -> float:
    match site.geometry:
        case Point(coordinates=place):
            latitude = place[1]
        case Line(coordinates=places):
            latitude = places[0][1]
        case Area(coordinates=rings):
            latitude = rings[0][0][1]
    return warmest_day(latitude)
