"""A small town's electricity for tests: a feeder with two transformers, and a feeder that meters hang on directly."""

from collections.abc import Iterator, Mapping, Sequence

from simulators.moment import Moment
from simulators.report import Place
from simulators.scenario import DevicePlan, Point, SitePlan
from simulators.systems.electricity.network import ElectricityNetwork
from simulators.systems.system import PhysicalFault, SystemPlan, World

DAY = 86_400_000
MONDAY = 1_767_571_200_000
"""2026-01-05T00:00:00Z."""
_MAY_1 = 1_777_593_600_000
MAY_4 = _MAY_1 + 3 * DAY
"""2026-05-04, a Monday of the season of transition."""
BERLIN, CAPE_TOWN = (13.4, 52.5), (18.4, -33.9)


def site(slug: str, kind: str, parent: str | None, place: tuple[float, float] = BERLIN, **settings: object) -> SitePlan:
    """Make a site."""
    return SitePlan(
        slug=slug,
        organisation="grid",
        name=slug,
        kind=kind,
        parent=parent,
        geometry=Point(type="Point", coordinates=place),
        settings=settings,
    )


def device(name: str, at: str, model: str = "electricity_meter", **settings: object) -> DevicePlan:
    """Make a device."""
    return DevicePlan(
        id=name,
        name=name,
        organisation="grid",
        site=at,
        profile=model.replace("_", "-"),
        model=model,
        interval_seconds=300,
        settings=settings,
    )


def sites(place: tuple[float, float] = BERLIN, **feeder: object) -> tuple[SitePlan, ...]:
    """Make the town's sites; settings go to the north feeder."""
    return (
        site("town", "town", None, place),
        site("north", "feeder", "town", place, **feeder),
        site("north-a", "transformer", "north", place),
        site("north-b", "transformer", "north", place),
        site("south", "feeder", "town", place),
        site("street", "street", "north-a", place),
    )


def network(
    devices: Sequence[DevicePlan], tree: Sequence[SitePlan] | None = None, begins_at: int = MONDAY, seed: int = 7
) -> ElectricityNetwork:
    """Make a network of the town's sites."""
    plan = SystemPlan(name="grid/town", sites=tuple(tree or sites()), devices=tuple(devices), begins_at=begins_at)
    return ElectricityNetwork(plan, World(seed=seed))


def households(count: int, at: str = "north-a", **settings: object) -> tuple[DevicePlan, ...]:
    """Make meters."""
    return tuple(device(f"{at}-{number}", at, "electricity_meter", **settings) for number in range(count))


def run(
    played: ElectricityNetwork,
    hours: float,
    step_seconds: float = 300.0,
    begins_at: int = MONDAY,
    faults: Sequence[PhysicalFault] = (),
    utc_offset: int = 0,
) -> Iterator[Moment]:
    """Advance a network, and yield each moment."""
    step = round(step_seconds * 1000)
    for number in range(round(hours * 3_600_000 / step)):
        moment = Moment(at=begins_at + (number + 1) * step, step=step, utc_offset=utc_offset)
        for fault in faults:
            fault.step(moment)
        played.advance(moment)
        yield moment


def outage(played: ElectricityNetwork, at: str, kind: str = "feeder_outage") -> PhysicalFault:
    """Begin an outage of a site."""
    parameters: Mapping[str, float] = {}
    return played.fault(kind, Place(organisation="grid", site=at), parameters)
