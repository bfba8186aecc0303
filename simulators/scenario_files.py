"""Scenario files: YAML, validated as a whole before anything is registered or published.

Every complaint names the path and the value. Fleets are written out as devices here, so that nothing behind this
module knows them.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any

import shapely
import yaml
from pydantic import ValidationError

from simulators.chance import Chance
from simulators.profiles import profiles_by_slug
from simulators.scenario import Area, DevicePlan, FaultPlan, FleetPlan, Place, Scenario, SitePlan
from simulators.systems.registry import MODELS
from veldwatch.errors import ScenarioInvalid
from veldwatch.model.faults import FAULTS

SCENARIOS = Path(__file__).parent / "scenarios"
_TRIES = 64


def load_scenario(named: str) -> Scenario:
    """Read a scenario: a file, or the name of one that comes with Veldwatch (`demo`); its fleets are written out.

    Raises:
        ScenarioInvalid: naming each path and value that is wrong, and what was expected.
    """
    path = SCENARIOS / f"{named}.yaml" if "/" not in named and not named.endswith(".yaml") else Path(named)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  # both are safe loaders
    except OSError as error:
        known = ", ".join(sorted(found.stem for found in SCENARIOS.glob("*.yaml")))
        raise ScenarioInvalid(
            f"bad scenario: {named!r} ({error.strerror}; expected a file, or one of {known})"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioInvalid(f"bad scenario {named!r}: not YAML ({error})") from error
    return parse_scenario(content)


def parse_scenario(content: object) -> Scenario:
    """Validate a scenario that was read already, and write its fleets out.

    Raises:
        ScenarioInvalid: as `load_scenario`.
    """
    try:
        scenario = Scenario.model_validate(content)
    except ValidationError as error:
        raise ScenarioInvalid("; ".join(_sentence(e["loc"], e["input"], e["msg"]) for e in error.errors())) from error
    complaints = [*_complaints(scenario)]
    if complaints:
        raise ScenarioInvalid("; ".join(complaints))
    return _written_out(scenario)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _written_out(scenario: Scenario) -> Scenario:
    sites = {(site.organisation, site.slug): site for site in scenario.sites}
    devices = list(scenario.devices)
    for fleet in scenario.fleets:
        devices.extend(_devices(fleet, sites[fleet.organisation, fleet.site], scenario.seed))
    taken = [name for name, count in Counter((d.organisation, d.id) for d in devices).items() if count > 1]
    if taken:
        raise ScenarioInvalid(f"devices: {taken[0]!r} (expected a name that is not taken)")
    return scenario.model_copy(update={"devices": tuple(devices), "fleets": ()})


def _devices(fleet: FleetPlan, site: SitePlan, seed: int) -> Iterator[DevicePlan]:
    places = _scattered(fleet, site, seed)
    width = len(str(fleet.first + fleet.count - 1))
    for index, place in enumerate(places):
        number = f"{fleet.first + index:0{width}d}"
        # Checked once, as a fleet: 100,000 devices would take seconds to check one by one.
        yield DevicePlan.model_construct(
            id=fleet.id.replace("{number}", number),
            name=fleet.name.replace("{number}", number),
            organisation=fleet.organisation,
            site=fleet.site,
            profile=fleet.profile,
            model=fleet.model,
            interval_seconds=fleet.interval_seconds,
            tags=fleet.tags,
            place=place,
            gateway=fleet.gateway,
            subject=None,
            settings=fleet.settings,
        )


def _scattered(fleet: FleetPlan, site: SitePlan, seed: int) -> list[Place]:
    """Draw a place inside the site for each device; on a point or a line, along it."""
    geometry = site.geometry
    if not isinstance(geometry, Area):
        line = geometry.coordinates if geometry.type == "LineString" else (geometry.coordinates,)
        return [line[index % len(line)] for index in range(fleet.count)]
    area = shapely.Polygon(geometry.coordinates[0], geometry.coordinates[1:])
    shapely.prepare(area)
    west, south, east, north = area.bounds
    chance = Chance(seed, [f"place:{fleet.organisation}/{fleet.id}:{index}" for index in range(fleet.count)])
    longitude, latitude = chance.between("longitude", west, east), chance.between("latitude", south, north)
    for attempt in range(1, _TRIES):
        outside = ~shapely.contains_xy(area, longitude, latitude)
        if not outside.any():
            break
        longitude[outside] = chance.between("longitude", west, east, attempt)[outside]
        latitude[outside] = chance.between("latitude", south, north, attempt)[outside]
    return [(round(x, 6), round(y, 6)) for x, y in zip(longitude.tolist(), latitude.tolist(), strict=True)]


def _complaints(scenario: Scenario) -> Iterable[str]:
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


def _sentence(location: tuple[int | str, ...], value: object, message: str) -> str:
    shown = repr(value)
    short = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return f"{'.'.join(str(part) for part in location) or 'scenario'}: {short} ({message[0].lower()}{message[1:]})"
