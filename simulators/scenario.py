"""Scenario files: which organisations, sites, profiles and devices there are, and how each device behaves.

YAML, validated as a whole before anything is registered or published; every complaint names the path and the value.
"""

from collections.abc import Hashable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from veldwatch.errors import ScenarioInvalid
from veldwatch.model.register import OrganisationKind

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Place = tuple[Longitude, Latitude]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Organisation(_Part):
    """A utility, municipality or agency."""

    slug: Slug
    name: str
    kind: OrganisationKind


class Point(_Part):
    """A place."""

    type: Literal["Point"]
    coordinates: Place


class Line(_Part):
    """A river, a road, a fence."""

    type: Literal["LineString"]
    coordinates: Annotated[tuple[Place, ...], Field(min_length=2)]


class Area(_Part):
    """A district, a reserve; the first ring is its outline and closed."""

    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Annotated[tuple[Place, ...], Field(min_length=4)], ...], Field(min_length=1)]


class SitePlan(_Part):
    """A site; `parent` is another site of the same organisation, named above it."""

    slug: Slug
    organisation: Slug
    name: str
    kind: str
    parent: Slug | None = None
    geometry: Annotated[Point | Line | Area, Field(discriminator="type")]


class MetricPlan(_Part):
    """A metric of a profile."""

    metric: str
    unit: str
    kind: Literal["gauge", "counter"] = "gauge"
    minimum: float | None = None
    maximum: float | None = None


class ProfilePlan(_Part):
    """A kind of device."""

    slug: Slug
    name: str
    kind: Literal["meter", "sensor", "gateway", "tracker"]
    expected_interval_seconds: float | None = Field(default=None, gt=0)
    metrics: tuple[MetricPlan, ...] = ()


class SubjectPlan(_Part):
    """The animal that a collar is on."""

    slug: Slug
    name: str
    kind: str = "animal"
    species: str | None = None


class _DevicePlan(_Part):
    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    name: str
    organisation: Slug
    site: Slug
    profile: Slug
    interval_seconds: float = Field(ge=1, le=86400)
    tags: tuple[str, ...] = ()

    @property
    def interval(self) -> timedelta:
        """Return the time between live reports."""
        return timedelta(seconds=self.interval_seconds)


class FixedPlan(_DevicePlan):
    """A device that stands somewhere."""

    model: Literal["water_meter", "electricity_meter", "reservoir", "weather_station", "gateway"]
    place: Place


class CollarPlan(_DevicePlan):
    """A collar: its site is the reserve, an area; its home range lies inside."""

    model: Literal["collar"]
    species: Literal["elephant", "rhino", "wild_dog"]
    home: Place
    home_radius_metres: float = Field(gt=10, le=20000)
    subject: SubjectPlan


DevicePlan = Annotated[FixedPlan | CollarPlan, Field(discriminator="model")]


class Scenario(_Part):
    """Everything that a run of the simulators needs."""

    name: Slug
    seed: int = 1
    utc_offset_hours: float = Field(default=0.0, ge=-14, le=14)
    organisations: tuple[Organisation, ...]
    profiles: tuple[ProfilePlan, ...]
    sites: tuple[SitePlan, ...]
    devices: tuple[DevicePlan, ...]


SCENARIOS = Path(__file__).parent / "scenarios"


def load_scenario(named: str) -> Scenario:
    """Read a scenario: a file, or the name of one that comes with Veldwatch (`demo`).

    Raises:
        ScenarioInvalid: naming each path and value that is wrong, and what was expected.
    """
    path = SCENARIOS / f"{named}.yaml" if "/" not in named and not named.endswith(".yaml") else Path(named)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(found.stem for found in SCENARIOS.glob("*.yaml")))
        raise ScenarioInvalid(
            f"bad scenario: {named!r} ({error.strerror}; expected a file, or one of {known})"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioInvalid(f"bad scenario {named!r}: not YAML ({error})") from error
    return parse_scenario(content)


def parse_scenario(content: object) -> Scenario:
    """Validate a scenario that was read already.

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
    return scenario


def _complaints(scenario: Scenario) -> Iterable[str]:
    organisations = {organisation.slug for organisation in scenario.organisations}
    profiles = {profile.slug for profile in scenario.profiles}
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
    for number, device in enumerate(scenario.devices):
        yield from _unknown(f"devices.{number}.profile", device.profile, profiles)
        yield from _unknown(f"devices.{number}.site", (device.organisation, device.site), sites)
        site = sites.get((device.organisation, device.site))
        if isinstance(device, CollarPlan) and site is not None and not isinstance(site.geometry, Area):
            yield f"devices.{number}.site: {device.site!r} (expected a site whose geometry is a Polygon)"


def _unknown(path: str, value: Hashable, known: Iterable[Any]) -> Iterable[str]:
    listed = list(known)
    if value not in listed:
        yield f"{path}: {value!r} (expected one of {listed!r}, defined above it)"


def _repeated(path: str, values: list[Any]) -> Iterable[str]:
    for number, value in enumerate(values):
        if value in values[:number]:
            yield f"{path}.{number}: {value!r} (expected a name that is not taken)"


def _sentence(location: tuple[int | str, ...], value: object, message: str) -> str:
    shown = repr(value)
    short = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return f"{'.'.join(str(part) for part in location) or 'scenario'}: {short} ({message[0].lower()}{message[1:]})"
