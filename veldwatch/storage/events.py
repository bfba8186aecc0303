"""Read out events and contacts, newest first."""

from dataclasses import asdict
from datetime import datetime

from veldwatch.storage.connection import Connection
from veldwatch.storage.devices import SeriesFilter
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.positions import named_devices
from veldwatch.storage.queries import load_queries
from veldwatch.storage.timespan import Timespan

EventKey = tuple[datetime, int, str]
"""Time, device and digest: what tells an event from every other."""

_QUERIES = load_queries("events")


def list_events(
    connection: Connection,
    scope: int | None,
    which: SeriesFilter,
    span: Timespan,
    *,
    kind: str | None,
    after: EventKey | None,
) -> list[Row]:
    """List events; `digest` is part of each row so that the next page can begin after it."""
    at, device_id, digest = after or (None, None, None)
    values = {
        **asdict(which),
        **span.parameters(),
        "scope": scope,
        "kind": kind,
        "after": at,
        "after_id": device_id,
        "after_digest": digest,
    }
    return fetch_rows(connection, _QUERIES["events"], values)


def list_contacts(connection: Connection, scope: int | None, which: SeriesFilter, span: Timespan) -> list[Row]:
    """List when the devices that a request names were heard.

    Raises:
        RequestInvalid: more devices match than one page can be made of.
    """
    devices = named_devices(connection, scope, which)
    if not devices:
        return []
    rows = fetch_rows(connection, _QUERIES["contacts"], {**span.parameters(), "devices": sorted(devices)})
    return [{**row, **devices[row["device_id"]]} for row in rows]
