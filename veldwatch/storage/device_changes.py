"""Changing devices that are registered: rename, move, retire; confirm or refuse those that registered themselves.

Each call takes part in the caller's transaction. Intake sees a change with its next batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg.errors

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.identifiers import DeviceId
from veldwatch.model.register import DeviceStatus
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.devices import get_device
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.profiles import adopt_profile, find_profiles
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("device_changes")
_PARTS = ("name", "external_id", "profile", "site", "source", "status", "tags", "gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which devices that registered themselves are meant; every part that is given must fit."""

    organisation: str | None = None
    source: str | None = None
    ids: Sequence[int] | None = None
    external_ids: Sequence[str] | None = None


def change_device(connection: Connection, scope: int | None, device_id: int, changes: dict[str, object]) -> Row:
    """Change what is said of a device, and give it as it is then.

    Args:
        changes: any of name, external_id, profile (slug or None), site (slug or None), source, status, tags, longitude
            with latitude (both or None), gateway (external id or None).

    Raises:
        NotFound: no such device, profile, site or gateway.
        Conflict: another device has that external id, or the gateway hangs on the device.
    """
    standing = get_device(connection, scope, device_id)
    values: dict[str, object] = {name: changes.get(name) for name in (*_PARTS, "longitude", "latitude")}
    values |= {f"set_{name}": name in changes for name in _PARTS}
    values |= {"set_place": "longitude" in changes, "id": device_id}
    _check_names(connection, device_id, changes)
    with translated_errors():
        try:
            with connection.transaction():
                connection.execute(_QUERIES["change"], values)
        except psycopg.errors.CheckViolation as error:
            raise Conflict(f"bad gateway: {changes.get('gateway')!r} ({error.diag.message_primary})") from error
        except psycopg.errors.UniqueViolation as error:
            raise Conflict(
                f"device {changes['external_id']!r} of {standing['organisation']!r} is there already (choose another)"
            ) from error
    adopt_profile(connection, [DeviceId(device_id)])
    return get_device(connection, scope, device_id)


def decide_devices(connection: Connection, scope: int | None, which: Decision, *, confirm: bool) -> list[int]:
    """Confirm or refuse devices that registered themselves; one that was refused may be confirmed by its name.

    Returns:
        ids of the devices that changed.
    """
    values: dict[str, object] = {
        "scope": scope,
        "status": DeviceStatus.ACTIVE if confirm else DeviceStatus.REFUSED,
        "organisation": which.organisation,
        "source": which.source,
        "ids": None if which.ids is None else list(which.ids),
        "external_ids": None if which.external_ids is None else list(which.external_ids),
    }
    with translated_errors():
        return [row[0] for row in connection.execute(_QUERIES["decide"], values).fetchall()]


def list_pending(
    connection: Connection, scope: int | None = None, *, organisation: str | None = None, limit: int = 1000
) -> list[Row]:
    """List devices that wait for a decision, the newest first."""
    values = {"scope": scope, "organisation": organisation, "limit": limit}
    return fetch_rows(connection, _QUERIES["pending"], values)


def _check_names(connection: Connection, device_id: int, changes: dict[str, object]) -> None:
    profile, site, gateway = changes.get("profile"), changes.get("site"), changes.get("gateway")
    if isinstance(profile, str) and not find_profiles(connection, [profile]):
        raise NotFound(f"no profile {profile!r} (list them with GET /v1/profiles)")
    if site is not None and not _is_known(connection, "find_site", {"id": device_id, "site": site}):
        raise NotFound(f"no site {site!r} in the device's organisation (list them with GET /v1/sites)")
    if gateway is not None and not _is_known(connection, "find_gateway", {"id": device_id, "gateway": gateway}):
        raise NotFound(f"no device {gateway!r} in the device's organisation (list them with GET /v1/devices)")


def _is_known(connection: Connection, query: str, values: dict[str, object]) -> bool:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchone() is not None
