"""Read out fixes: the newest of each device, or the history of a few.

As with readings, each device's history is read through its own index and the parts are merged.
"""

from dataclasses import asdict

from veldwatch.errors import RequestInvalid
from veldwatch.storage.connection import Connection
from veldwatch.storage.devices import SeriesFilter, matching_devices
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.timespan import Timespan

MOST_DEVICES = 500
_QUERIES = load_queries("positions")


def list_positions(connection: Connection, scope: int | None, which: SeriesFilter, span: Timespan) -> list[Row]:
    """List the fixes of the devices that a request names.

    Raises:
        RequestInvalid: more devices with fixes match than one page can be made of.
    """
    values = {**asdict(which), **span.parameters(), "scope": scope, "most": MOST_DEVICES + 1}
    devices = _bounded(fetch_rows(connection, _QUERIES["holders"], values))
    if not devices:
        return []
    rows = fetch_rows(connection, _QUERIES[span.order], {**span.parameters(), "devices": sorted(devices)})
    return [{**row, **devices[row["device_id"]]} for row in rows]


def latest_positions(
    connection: Connection, scope: int | None, which: SeriesFilter, span: Timespan, *, after: int
) -> tuple[list[Row], int | None]:
    """List the newest fix of each device within a time range, by device id.

    Returns:
        the fixes (devices without one are left out), and the id of the last device that was looked at when there
        may be more.
    """
    found = matching_devices(connection, scope, which, after=after, limit=span.limit)
    devices = {row["id"]: _named(row) for row in found}
    rows = fetch_rows(connection, _QUERIES["latest"], {**span.parameters(), "devices": sorted(devices)})
    last = max(devices) if len(devices) == span.limit else None
    return [{**row, **devices[row["device_id"]]} for row in rows], last


def named_devices(connection: Connection, scope: int | None, which: SeriesFilter) -> dict[int, Row]:
    """Find the devices whose history is asked for: id to `device` and `organisation`.

    Raises:
        RequestInvalid: more match than one page can be made of.
    """
    return _bounded(matching_devices(connection, scope, which, limit=MOST_DEVICES + 1))


def _bounded(found: list[Row]) -> dict[int, Row]:
    if len(found) > MOST_DEVICES:
        raise RequestInvalid(f"more than {MOST_DEVICES} devices match (name a device or an organisation)")
    return {row["id"]: _named(row) for row in found}


def _named(device: Row) -> Row:
    return {"device": device["external_id"], "organisation": device["organisation"]}
