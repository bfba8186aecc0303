"""Small water networks for tests, and what they do over some steps."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.scenario import DevicePlan, Point, SitePlan
from simulators.systems.system import Bank, PhysicalFault, SystemPlan, World
from simulators.systems.water.network import WaterNetwork

MONDAY = 1_736_121_600_000
"""6 January 2025, midnight UTC: in the middle of the southern summer."""
DAY = 86_400_000
HOUR = 3_600_000


def site(slug: str, kind: str, parent: str | None = None, **water: float) -> SitePlan:
    return SitePlan(
        slug=slug,
        organisation="town-water",
        name=slug,
        kind=kind,
        parent=parent,
        geometry=Point(type="Point", coordinates=(31.0, -10.0)),
        settings={"water": water, "electricity": {"not": "ours"}},
    )


def device(name: str, model: str, at: str, **settings: float | str) -> DevicePlan:
    return DevicePlan(
        id=name,
        name=name,
        organisation="town-water",
        site=at,
        profile="any",
        model=model,
        interval_seconds=5,
        settings=settings,
    )


def network(sites: Sequence[SitePlan], devices: Sequence[DevicePlan], seed: int = 1) -> WaterNetwork:
    plan = SystemPlan(name="town-water/town", sites=tuple(sites), devices=tuple(devices), begins_at=MONDAY)
    return WaterNetwork(plan, World(seed=seed))


def homes(count: int, seed: int = 1, **settings: float | str) -> WaterNetwork:
    """Homes in one district, of constant demand over the year."""
    meters = [device(f"m{number}", "water_meter", "north", **settings) for number in range(count)]
    district = site("north", "district_metered_area", "town", seasonal_amplitude=0.0)
    return network([site("town", "town"), district], meters, seed)


def town(seed: int = 1, unmetered: int = 800, per_zone: int = 10) -> WaterNetwork:
    """Two districts with inlets and loggers, a customer, and a reservoir above them."""
    zones = ("north", "south")
    sites = [
        site("town", "zone"),
        *(site(zone, "district_metered_area", "town", unmetered_customers=unmetered) for zone in zones),
        site("hill", "reservoir", "town"),
    ]
    devices = [
        *(device(f"{zone}-{number}", "water_meter", zone) for zone in zones for number in range(per_zone)),
        *(device(f"{zone}-inlet", "bulk_meter", zone, role="inlet", pressure=True) for zone in zones),
        *(device(f"{zone}-logger", "pressure_logger", zone, distance=1.0, noise_bar=0.0) for zone in zones),
        device("mill", "bulk_meter", "north", role="customer", litres_per_day=40_000),
        device("town-inlet", "bulk_meter", "town", role="inlet"),
        device("tank", "reservoir", "hill"),
    ]
    return network(sites, devices, seed)


def steps(seconds: float, begins_at: int, ends_at: int) -> Iterator[Moment]:
    step = round(seconds * 1000)
    for at in range(begins_at + step, ends_at + 1, step):
        yield Moment(at=at, step=step)


def run(
    played: WaterNetwork,
    seconds: float,
    lasts: int,
    begins_at: int = MONDAY,
    faults: Sequence[PhysicalFault] = (),
) -> Iterator[Moment]:
    """Advance by steps, yielding after each."""
    for moment in steps(seconds, begins_at, begins_at + lasts):
        for fault in faults:
            fault.step(moment)
        played.advance(moment)
        yield moment


def told(bank: Bank, moment: Moment) -> Mapping[str, Floats]:
    return bank.readings(np.arange(len(bank.devices)), moment)


def series(bank: Bank, name: str, metric: str, moments: Iterator[Moment]) -> Floats:
    """Collect a metric of one device after each step."""
    row = next(row for row, plan in enumerate(bank.devices) if plan.id == name)
    return np.array([told(bank, moment)[metric][row] for moment in moments])
