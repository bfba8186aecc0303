"""Scenario files: YAML, validated as a whole before anything is registered or published.

Every complaint names the path and the value. Fleets are written out as devices here, so that nothing behind this
module knows them.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import shapely
import yaml
from pydantic import ValidationError

from simulators.chance import Chance
from simulators.scenario import Area, DevicePlan, FleetPlan, Place, Scenario, SitePlan
from simulators.scenario_checks import complaints
from veldwatch.errors import ScenarioInvalid

SCENARIOS = Path(__file__).parent / "scenarios"
_TRIES = 64
_MADE_OF = ("organisations", "profiles", "sites", "devices", "fleets")


def load_scenario(named: str) -> Scenario:
    """Read a scenario: a file, or the name of one that comes with Veldwatch (`demo`); its fleets are written out.

    Raises:
        ScenarioInvalid: naming each path and value that is wrong, and what was expected.
    """
    return parse_scenario(_read(named))


def parse_scenario(content: object) -> Scenario:
    """Validate a scenario that was read already, take over what it includes, and write its fleets out.

    Raises:
        ScenarioInvalid: as `load_scenario`.
    """
    try:
        scenario = Scenario.model_validate(_with_included(content))
    except ValidationError as error:
        raise ScenarioInvalid("; ".join(_sentence(e["loc"], e["input"], e["msg"]) for e in error.errors())) from error
    wrong = [*complaints(scenario)]
    if wrong:
        raise ScenarioInvalid("; ".join(wrong))
    return _written_out(scenario)


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read(named: str) -> object:
    path = SCENARIOS / f"{named}.yaml" if "/" not in named and not named.endswith(".yaml") else Path(named)
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  # both are safe loaders
    except OSError as error:
        known = ", ".join(sorted(found.stem for found in SCENARIOS.glob("*.yaml")))
        raise ScenarioInvalid(
            f"bad scenario: {named!r} ({error.strerror}; expected a file, or one of {known})"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioInvalid(f"bad scenario {named!r}: not YAML ({error})") from error


def _with_included(content: Any) -> Any:  # noqa: ANN401  # whatever the file holds
    """Put what the included scenarios are made of before what the scenario says itself."""
    if not isinstance(content, dict) or not isinstance(cast("Any", content).get("includes"), list):
        return cast("object", content)
    own = cast("dict[str, Any]", content)
    merged = dict(own)
    others = [_with_included(_read(named)) for named in own["includes"] if isinstance(named, str)]
    for part in _MADE_OF:
        merged[part] = [each for other in others for each in other.get(part, ())] + list(own.get(part, ()))
    merged["profiles"] = [
        each for number, each in enumerate(merged["profiles"]) if each not in merged["profiles"][:number]
    ]
    return merged


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
            dependants=fleet.dependants,
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


def _sentence(location: tuple[int | str, ...], value: object, message: str) -> str:
    shown = repr(value)
    short = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return f"{'.'.join(str(part) for part in location) or 'scenario'}: {short} ({message[0].lower()}{message[1:]})"
