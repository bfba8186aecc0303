"""All devices of a scenario, their faults, and the messages that they publish, oldest first.

Pure but for its own state: no clock, no I/O. Same scenario, seed and moments: same bytes.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simulators.devices.collar import Collar, Home
from simulators.devices.device import Device, World
from simulators.devices.electricity_meter import ElectricityMeter
from simulators.devices.gateway import Gateway
from simulators.devices.reservoir import Reservoir
from simulators.devices.water_meter import WaterMeter
from simulators.devices.weather_station import WeatherStation
from simulators.faults.fault import Fault, Parameters
from simulators.faults.leak import Leak
from simulators.faults.outage import Outage
from simulators.faults.whereabouts import FenceCrossing, Immobility
from simulators.plane import Plane
from simulators.reports import UNITS, Report
from simulators.scenario import Area, CollarPlan, FixedPlan, Scenario
from simulators.schedule import Schedule
from veldwatch.model.telemetry import Position
from veldwatch.wire.topics import Kind, topic_for
from veldwatch.wire.veldwatch_json import encode_position, encode_readings, encode_status

_FIXED: Mapping[str, Callable[[str, World], Device]] = {
    "water_meter": WaterMeter,
    "electricity_meter": ElectricityMeter,
    "reservoir": Reservoir,
    "weather_station": WeatherStation,
    "gateway": lambda _name, _world: Gateway(),
}
# One use of water, and two moments of the rest after it, so that history shows both.
_WATER_HISTORY = (timedelta(seconds=17), timedelta(seconds=42), timedelta(seconds=58))
# A collar's battery is told with every sixth fix.
_FIXES_PER_BATTERY = 6


class Message(NamedTuple):
    """A message to publish, and the moment that it tells of."""

    observed_at: datetime
    topic: str
    payload: bytes


class Name(NamedTuple):
    """Which device: slug of its organisation, its own identifier."""

    organisation: str
    device: str


@dataclass(slots=True, kw_only=True)
class Member:
    """A device with the faults that it may have.

    Attributes:
        at: the moment of its last report; None: it has not begun.
    """

    name: Name
    device: Device
    schedule: Schedule
    faults: Mapping[str, Fault]
    at: datetime | None = None
    reports: int = 0

    def step(self, moment: datetime) -> Report | None:
        """Advance to a moment and report it; None: nothing is sent."""
        since = self.at or moment
        self.device.advance(since, moment)
        self.at = moment
        self.reports += 1
        report: Report | None = self.device.report(moment)
        for fault in self.faults.values():
            changed = fault.apply(report, since, moment) if report is not None else None
            report = changed
        return report


@dataclass(slots=True, kw_only=True)
class Fleet:
    """The devices of a scenario.

    `messages` must be consumed in full before it is called again.
    """

    members: dict[Name, Member] = field(default_factory=dict[Name, Member])

    def messages(self, begin: datetime, until: datetime) -> Iterator[Message]:
        """Yield what is due up to a moment, oldest first.

        Args:
            begin: nothing older is told; where a device starts that has never reported.
        """
        due = [self._moments(member, begin, until) for member in self.members.values()]
        for moment, name in heapq.merge(*due):
            member = self.members[name]
            report = member.step(moment)
            if report is not None:
                yield from _encode(member, moment, report)

    def faults_of(self, name: Name) -> Mapping[str, Fault]:
        """Return the faults that a device may have, by kind; none for a device that is not in the scenario."""
        return self.members[name].faults if name in self.members else {}

    def resume(self, name: Name, at: datetime, values: Mapping[str, float]) -> None:
        """Let a device that has not begun go on from what is known: registers from `values`, reports after `at`."""
        member = self.members[name]
        if member.at is None:
            known = member.device.state()
            member.device.restore(known | {metric: value for metric, value in values.items() if metric in known})
            member.at = at

    def begin_fault(self, name: Name, kind: str, parameters: Parameters) -> None:
        """Let a fault begin with the device's next report."""
        self.members[name].faults[kind].begin(parameters)

    def end_fault(self, name: Name, kind: str) -> None:
        """Let a fault end with the device's next report."""
        self.members[name].faults[kind].end()

    def state(self) -> dict[str, Any]:
        """Give what a restart must know, as JSON."""
        return {"/".join(name): _state(member) for name, member in self.members.items() if member.at is not None}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what `state` gave; devices that are no longer in the scenario are forgotten."""
        for key, kept in state.items():
            organisation, _, device = key.partition("/")
            member = self.members.get(Name(organisation, device))
            if member is not None:
                _restore(member, kept)

    def _moments(self, member: Member, begin: datetime, until: datetime) -> Iterator[tuple[datetime, Name]]:
        return ((moment, member.name) for moment in member.schedule.moments(max(member.at or begin, begin), until))


def build_fleet(scenario: Scenario, seed: int) -> Fleet:
    """Make the clean devices of a scenario."""
    world = World(seed=seed, utc_offset=timedelta(hours=scenario.utc_offset_hours))
    areas = {
        (site.organisation, site.slug): site.geometry for site in scenario.sites if isinstance(site.geometry, Area)
    }
    members: dict[Name, Member] = {}
    for plan in scenario.devices:
        name = Name(plan.organisation, plan.id)
        if isinstance(plan, CollarPlan):
            members[name] = _collar(name, plan, areas[plan.organisation, plan.site], world)
        else:
            members[name] = _fixed(name, plan, world)
    return Fleet(members=members)


def _fixed(name: Name, plan: FixedPlan, world: World) -> Member:
    faults: dict[str, Fault] = {"leak": Leak()} if plan.model == "water_meter" else {}
    history = _WATER_HISTORY if plan.model == "water_meter" else (timedelta(0),)
    return Member(
        name=name,
        device=_FIXED[plan.model]("/".join(name), world),
        schedule=Schedule(name="/".join(name), interval=plan.interval, history_offsets=history),
        faults=faults | {"outage": Outage()},
    )


def _collar(name: Name, plan: CollarPlan, reserve: Area, world: World) -> Member:
    plane = Plane(longitude=plan.home[0], latitude=plan.home[1])
    area = plane.polygon(list(reserve.coordinates[0]))
    home = Home(plane=plane, radius_metres=plan.home_radius_metres, reserve=area)
    key = "/".join(name)
    return Member(
        name=name,
        device=Collar(key, world, home, plan.species),
        schedule=Schedule(name=key, interval=plan.interval),
        faults={
            "immobility": Immobility(plane, key, world.seed),
            "fence_crossing": FenceCrossing(plane, area),
            "outage": Outage(),
        },
    )


def _encode(member: Member, moment: datetime, report: Report) -> Iterator[Message]:
    organisation, device = member.name
    if report.alive:
        topic = topic_for(organisation, device, Kind.STATUS)
        yield Message(moment, topic, encode_status(online=True, observed_at=moment))
    if report.fix is not None:
        fix = report.fix
        position = Position(
            device=device,
            observed_at=moment,
            longitude=fix.longitude,
            latitude=fix.latitude,
            accuracy=fix.accuracy,
            speed=fix.speed,
            heading=fix.heading,
        )
        yield Message(moment, topic_for(organisation, device, Kind.POSITIONS), encode_position(position))
    if report.readings and (report.fix is None or member.reports % _FIXES_PER_BATTERY == 1):
        readings: dict[str, float | tuple[float, str]] = {
            metric: (value, UNITS[metric]) for metric, value in report.readings.items()
        }
        yield Message(moment, topic_for(organisation, device, Kind.READINGS), encode_readings(moment, readings))


def _state(member: Member) -> dict[str, Any]:
    return {
        "at": None if member.at is None else member.at.isoformat(),
        "reports": member.reports,
        "device": member.device.state(),
        "faults": {kind: fault.state() for kind, fault in member.faults.items()},
    }


def _restore(member: Member, kept: Mapping[str, Any]) -> None:
    member.at = datetime.fromisoformat(kept["at"])
    member.reports = kept["reports"]
    member.device.restore(kept["device"])
    for kind, state in kept["faults"].items():
        if kind in member.faults:
            member.faults[kind].restore(state)
