"""The faults that a scenario plans, laid on the time of a run: each with a place and a time, drawn where it says so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulators.chance import Chance
from simulators.fleet import Grid
from simulators.report import Place
from simulators.scenario import FaultPlan, Scenario, SitePlan
from simulators.systems.electricity.load_shedding import load_shedding
from simulators.timetable import TimedFault

if TYPE_CHECKING:
    from simulators.building import Run

_YEAR = 365 * 86_400_000


def planned_faults(scenario: Scenario, run: "Run", grid: Grid) -> Iterator[TimedFault]:
    """Yield a scenario's faults in its order, then its calendars of load shedding; a seed draws the same each time."""
    ends_at = run.ends_at if run.ends_at is not None else grid.begins_at + _YEAR
    for number, plan in enumerate(scenario.faults):
        places = _places(scenario, plan)
        chance = Chance(run.seed, [f"faults:{scenario.name}:{number}"])
        for repeat in range(plan.count):
            place = places[int(chance.uniform("place", repeat)[0] * len(places))]
            starts = _start(plan, chance, repeat, grid.begins_at, ends_at)
            starts = -(-starts // grid.history_step) * grid.history_step
            if starts < ends_at:
                yield TimedFault(
                    key=f"{number}.{repeat}",
                    kind=plan.kind,
                    place=place,
                    starts=starts,
                    ends=None if plan.lasts is None else starts + round(plan.lasts.total_seconds() * 1000),
                    parameters=dict(plan.parameters),
                )
    for site in scenario.sites:
        yield from load_shedding(site, grid.begins_at, ends_at, grid.utc_offset, grid.history_step)


def _start(plan: FaultPlan, chance: Chance, repeat: int, begins_at: int, ends_at: int) -> int:
    if plan.at is not None:
        return begins_at + round(plan.at.total_seconds() * 1000)
    low, high = begins_at, ends_at
    if plan.between is not None:
        low, high = (begins_at + round(edge.total_seconds() * 1000) for edge in plan.between)
    return low + int(chance.uniform("time", repeat)[0] * (high - low))


def _places(scenario: Scenario, plan: FaultPlan) -> list[Place]:
    if plan.device is not None:
        return [Place(organisation=plan.organisation, device=plan.device)]
    if plan.site is not None:
        return [Place(organisation=plan.organisation, site=plan.site)]
    among = plan.among
    if among is None:
        return []
    inside = _inside(scenario.sites, plan.organisation, among.below)
    if among.site_kind is not None:
        return [
            Place(organisation=site.organisation, site=site.slug)
            for site in scenario.sites
            if site.organisation == plan.organisation and site.slug in inside and site.kind == among.site_kind
        ]
    return [
        Place(organisation=device.organisation, device=device.id)
        for device in scenario.devices
        if device.organisation == plan.organisation and device.site in inside and device.model == among.model
    ]


def _inside(sites: tuple[SitePlan, ...], organisation: str, below: str | None) -> set[str]:
    own = [site for site in sites if site.organisation == organisation]
    if below is None:
        return {site.slug for site in own}
    found = {below}
    for site in own:
        if site.parent in found:
            found.add(site.slug)
    return found
