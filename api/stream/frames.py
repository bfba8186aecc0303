"""Server-sent events as bytes: what one part of the log looks like to who may see one organisation, or all.

Pure. A frame holds at most `MOST_ROWS` readings; where more came at once only the newest of each series is told, then
the newest of all, and `omitted` says how many are not. Who needs every row asks GET /v1/readings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from veldwatch.storage.log import LogBatch, LogCursor
from veldwatch.storage.names import DeviceName, SeriesName

MOST_ROWS = 5000
"""About 800 kB of JSON: what a browser takes in without a visible pause."""

ROWS_AT_ONCE = 100_000
"""Of the log, read for one frame: 5 MB, joined and sorted a few times that. An import writes 20,000 in each batch."""

HEARTBEAT = b": alive\n\n"
TOO_SLOW = b": you read too slowly; come again with Last-Event-ID\n\n"
RESET = b"event: reset\ndata: {}\n\n"
"""What was missed must be asked for by the lists: its place is no longer kept, or too much changed meanwhile."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Rows = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """Some batches of the log that follow each other, with the names of all that is in them.

    Attributes:
        cursor: place of the last of the batches.
    """

    cursor: LogCursor
    readings: Rows
    positions: Rows
    contacts: Rows
    series: Mapping[int, SeriesName]
    devices: Mapping[int, DeviceName]


def merge(batches: Sequence[LogBatch]) -> tuple[Rows, Rows, Rows]:
    """Join the readings, positions and contacts of some batches, one at least."""
    return (
        np.concatenate([batch.readings for batch in batches]),
        np.concatenate([batch.positions for batch in batches]),
        np.concatenate([batch.contacts for batch in batches]),
    )


def batch_frame(chapter: Chapter, scope: int | None) -> bytes:
    """Write the event `batch` for one scope; when nothing in it may be seen, only its place.

    Args:
        scope: the one organisation that may be seen; None: all.
    """
    readings, hidden = _visible(chapter.readings, "series_id", chapter.series, scope)
    positions, more = _visible(chapter.positions, "device_id", chapter.devices, scope)
    contacts, _ = _visible(chapter.contacts, "device_id", chapter.devices, scope)
    if not len(readings) and not len(positions) and not len(contacts):
        return place_frame(chapter.cursor)
    content = {
        "readings": [_reading(row, chapter.series[row[0]]) for row in readings.tolist()],
        "positions": [_position(row, chapter.devices[row[0]]) for row in positions.tolist()],
        "contacts": [_contact(row, chapter.devices[row[0]]) for row in contacts.tolist()],
        "omitted": hidden + more,
    }
    return b"event: batch\nid: %b\ndata: %b\n\n" % (format_cursor(chapter.cursor), msgspec.json.encode(content))


def alert_frame(alert: bytes) -> bytes:
    """Write the event `alert`; it has no id, since alerts have no place in the log.

    Args:
        alert: JSON without line breaks.
    """
    return b"event: alert\ndata: %b\n\n" % alert


def incident_frame(incident: bytes) -> bytes:
    """Write the event `incident`; it has no id, as alerts have none.

    Args:
        incident: JSON without line breaks.
    """
    return b"event: incident\ndata: %b\n\n" % incident


def place_frame(cursor: LogCursor) -> bytes:
    """Move the client's Last-Event-ID without an event. Source: HTML Living Standard, section 9.2.6."""
    return b": here\nid: %b\n\n" % format_cursor(cursor)


def format_cursor(cursor: LogCursor) -> bytes:
    """Write a place in the log as an event's id."""
    return b"%d-%d" % cursor


def parse_cursor(text: str) -> LogCursor | None:
    """Read an event's id; None when it is none of ours."""
    xid, dash, number = text.strip().partition("-")
    if not dash or not all(part.isascii() and part.isdigit() and len(part) <= 19 for part in (xid, number)):
        return None
    cursor = LogCursor(int(xid), int(number))
    return cursor if max(cursor) < 2**63 else None


def _visible(
    rows: Rows, column: str, names: Mapping[int, SeriesName] | Mapping[int, DeviceName], scope: int | None
) -> tuple[Rows, int]:
    seen = [number for number, name in names.items() if scope is None or name.organisation_id == scope]
    shown = rows[np.isin(rows[column], np.array(seen, dtype=np.int64))]
    if len(shown) <= MOST_ROWS:
        return shown, 0
    newest = shown[np.lexsort((shown[column], shown[_time_of(rows)]))][::-1]
    _, first = np.unique(newest[column], return_index=True)
    kept = newest[np.sort(first)][:MOST_ROWS][::-1]
    return kept, len(shown) - len(kept)


def _time_of(rows: Rows) -> str:
    return "observed_at" if "observed_at" in (rows.dtype.names or ()) else "received_at"


def _reading(row: Sequence[Any], name: SeriesName) -> dict[str, object]:
    series_id, observed_at, _, value, _ = row
    return {
        "series_id": series_id,
        "device_id": name.device_id,
        "device": name.device,
        "metric": name.metric,
        "unit": name.unit,
        "observed_at": _moment(observed_at),
        "value": value,
    }


def _position(row: Sequence[Any], name: DeviceName) -> dict[str, object]:
    return {
        "device_id": row[0],
        "device": name.device,
        "observed_at": _moment(row[1]),
        "longitude": row[3],
        "latitude": row[4],
    }


def _contact(row: Sequence[Any], name: DeviceName) -> dict[str, object]:
    return {"device_id": row[0], "device": name.device, "received_at": _moment(row[1]), "online": row[5]}


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
