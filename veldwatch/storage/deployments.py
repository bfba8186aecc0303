"""Deployments: which device was on which subject when, so that a subject's history stays right when devices change.

A device is on one subject at a time; a subject may have several devices (a meter and a logger). Ranges include their
beginning and not their end: at the moment of an exchange the new device counts. Each call that changes something is one
transaction, or takes part in the caller's.

For consumption: `list_deployments(connection, subject_id=...)` gives the meters of a service point with their
ranges, and `subject_readings` their readings as one history; a register's width is `series.register_modulus`, in the
series' own unit (None: never rolls over, or not known).
"""

from dataclasses import dataclass
from datetime import datetime

import psycopg.errors

from veldwatch.errors import Conflict, NotFound, RequestInvalid
from veldwatch.model.identifiers import DeviceId, SubjectId
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.timespan import Timespan

_QUERIES = load_queries("deployments")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFilter:
    """Which subjects: None is any."""

    organisation: str | None = None
    slug: str | None = None
    kind: str | None = None
    species: str | None = None


def list_subjects(
    connection: Connection, scope: int | None, which: SubjectFilter, *, after: int = 0, limit: int = 1000
) -> list[Row]:
    """List subjects by id, each with the `devices` that are on it now."""
    values = {
        "scope": scope,
        "organisation": which.organisation,
        "slug": which.slug,
        "kind": which.kind,
        "species": which.species,
        "after": after,
        "limit": limit,
    }
    rows = fetch_rows(connection, _QUERIES["subjects"], values)
    return [{**row, "devices": row["devices"] or []} for row in rows]


def find_subject(connection: Connection, scope: int | None, slug: str, organisation: str | None = None) -> Row:
    """Give one subject.

    Raises:
        NotFound: there is none.
        RequestInvalid: several organisations have one of that name.
    """
    rows = list_subjects(connection, scope, SubjectFilter(slug=slug, organisation=organisation), limit=2)
    if not rows:
        raise NotFound(f"no subject {slug!r} (list them with GET /v1/subjects)")
    if len(rows) > 1:
        raise RequestInvalid(f"several organisations have a subject {slug!r} (name the organisation)")
    return rows[0]


def create_deployment(
    connection: Connection,
    device_id: DeviceId,
    subject_id: SubjectId,
    since: datetime | None,
    until: datetime | None = None,
) -> int:
    """Put a device on a subject during a range; give the deployment's id.

    Raises:
        RequestInvalid: the range ends before it begins.
        Conflict: the device is on a subject in a part of it.
    """
    _check_order(since, until)
    with connection.transaction(), translated_errors():
        _lock(connection, device_id)
        _check_free(connection, device_id, since, until)
        return _insert(connection, device_id, subject_id, since, until)


def move_device(connection: Connection, device_id: DeviceId, subject_id: SubjectId, at: datetime) -> int:
    """Put a device on another subject from a time on; where it was until then, it was until then.

    Raises:
        Conflict: it is put on a subject at a later time already.
    """
    with connection.transaction(), translated_errors():
        _lock(connection, device_id)
        connection.execute(_QUERIES["end_open"], {"device_id": device_id, "at": at})
        _check_free(connection, device_id, at, None)
        return _insert(connection, device_id, subject_id, at, None)


def exchange_device(
    connection: Connection, old_device_id: DeviceId, new_device_id: DeviceId, subject_id: SubjectId, at: datetime
) -> int:
    """Take one device off a subject and put another on it at the same moment: a meter exchanged at noon.

    Raises:
        Conflict: the old device is not on that subject then, or the new one is on a subject then or later.
    """
    with connection.transaction(), translated_errors():
        for device_id in sorted((old_device_id, new_device_id)):
            _lock(connection, device_id)
        there = [row for row in list_deployments(connection, subject_id=subject_id) if row["until"] is None]
        if all(row["device_id"] != old_device_id or _begins_after(row, at) for row in there):
            raise Conflict(f"device {old_device_id} is not on that subject at {at.isoformat()} (nothing to exchange)")
        connection.execute(_QUERIES["end_open"], {"device_id": old_device_id, "at": at})
        _check_free(connection, new_device_id, at, None)
        return _insert(connection, new_device_id, subject_id, at, None)


def end_deployment(connection: Connection, device_id: DeviceId, at: datetime) -> int:
    """Take a device off the subject that it is on; give the deployment's id.

    Raises:
        Conflict: it is on none at that time, or that deployment has an end already.
    """
    with connection.transaction(), translated_errors():
        _lock(connection, device_id)
        row = connection.execute(_QUERIES["end_open"], {"device_id": device_id, "at": at}).fetchone()
    if row is None:
        raise Conflict(f"device {device_id} has no open deployment that began before {at.isoformat()} (nothing to end)")
    return row[0]


def correct_deployment(connection: Connection, deployment: Row, since: datetime | None, until: datetime | None) -> None:
    """Change when a deployment began and ended.

    Args:
        deployment: as `get_deployment` gave it.

    Raises:
        RequestInvalid: the range ends before it begins.
        Conflict: the device is on another subject in a part of it.
    """
    _check_order(since, until)
    with connection.transaction(), translated_errors():
        _lock(connection, deployment["device_id"])
        _check_free(connection, deployment["device_id"], since, until, except_id=deployment["id"])
        connection.execute(_QUERIES["set_range"], {"id": deployment["id"], "since": since, "until": until})


def delete_deployment(connection: Connection, deployment_id: int) -> None:
    """Forget a deployment that never was."""
    with translated_errors():
        connection.execute(_QUERIES["delete"], {"id": deployment_id})


def list_deployments(
    connection: Connection,
    scope: int | None = None,
    *,
    device_id: int | None = None,
    subject_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Row]:
    """List deployments, newest first; `until` None: still on it."""
    values = {
        "scope": scope,
        "id": None,
        "device_id": device_id,
        "subject_id": subject_id,
        "since": since,
        "until": until,
    }
    return fetch_rows(connection, _QUERIES["list"], values)


def get_deployment(connection: Connection, scope: int | None, deployment_id: int) -> Row:
    """Give one deployment.

    Raises:
        NotFound: there is none.
    """
    nothing = dict.fromkeys(("device_id", "subject_id", "since", "until"))
    rows = fetch_rows(connection, _QUERIES["list"], {"scope": scope, "id": deployment_id, **nothing})
    if not rows:
        raise NotFound(f"no deployment {deployment_id!r} (list those of a device or subject)")
    return rows[0]


def subject_readings(connection: Connection, subject_id: int, metric: str | None, span: Timespan) -> list[Row]:
    """List readings of whatever devices were on a subject when they were made, with device, metric and unit."""
    values = {**span.parameters(), "subject_id": subject_id, "metric": metric}
    return fetch_rows(connection, _QUERIES[f"readings_{span.order}"], values)


def subject_positions(connection: Connection, subject_id: int, span: Timespan) -> list[Row]:
    """List fixes of whatever devices were on a subject when they were made, with device and organisation."""
    return fetch_rows(connection, _QUERIES[f"positions_{span.order}"], {**span.parameters(), "subject_id": subject_id})


def _insert(
    connection: Connection, device_id: DeviceId, subject_id: SubjectId, since: datetime | None, until: datetime | None
) -> int:
    values = {"device_id": device_id, "subject_id": subject_id, "since": since, "until": until}
    try:
        row = connection.execute(_QUERIES["insert"], values).fetchone()
    except psycopg.errors.ExclusionViolation as error:  # somebody who holds no lock on the device
        raise Conflict(f"device {device_id} is on another subject in a part of that time") from error
    assert row is not None  # noqa: S101  # INSERT gives a row always
    return row[0]


def _lock(connection: Connection, device_id: DeviceId) -> None:
    if connection.execute(_QUERIES["lock"], {"device_id": device_id}).fetchone() is None:
        raise NotFound(f"no device {device_id!r} (list them with GET /v1/devices)")


def _check_order(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and until <= since:
        raise RequestInvalid(f"bad until: {until.isoformat()} (expected a time after {since.isoformat()})")


def _check_free(
    connection: Connection,
    device_id: DeviceId,
    since: datetime | None,
    until: datetime | None,
    *,
    except_id: int | None = None,
) -> None:
    values = {"device_id": device_id, "since": since, "until": until, "except_id": except_id}
    taken = connection.execute(_QUERIES["overlapping"], values).fetchone()
    if taken is not None:
        number, subject, begins, ends = taken
        raise Conflict(
            f"device {device_id} is on subject {subject!r} from {_shown(begins)} to {_shown(ends)}"
            f" (deployment {number}; end or move it first)"
        )


def _begins_after(row: Row, at: datetime) -> bool:
    return row["since"] is not None and row["since"] >= at


def _shown(moment: datetime | None) -> str:
    return "ever" if moment is None else moment.isoformat()
