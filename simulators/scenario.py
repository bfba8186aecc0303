"""What a scenario says: organisations, sites with geometry, profiles, devices, fleets, and what will go wrong.

Only the shape; `simulators/scenario_files.py` reads the files and sees whether the parts fit together.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from veldwatch.model.register import OrganisationKind
from veldwatch.wire.durations import parse_duration

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Model = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Place = tuple[Longitude, Latitude]


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration, json_schema_input_type=str)]
"""Written as `90s`, `15m`, `3d2h`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TariffPlan(_Part):
    """What water and energy cost.

    Attributes:
        currency: ISO 4217.
        water: for a cubic metre.
        energy: for a kilowatt hour.
    """

    currency: str = Field(pattern=r"^[A-Z]{3}$")
    water: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    energy: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)


class Dependants(_Part):
    """Who depends on a place.

    Attributes:
        people: of a site with all below it.
        customers: connections that are billed.
    """

    people: int | None = Field(default=None, ge=0, le=2**31 - 1)
    customers: int | None = Field(default=None, ge=0, le=2**31 - 1)


class DeviceDependants(Dependants):
    """Who depends on a device, on each of a fleet.

    Attributes:
        supplies_site: an inlet, a feeder, a pump, and what measures for all of its site: who depends on it is among
            those of the site.
    """

    supplies_site: bool = False


class Organisation(_Part):
    """A utility, municipality or agency."""

    slug: Slug
    name: str
    kind: OrganisationKind
    tariffs: TariffPlan | None = None


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
    dependants: Dependants | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class MetricPlan(_Part):
    """A metric of a profile.

    Attributes:
        register_digits: before the decimal point, after which a counter starts again from zero; none: never.
    """

    metric: str
    unit: str
    kind: Literal["gauge", "counter"] = "gauge"
    minimum: float | None = None
    maximum: float | None = None
    register_digits: int | None = Field(default=None, ge=1, le=15)


class ProfilePlan(_Part):
    """A kind of device that does not come with Veldwatch."""

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


class DevicePlan(_Part):
    """A device: which model plays it, where, how often it reports.

    Attributes:
        place: where it stands; a tracker's home.
        gateway: id of the gateway behind which it sends.
        settings: what its model takes, see docs/reference/scenarios.md.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    name: str
    organisation: Slug
    site: Slug
    profile: Slug
    model: Model
    interval_seconds: float = Field(ge=1, le=86400)
    tags: tuple[str, ...] = ()
    place: Place | None = None
    dependants: DeviceDependants | None = None
    gateway: str | None = None
    subject: SubjectPlan | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)

    @property
    def interval(self) -> timedelta:
        """Return the time between reports."""
        return timedelta(seconds=self.interval_seconds)


class FleetPlan(_Part):
    """Many devices of one model; the pattern `{number}` in `id` and `name` tells them apart.

    Attributes:
        place: none: scattered over the site's area.
        settings: the same for all of them.
    """

    id: str
    name: str
    count: int = Field(ge=1, le=1_000_000)
    first: int = 1
    organisation: Slug
    site: Slug
    profile: Slug
    model: Model
    interval_seconds: float = Field(ge=1, le=86400)
    tags: tuple[str, ...] = ()
    dependants: DeviceDependants | None = None
    gateway: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class AmongPlan(_Part):
    """Places of which some are drawn: devices of a model, or sites of a kind; below a site, or in the organisation."""

    model: Model | None = None
    site_kind: str | None = None
    below: Slug | None = None


class FaultPlan(_Part):
    """A fault that will happen: where and when, counted from the run's beginning.

    Attributes:
        at: none: drawn between `between`.
        lasts: none: to the end of the run.
        device: or `site`, or `among` a number of places drawn by the seed.
        count: how often, each at a place and time of its own; only with `among`.
    """

    kind: str
    organisation: Slug
    at: Duration | None = None
    between: tuple[Duration, Duration] | None = None
    lasts: Duration | None = None
    device: str | None = None
    site: Slug | None = None
    among: AmongPlan | None = None
    count: int = Field(default=1, ge=1, le=10_000)
    parameters: Mapping[str, float] = Field(default_factory=dict)


class Scenario(_Part):
    """Everything that a run of the simulators needs.

    Attributes:
        includes: bundled scenarios of which it takes over organisations, profiles, sites, devices and fleets, before
            its own; their faults it does not.
        profiles: those that do not come with Veldwatch; the others are named by their slug.
        step_seconds: of the grid on which everything happens.
        history_step_seconds: of the grid of the part of a live run that lies before its start.
        history_interval_seconds: at least so far apart are reports in that part.
    """

    name: Slug
    title: str = ""
    includes: tuple[Slug, ...] = ()
    seed: int = 1
    utc_offset_hours: float = Field(default=0.0, ge=-14, le=14)
    step_seconds: float = Field(default=300.0, ge=1, le=3600)
    history_step_seconds: float | None = Field(default=None, ge=1, le=3600)
    history_interval_seconds: float | None = Field(default=None, ge=1, le=86400)
    organisations: tuple[Organisation, ...] = ()
    profiles: tuple[ProfilePlan, ...] = ()
    sites: tuple[SitePlan, ...] = ()
    devices: tuple[DevicePlan, ...] = ()
    fleets: tuple[FleetPlan, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
