"""The faults that are in force: which system, which devices' reports and which messages each of them changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.chance import Chance
from simulators.faults.instrument import InstrumentFault, Wrapped
from simulators.faults.registry import instrument_fault, wire_fault
from simulators.faults.wire import WireFault
from simulators.moment import Moment
from simulators.report import Message, Name, Place, Report
from simulators.scenario import DevicePlan
from simulators.systems.system import Bank, PhysicalFault, System
from simulators.timetable import TimedFault
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS, FaultLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where a device is."""

    name: Name
    plan: DevicePlan
    system: System
    bank: Bank
    row: int


@dataclass(slots=True, kw_only=True)
class _Applied:
    fault: TimedFault
    physical: PhysicalFault | None = None
    instrument: dict[Name, InstrumentFault] = field(default_factory=dict[Name, InstrumentFault])
    wire: dict[Name, WireFault] = field(default_factory=dict[Name, WireFault])

    def state(self) -> dict[str, Any]:
        return {
            "fault": self.fault.document(),
            "physical": None if self.physical is None else self.physical.state(),
            "instrument": {"/".join(name): wrapped.state() for name, wrapped in self.instrument.items()},
            "wire": {"/".join(name): wrapped.state() for name, wrapped in self.wire.items()},
        }


class Directory:
    """Finds the systems and devices of a place.

    Args:
        systems: those of one fleet.
    """

    def __init__(self, systems: Sequence[System]) -> None:
        self.members: dict[Name, Member] = {}
        self._behind: dict[Name, list[Name]] = {}
        self._at_site: dict[Place, list[Name]] = {}
        self._systems: dict[Place, list[System]] = {}
        for system in systems:
            self._add(system)

    def covers(self, place: Place) -> bool:
        """Say whether a place belongs to these systems."""
        return place in self._systems or Name(place.organisation, place.device or "") in self.members

    def systems(self, place: Place) -> Sequence[System]:
        """Return the systems that a physical fault at a place may belong to."""
        if place.device is not None:
            member = self.members.get(Name(place.organisation, place.device))
            return () if member is None else (member.system,)
        return self._systems.get(place, ())

    def devices(self, place: Place) -> Sequence[Name]:
        """Return a device, with those behind it where it is a gateway; or the devices of a site and below it."""
        if place.device is None:
            return self._at_site.get(place, ())
        name = Name(place.organisation, place.device)
        return [*([name] if name in self.members else []), *self._behind.get(name, [])]

    def _add(self, system: System) -> None:
        parents = {site.slug: site.parent for site in system.plan.sites}
        for site in system.plan.sites:
            self._systems.setdefault(Place(organisation=site.organisation, site=site.slug), []).append(system)
        for bank in system.banks:
            for name, row in bank.rows.items():
                plan = bank.devices[row]
                self.members[name] = Member(name=name, plan=plan, system=system, bank=bank, row=row)
                if plan.gateway is not None:
                    self._behind.setdefault(Name(plan.organisation, plan.gateway), []).append(name)
                slug: str | None = plan.site
                while slug is not None:
                    self._at_site.setdefault(Place(organisation=plan.organisation, site=slug), []).append(name)
                    slug = parents.get(slug)


class AppliedFaults:
    """What is wrong now.

    Args:
        seed: the run's; each fault draws by its key and the device's name.
    """

    def __init__(self, directory: Directory, seed: int) -> None:
        self._directory = directory
        self._seed = seed
        self._applied: dict[str, _Applied] = {}
        self._of_name: dict[Name, list[_Applied]] = {}

    def begin(self, fault: TimedFault) -> None:
        """Apply a fault.

        Raises:
            ConfigurationInvalid: it does not suit its place.
        """
        applied = self.made(fault)
        self._applied[fault.key] = applied
        for name in (*applied.instrument, *applied.wire):
            self._of_name.setdefault(name, []).append(applied)

    def end(self, fault: TimedFault, at: int) -> None:
        """End a fault; of an instrument's there may be something left."""
        applied = self._applied[fault.key]
        if applied.physical is not None:
            applied.physical.end()
            applied.physical = None
        for instrument in applied.instrument.values():
            instrument.end()
        for wire in applied.wire.values():
            wire.end(at)
        for name in list(applied.wire):
            self._forget(applied, name)
        self._sweep(applied)

    def step(self, moment: Moment) -> None:
        """Let physical faults change their systems before a step."""
        for applied in self._applied.values():
            if applied.physical is not None:
                applied.physical.step(moment)

    @property
    def troubled(self) -> Mapping[Name, object]:
        """Return the devices whose reports or messages are not as the system has them."""
        return self._of_name

    def report(self, name: Name, report: Report, moment: Moment) -> Report | None:
        """Change one device's report; None: nothing is sent."""
        changed: Report | None = report
        for applied in list(self._of_name.get(name, ())):
            fault = applied.instrument.get(name)
            if fault is None or changed is None:
                continue
            changed = fault.change(changed, moment)
            if fault.is_over:
                self._forget(applied, name)
                self._sweep(applied)
        return changed

    def carry(self, name: Name, message: Message, number: int) -> list[Message]:
        """Pass one device's message on."""
        messages = [message]
        for applied in self._of_name.get(name, ()):
            fault = applied.wire.get(name)
            if fault is not None:
                messages = [sent for passed in messages for sent in fault.carry(passed, number)]
        return messages

    def made(self, fault: TimedFault) -> _Applied:
        """Make a fault without applying it.

        Raises:
            ConfigurationInvalid: it does not suit its place.
        """
        kind = FAULTS.get(fault.kind)
        if kind is None:
            raise ConfigurationInvalid(f"bad fault: {fault.kind!r} (expected one of {', '.join(FAULTS)})")
        applied = _Applied(fault=fault)
        if kind.layer is FaultLayer.PHYSICS:
            applied.physical = self._physical(fault)
        else:
            self._wrap(applied, kind.layer, kind.models)
        return applied

    def state(self) -> list[dict[str, Any]]:
        """Give what a restart must know."""
        return [applied.state() for applied in self._applied.values()]

    def restore(self, states: Sequence[Mapping[str, Any]]) -> Iterator[TimedFault]:
        """Take up what `state` gave; yields each fault."""
        for state in states:
            fault = TimedFault.from_document(state["fault"])
            self.begin(fault)
            applied = self._applied[fault.key]
            if state["physical"] is None:
                applied.physical = None
            elif applied.physical is not None:
                applied.physical.restore(state["physical"])
            for layer, wrapped in (("instrument", applied.instrument), ("wire", applied.wire)):
                for name in list(wrapped):
                    kept = state[layer].get("/".join(name))
                    if kept is None:
                        self._forget(applied, name)
                    else:
                        wrapped[name].restore(kept)
            yield fault

    def _physical(self, fault: TimedFault) -> PhysicalFault:
        refusal = ConfigurationInvalid(f"bad fault: nothing is simulated at {fault.place}")
        for system in self._directory.systems(fault.place):
            try:
                return system.fault(fault.kind, fault.place, _complete(fault))
            except ConfigurationInvalid as error:
                refusal = error
        raise refusal

    def _wrap(self, applied: _Applied, layer: FaultLayer, models: frozenset[str]) -> None:
        fault, parameters = applied.fault, _complete(applied.fault)
        place = self._directory.members.get(Name(fault.place.organisation, fault.place.device or ""))
        if layer is FaultLayer.WIRE and models and (place is None or place.plan.model not in models):
            raise ConfigurationInvalid(f"bad fault: {fault.kind!r} does not suit {fault.place}")
        for name in self._directory.devices(fault.place):
            member = self._directory.members[name]
            chance = Chance(self._seed, [f"{'/'.join(name)}:{fault.key}"])
            if layer is FaultLayer.WIRE:
                applied.wire[name] = wire_fault(fault.kind, parameters, chance, fault.starts)
            elif not models or member.plan.model in models:
                applied.instrument[name] = instrument_fault(
                    fault.kind,
                    Wrapped(
                        name=name,
                        plan=member.plan,
                        metrics=member.bank.metrics,
                        chance=chance,
                        parameters=parameters,
                    ),
                )
        if not (applied.wire or applied.instrument):
            raise ConfigurationInvalid(f"bad fault: {fault.kind!r} does not suit {fault.place}")

    def _forget(self, applied: _Applied, name: Name) -> None:
        applied.instrument.pop(name, None)
        applied.wire.pop(name, None)
        left = [other for other in self._of_name.get(name, []) if other is not applied]
        if left:
            self._of_name[name] = left
        else:
            self._of_name.pop(name, None)

    def _sweep(self, applied: _Applied) -> None:
        if applied.physical is None and not applied.instrument and not applied.wire:
            self._applied.pop(applied.fault.key, None)


def _complete(fault: TimedFault) -> dict[str, float]:
    """Return every parameter of a fault's kind, within its limits."""
    return {
        parameter.name: min(
            max(fault.parameters.get(parameter.name, parameter.usual), parameter.minimum), parameter.maximum
        )
        for parameter in FAULTS[fault.kind].parameters
    }
