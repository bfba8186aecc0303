"""Read out the register: organisations, sites, devices and series, each with what was last heard of it.

Every function takes `scope`, the id of the one organisation that the asker may see (None: all): what lies outside
looks as if it did not exist.
"""

from dataclasses import asdict, dataclass

from veldwatch.errors import NotFound
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """Which devices: None is any.

    Attributes:
        site: a site's slug; devices of the sites below it count too.
        q: part of the name or of the external id, in any case.
    """

    device_id: int | None = None
    organisation: str | None = None
    site: str | None = None
    profile: str | None = None
    status: str | None = None
    q: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFilter:
    """Which series: None is any; `device` is the device's own identifier, `device_id` ours."""

    organisation: str | None = None
    device: str | None = None
    device_id: int | None = None
    metric: str | None = None


def list_organisations(connection: Connection, scope: int | None, *, after: str, limit: int) -> list[Row]:
    """List organisations by slug."""
    return fetch_rows(connection, _QUERIES["organisations"], {"scope": scope, "after": after, "limit": limit})


def list_sites(
    connection: Connection, scope: int | None, *, organisation: str | None, kind: str | None, after: int, limit: int
) -> list[Row]:
    """List sites by id."""
    values = {"scope": scope, "organisation": organisation, "kind": kind, "after": after, "limit": limit}
    return fetch_rows(connection, _QUERIES["sites"], values)


def get_site(connection: Connection, scope: int | None, site_id: int) -> Row:
    """Give one site.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    rows = list_sites(connection, scope, organisation=None, kind=None, after=site_id - 1, limit=1)
    if not rows or rows[0]["id"] != site_id:
        raise NotFound(f"no site {site_id!r} (list them with GET /v1/sites)")
    return rows[0]


def list_devices(
    connection: Connection, scope: int | None, which: DeviceFilter, *, after: int, limit: int
) -> list[Row]:
    """List devices by id, with `last_contact_at`, `online` and `last_position`."""
    values = {**asdict(which), "scope": scope, "after": after, "limit": limit}
    return [_with_last_position(row) for row in fetch_rows(connection, _QUERIES["devices"], values)]


def get_device(connection: Connection, scope: int | None, device_id: int) -> Row:
    """Give one device.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    rows = list_devices(connection, scope, DeviceFilter(device_id=device_id), after=0, limit=1)
    if not rows:
        raise NotFound(f"no device {device_id!r} (list them with GET /v1/devices)")
    return rows[0]


def list_series(connection: Connection, scope: int | None, which: SeriesFilter, *, after: int, limit: int) -> list[Row]:
    """List series by id, each with its `latest` reading or None."""
    values = {**asdict(which), "scope": scope, "after": after, "limit": limit}
    return [_with_latest(row) for row in fetch_rows(connection, _QUERIES["series"], values)]


def matching_devices(
    connection: Connection, scope: int | None, which: SeriesFilter, *, after: int = 0, limit: int
) -> list[Row]:
    """Find the devices that a request names: `id`, `external_id`, `organisation`, by id."""
    values = {**asdict(which), "scope": scope, "after": after, "limit": limit}
    return fetch_rows(connection, _QUERIES["matching"], values)


def _with_last_position(row: Row) -> Row:
    longitude, latitude, observed_at = (row.pop(f"fix_{name}") for name in ("longitude", "latitude", "observed_at"))
    fix = {"longitude": longitude, "latitude": latitude, "observed_at": observed_at}
    return {**row, "last_position": None if observed_at is None else fix}


def _with_latest(row: Row) -> Row:
    latest = {name: row.pop(f"latest_{name}") for name in ("observed_at", "value", "quality")}
    return {**row, "latest": None if latest["observed_at"] is None else latest}
