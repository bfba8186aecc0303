"""The register: which organisations, sites, profiles, devices, subjects and series exist.

`ensure_*` make what is missing, bring what exists to what is said, and give the id; they are idempotent and take part
in the caller's transaction. The calls at the end serve intake: many names in one statement, safe with any number of
ingestors at once. Make new devices and series in a transaction of their own, so that their rows are
locked for a moment only.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

import psycopg.errors
from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict
from veldwatch.model.identifiers import DeviceId, OrganisationId, ProfileId, SeriesId, SiteId, SubjectId
from veldwatch.model.register import Device, DeviceStatus, OrganisationKind, Profile, Site, Subject
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("register")


class KnownDevice(NamedTuple):
    """A device that is registered."""

    organisation_id: OrganisationId
    device_id: DeviceId
    status: DeviceStatus


class KnownSeries(NamedTuple):
    """A series, and the unit that its values are stored in; '' where nobody said."""

    series_id: SeriesId
    unit: str


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
    with connection.transaction():
        profile_id = _ensure(connection, "ensure_profile", asdict(profile))
        with translated_errors():
            for metric in profile.metrics:
                connection.execute(_QUERIES["ensure_profile_metric"], asdict(metric) | {"profile_id": profile_id})
            names = [metric.metric for metric in profile.metrics]
            connection.execute(_QUERIES["forget_profile_metrics"], {"profile_id": profile_id, "metrics": names})
            connection.execute(_QUERIES["adopt_profile"], {"device_id": None, "profile_id": profile_id})
    return ProfileId(profile_id)


def ensure_device(connection: Connection, device: Device) -> DeviceId:
    """Make a device, or bring it to what is said; its series follow a change of profile."""
    tags = None if device.tags is None else list(device.tags)
    with connection.transaction():
        device_id = _ensure(connection, "ensure_device", asdict(device) | {"tags": tags})
        if device.profile_id is not None:
            with translated_errors():
                connection.execute(_QUERIES["adopt_profile"], {"device_id": device_id, "profile_id": None})
    return DeviceId(device_id)


def ensure_subject(connection: Connection, subject: Subject) -> SubjectId:
    """Make a subject, or bring it to what is said."""
    return SubjectId(_ensure(connection, "ensure_subject", asdict(subject)))


def deploy(connection: Connection, device_id: DeviceId, subject_id: SubjectId, since: datetime) -> None:
    """Put a device on a subject from a time on; its deployment on another subject ends there.

    Raises:
        Conflict: the device was put on another subject at that time or later.
    """
    values = {"device_id": device_id, "subject_id": subject_id, "since": since}
    with translated_errors():
        try:
            with connection.transaction():
                connection.execute(_QUERIES["end_deployment"], values)
                connection.execute(_QUERIES["begin_deployment"], values)
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


def register_pending(
    connection: Connection, organisation_id: OrganisationId, external_ids: Collection[str], source: str
) -> dict[str, DeviceId]:
    """Register devices by their own first messages, as pending; those that exist keep all they have."""
    values = {"organisation_id": organisation_id, "external_ids": list(external_ids), "source": source}
    with translated_errors():
        rows = connection.execute(_QUERIES["register_pending"], values).fetchall()
    return {external: DeviceId(device) for external, device in rows}


def ensure_series(
    connection: Connection, wanted: Iterable[tuple[DeviceId, str, str | None]]
) -> dict[tuple[DeviceId, str], KnownSeries]:
    """Make the series of (device, metric, unit of the first reading) that are missing, and give all of them.

    A new series has the unit, the kind and the register width of the device's profile where that names the metric;
    so a reading's unit may differ from the unit that is given back, and its value wants converting.
    """
    listed = list(wanted)
    values: dict[str, object] = {
        "device_ids": [device for device, _, _ in listed],
        "metrics": [metric for _, metric, _ in listed],
        "units": [unit or "" for _, _, unit in listed],
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["ensure_series"], values).fetchall()
    return {(DeviceId(device), metric): KnownSeries(SeriesId(series), unit) for device, metric, series, unit in rows}


def _ensure(connection: Connection, query: str, values: Mapping[str, object]) -> int:
    with translated_errors():
        row = connection.execute(_QUERIES[query], values).fetchone()
    assert row is not None  # noqa: S101  # INSERT ... ON CONFLICT DO UPDATE gives a row always
    return row[0]
