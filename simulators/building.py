"""From a scenario to a fleet: its devices shared out over systems, its faults laid on the time of the run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simulators.fleet import Fleet, Grid
from simulators.planned_faults import planned_faults
from simulators.scenario import DevicePlan, Scenario, SitePlan
from simulators.systems.registry import SYSTEMS
from simulators.systems.system import System, SystemPlan, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What besides the scenario decides every byte.

    Attributes:
        begins_at: milliseconds since 1970.
        live_from: milliseconds since 1970; before it the scenario's history step holds.
        ends_at: where faults without an end, and those that are scattered over the run, end; None: a year on.
    """

    seed: int
    begins_at: int
    live_from: int
    ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a scenario that one process plays: every `of`-th root site from `number` on."""

    number: int = 0
    of: int = 1


def build_fleet(scenario: Scenario, run: Run, share: Share = Share()) -> Fleet:  # frozen
    """Make the devices of a scenario, or a share of them, with the faults that it plans.

    Raises:
        ConfigurationInvalid: a planned fault does not suit its place.
    """
    grid = grid_of(scenario, run)
    world = World(seed=run.seed, ends_at=run.ends_at)
    systems = tuple(kind(plan, world) for kind, plan in _plans(scenario, grid.begins_at, share))
    fleet = Fleet(systems, grid, run.seed)
    for fault in planned_faults(scenario, run, grid):
        if fleet.covers(fault.place):
            fleet.check(fault)
            fleet.timetable.add(fault)
    return fleet


def share_of(scenario: Scenario, share: Share) -> Scenario:
    """Give a scenario without the devices that a share does not play."""
    places = {
        (site.organisation, site.slug)
        for number, (_, sites) in enumerate(_trees(scenario.sites))
        if number % share.of == share.number
        for site in sites
    }
    kept = tuple(device for device in scenario.devices if (device.organisation, device.site) in places)
    return scenario.model_copy(update={"devices": kept})


def grid_of(scenario: Scenario, run: Run) -> Grid:
    """Lay a run on the scenario's grid: it begins on a whole step."""
    step = round(scenario.step_seconds * 1000)
    history_step = round((scenario.history_step_seconds or scenario.step_seconds) * 1000)
    coarse = history_step if run.begins_at < run.live_from else step
    return Grid(
        # Rounded up: what lies before was perhaps told by an earlier run.
        begins_at=-(-run.begins_at // coarse) * coarse,
        live_from=run.live_from // history_step * history_step,
        step=step,
        history_step=history_step,
        history_interval=round((scenario.history_interval_seconds or 0) * 1000),
        utc_offset=round(scenario.utc_offset_hours * 3_600_000),
    )


def _plans(scenario: Scenario, begins_at: int, share: Share) -> Iterator[tuple[type[System], SystemPlan]]:
    for number, (root, sites) in enumerate(_trees(scenario.sites)):
        if number % share.of != share.number:
            continue
        names = {site.slug for site in sites}
        here = [d for d in scenario.devices if d.organisation == root.organisation and d.site in names]
        for kind in SYSTEMS:
            devices: tuple[DevicePlan, ...] = tuple(device for device in here if device.model in kind.models)
            if devices:
                yield (
                    kind,
                    SystemPlan(
                        name=f"{root.organisation}/{root.slug}",
                        sites=sites,
                        devices=devices,
                        begins_at=begins_at,
                    ),
                )


def _trees(sites: Sequence[SitePlan]) -> list[tuple[SitePlan, tuple[SitePlan, ...]]]:
    """Return each root site with its tree, parents before children."""
    trees: dict[tuple[str, str], list[SitePlan]] = {}
    root_of: dict[tuple[str, str], tuple[str, str]] = {}
    for site in sites:
        key = (site.organisation, site.slug)
        root_of[key] = key if site.parent is None else root_of[site.organisation, site.parent]
        trees.setdefault(root_of[key], []).append(site)
    return [(tree[0], tuple(tree)) for tree in trees.values()]
