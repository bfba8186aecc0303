"""Whether the parts of a scenario fit together: every complaint names the path and the value."""

from collections.abc import Hashable, Iterable
from typing import Any

from simulators.profiles import profiles_by_slug
from simulators.scenario import DevicePlan, FaultPlan, FleetPlan, Scenario, SitePlan
from simulators.settings import settings_complaints
from simulators.systems.registry import MODELS
from veldwatch.model.faults import FAULTS


def complaints(scenario: Scenario) -> Iterable[str]:
    """Tell what does not fit, in the order of the file."""
    organisations = {organisation.slug for organisation in scenario.organisations}
    profiles = {*(profile.slug for profile in scenario.profiles), *profiles_by_slug()}
    sites: dict[tuple[str, str], SitePlan] = {}
    yield from _repeated("organisations", [organisation.slug for organisation in scenario.organisations])
    yield from _repeated("profiles", [profile.slug for profile in scenario.profiles])
    for number, site in enumerate(scenario.sites):
        yield from _unknown(f"sites.{number}.organisation", site.organisation, organisations)
        if site.parent is not None:
            yield from _unknown(f"sites.{number}.parent", (site.organisation, site.parent), sites)
        sites[site.organisation, site.slug] = site
    yield from _repeated("sites", [(site.organisation, site.slug) for site in scenario.sites])
    yield from _repeated("devices", [(device.organisation, device.id) for device in scenario.devices])
    for part in ("devices", "fleets"):
        plans: tuple[DevicePlan | FleetPlan, ...] = getattr(scenario, part)
        for number, device in enumerate(plans):
            yield from _unknown(f"{part}.{number}.profile", device.profile, profiles)
            yield from _unknown(f"{part}.{number}.site", (device.organisation, device.site), sites)
            yield from _unknown(f"{part}.{number}.model", device.model, MODELS)
    yield from settings_complaints(scenario)
    yield from _plan_complaints(scenario, organisations)


def _plan_complaints(scenario: Scenario, organisations: set[str]) -> Iterable[str]:
    for number, fleet in enumerate(scenario.fleets):
        if fleet.count > 1 and "{number}" not in fleet.id:
            yield f"fleets.{number}.id: {fleet.id!r} (expected {{number}} in it, to tell {fleet.count} devices apart)"
    for number, fault in enumerate(scenario.faults):
        yield from _fault_complaints(f"faults.{number}", fault, organisations)
    if scenario.history_step_seconds is not None and scenario.history_step_seconds % scenario.step_seconds:
        yield f"history_step_seconds: {scenario.history_step_seconds!r} (expected a multiple of step_seconds)"


def _fault_complaints(path: str, fault: FaultPlan, organisations: set[str]) -> Iterable[str]:
    yield from _unknown(f"{path}.kind", fault.kind, FAULTS)
    yield from _unknown(f"{path}.organisation", fault.organisation, organisations)
    if sum(place is not None for place in (fault.device, fault.site, fault.among)) != 1:
        yield f"{path}: expected one of device, site and among"
    if fault.count > 1 and fault.at is not None:
        yield f"{path}.at: {fault.at} (expected `between` or nothing where count is over 1)"
    if fault.kind in FAULTS:
        known = [parameter.name for parameter in FAULTS[fault.kind].parameters]
        for name in fault.parameters:
            yield from _unknown(f"{path}.parameters", name, known)


def _unknown(path: str, value: Hashable, known: Iterable[Any]) -> Iterable[str]:
    if value not in known:
        listed = list(known)
        shown = f"{listed[:20]!r}" if len(listed) <= 20 else f"{listed[:20]!r} and {len(listed) - 20} more"
        yield f"{path}: {value!r} (expected one of {shown}, defined above it)"


def _repeated(path: str, values: list[Any]) -> Iterable[str]:
    seen: set[Any] = set()
    for number, value in enumerate(values):
        if value in seen:
            yield f"{path}.{number}: {value!r} (expected a name that is not taken)"
        seen.add(value)
