"""The register: which organisations, sites, profiles, devices, subjects and series exist.

`ensure_*` make what is missing, bring what exists to what is said, and give the id; they are idempotent and take part
in the caller's transaction. The calls at the end serve intake: many names in one statement, safe with any number of
ingestors at once. Make new devices and series in a transaction of their own, so that their rows are
locked for a moment only.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

import psycopg.errors
from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict
from veldwatch.model.identifiers import DeviceId, OrganisationId, ProfileId, SeriesId, SiteId, SubjectId
from veldwatch.model.register import Device, DeviceStatus, OrganisationKind, Profile, Site, Subject
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.profiles import adopt_profile, profile_values, set_metrics
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("register")
_PROFILES = load_queries("profiles")
_DEPLOYMENTS = load_queries("deployments")

MOST_NEW_SERIES = 1000
"""Of one device within an hour; a device whose metrics are called otherwise each time would fill the register."""


class KnownDevice(NamedTuple):
    """A device that is registered."""

    organisation_id: OrganisationId
    device_id: DeviceId
    status: DeviceStatus


class KnownSeries(NamedTuple):
    """A series, and what is known of its values.

    Attributes:
        unit: that they are stored in; '' where nobody said.
        minimum: smallest plausible value, in `range_unit`; None: unknown.
        maximum: largest, as `minimum`.
        range_unit: the profile's unit, which may differ from the series' own.
    """

    series_id: SeriesId
    unit: str
    minimum: float | None = None
    maximum: float | None = None
    range_unit: str = ""


def ensure_organisation(
    connection: Connection, slug: str, name: str | None = None, kind: OrganisationKind | None = None
) -> OrganisationId:
    """Make an organisation; name: the slug and kind: utility, unless said."""
    return OrganisationId(_ensure(connection, "ensure_organisation", {"slug": slug, "name": name, "kind": kind}))


def ensure_site(connection: Connection, site: Site) -> SiteId:
    """Make a site, or bring it to what is said."""
    values = asdict(site) | {"geometry": None if site.geometry is None else Jsonb(dict(site.geometry))}
    return SiteId(_ensure(connection, "ensure_site", values))


def ensure_profile(connection: Connection, profile: Profile) -> ProfileId:
    """Make a profile with its metrics; series of its devices follow a change of kind or register width."""
    with connection.transaction(), translated_errors():
        row = connection.execute(_PROFILES["ensure"], profile_values(profile)).fetchone()
        profile_id = ProfileId(_number(row))
        set_metrics(connection, profile_id, profile.metrics)
    return profile_id


def ensure_device(connection: Connection, device: Device) -> DeviceId:
    """Make a device, or bring it to what is said; its series follow a change of profile."""
    tags = None if device.tags is None else list(device.tags)
    with connection.transaction():
        device_id = DeviceId(_ensure(connection, "ensure_device", asdict(device) | {"tags": tags}))
        if device.profile_id is not None:
            adopt_profile(connection, [device_id])
        if device.gateway_id is not None:
            with translated_errors():
                connection.execute(_QUERIES["hang"], {"id": device_id, "gateway_id": device.gateway_id})
    return device_id


def ensure_subject(connection: Connection, subject: Subject) -> SubjectId:
    """Make a subject, or bring it to what is said."""
    with translated_errors():
        return SubjectId(_number(connection.execute(_DEPLOYMENTS["ensure_subject"], asdict(subject)).fetchone()))


def deploy(connection: Connection, device_id: DeviceId, subject_id: SubjectId, since: datetime) -> None:
    """Put a device on a subject from a time on; its deployment on another subject ends there.

    Raises:
        Conflict: the device was put on another subject at that time or later.
    """
    values = {"device_id": device_id, "subject_id": subject_id, "since": since}
    with translated_errors():
        try:
            with connection.transaction():
                connection.execute(_DEPLOYMENTS["end_on_others"], values)
                connection.execute(_DEPLOYMENTS["begin"], values)
        except psycopg.errors.ExclusionViolation as error:
            raise Conflict(
                f"device {device_id} is on another subject at or after {since.isoformat()} (end that deployment first)"
            ) from error


def find_organisations(connection: Connection) -> dict[str, OrganisationId]:
    """List the organisations, slug to id."""
    with translated_errors():
        rows = connection.execute(_QUERIES["find_organisations"]).fetchall()
    return {slug: OrganisationId(number) for slug, number in rows}


def find_devices(connection: Connection, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], KnownDevice]:
    """Look devices up by (organisation's slug, external id); what is not registered is not in the result."""
    values = {"organisations": [slug for slug, _ in names], "external_ids": [external for _, external in names]}
    with translated_errors():
        rows = connection.execute(_QUERIES["find_devices"], values).fetchall()
    return {
        (slug, external): KnownDevice(OrganisationId(organisation), DeviceId(device), DeviceStatus(status))
        for slug, external, organisation, device, status in rows
    }


def register_unknown(
    connection: Connection,
    organisation_id: OrganisationId,
    external_ids: Collection[str],
    source: str,
    *,
    status: DeviceStatus = DeviceStatus.PENDING,
    counted: bool = True,
) -> dict[str, DeviceId]:
    """Register devices by their own first messages; those that exist keep all they have.

    Args:
        counted: towards what may register itself within an hour.
    """
    values = {
        "organisation_id": organisation_id,
        "external_ids": list(external_ids),
        "source": source,
        "status": status,
        "counted": counted,
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["register_unknown"], values).fetchall()
    return {external: DeviceId(device) for external, device in rows}


def registrable(connection: Connection, organisation_id: OrganisationId, most_per_hour: int) -> int:
    """Tell how many devices of an organisation may still register themselves now.

    Until the caller's transaction ends, no other one is told: so the limit holds with any number of ingestors.
    """
    values = {"organisation_id": organisation_id}
    with translated_errors():
        connection.execute(_QUERIES["lock_registration"], values)
        row = connection.execute(_QUERIES["registered_lately"], values).fetchone()
    return max(0, most_per_hour - _number(row))


def count_new_organisations(connection: Connection) -> int:
    """Count the organisations that were made within the hour."""
    with translated_errors():
        return _number(connection.execute(_QUERIES["organisations_lately"]).fetchone())


def ensure_series(
    connection: Connection, wanted: Iterable[tuple[DeviceId, str, str | None]]
) -> dict[tuple[DeviceId, str], KnownSeries]:
    """Make the series of (device, metric, unit of the first reading) that are missing, and give all of them.

    A device gets `MOST_NEW_SERIES` within an hour, several ingestors at once perhaps some more; what there is no room
    for is not in the result.

    A new series has the unit, the kind and the register width of the device's profile where that names the metric;
    so a reading's unit may differ from the unit that is given back, and its value wants converting.
    """
    listed = list(wanted)
    values: dict[str, object] = {
        "device_ids": [device for device, _, _ in listed],
        "metrics": [metric for _, metric, _ in listed],
        "units": [unit or "" for _, _, unit in listed],
        "most": MOST_NEW_SERIES,
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["ensure_series"], values).fetchall()
    return {
        (DeviceId(device), metric): KnownSeries(SeriesId(series), unit, minimum, maximum, range_unit)
        for device, metric, series, unit, minimum, maximum, range_unit in rows
    }


def _ensure(connection: Connection, query: str, values: Mapping[str, object]) -> int:
    with translated_errors():
        return _number(connection.execute(_QUERIES[query], values).fetchone())


def _number(row: tuple[Any, ...] | None) -> int:
    assert row is not None  # noqa: S101  # these statements give a row always
    return row[0]
