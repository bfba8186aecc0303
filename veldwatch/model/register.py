"""What the register holds, as it is asked for: sites, profiles, devices, subjects.

None means "not said": a new entry gets the schema's own choice, an entry that exists keeps what it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from veldwatch.model.identifiers import DeviceId, OrganisationId, ProfileId, SiteId, SubjectId


class OrganisationKind(StrEnum):
    """What an organisation is."""

    UTILITY = "utility"
    MUNICIPALITY = "municipality"
    AGENCY = "agency"


class DeviceStatus(StrEnum):
    """How far a device is trusted."""

    PENDING = "pending"
    """Registered by its own first message, not yet confirmed by a person."""
    ACTIVE = "active"
    RETIRED = "retired"
    """Its history stays; what it sends goes to quarantine."""
    REFUSED = "refused"
    """A person did not want it; what it sends goes to quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place: a district metered area, a zone, a feeder, a reserve.

    Attributes:
        kind: an open list.
        geometry: a GeoJSON geometry, WGS 84.
    """

    organisation_id: OrganisationId
    slug: str
    name: str | None = None
    kind: str | None = None
    parent_id: SiteId | None = None
    geometry: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileMetric:
    """One metric of a kind of device.

    Attributes:
        unit: a UCUM code, or one of RFC 8428's registry where UCUM has none.
        kind: `gauge`, or `counter` for a register that only counts up.
        register_modulus: the value, in the unit, at which a counter starts again from zero; None: never.
        minimum: smallest plausible value; None: unknown.
        maximum: largest plausible value; None: unknown.
        range_source: where the plausible range comes from: a data sheet, a standard.
        resolution: smallest step of a counter; None: unknown.
        maximum_per_hour: the most that a counter can count in an hour; None: unknown.
    """

    metric: str
    unit: str
    kind: str = "gauge"
    register_modulus: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    range_source: str = ""
    resolution: float | None = None
    maximum_per_hour: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of device: what it measures and how often it is heard.

    Attributes:
        kind: `meter`, `sensor`, `gateway` or `tracker`.
        maximum_speed: of a device that is on no subject with a limit of its own, in m/s; None: unknown.
        metrics: all of them; a metric that is stored but absent here is removed.
    """

    slug: str
    name: str
    kind: str
    expected_interval: timedelta | None = None
    description: str | None = None
    maximum_speed: float | None = None
    metrics: tuple[ProfileMetric, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A meter, sensor, gateway or tracker.

    Attributes:
        external_id: its own name on the wire, unique within the organisation.
        source: name of the source that its messages come by.
        status: None: active; to register a device by name confirms one that was pending.
        longitude: where it is installed, degrees, WGS 84; a tracker has none.
        latitude: as longitude.
        gateway_id: through which other device of its organisation it is heard.
    """

    organisation_id: OrganisationId
    external_id: str
    source: str
    name: str | None = None
    profile_id: ProfileId | None = None
    site_id: SiteId | None = None
    status: DeviceStatus | None = None
    longitude: float | None = None
    latitude: float | None = None
    tags: tuple[str, ...] | None = None
    gateway_id: DeviceId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a device is on: an animal, a service point, a pump, a vehicle.

    Attributes:
        kind: an open list.
        species: scientific name, for an animal; a known species' common name is taken for it.
        maximum_speed: of this one, in m/s; None: its species'.
    """

    organisation_id: OrganisationId
    slug: str
    name: str
    kind: str
    species: str | None = None
    maximum_speed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Species:
    """A kind of animal, and how fast it can be.

    Attributes:
        name: scientific.
        maximum_speed: nothing of this species moves faster, in m/s; None: unknown.
        source: of the speed.
    """

    name: str
    common_name: str = ""
    maximum_speed: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A device on a subject, from a time on, until a time or until now.

    Attributes:
        since: None: ever since.
        until: first moment at which it is not on it any more; None: it still is.
    """

    id: int
    device_id: DeviceId
    subject_id: SubjectId
    since: datetime | None
    until: datetime | None
