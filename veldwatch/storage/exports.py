"""Read out whole histories: stored rows as arrays, as they come from the server, however many there are.

Rows come in the binary form of COPY, whose columns are never null here: an array is made of thousands at once, and
memory holds one such array. All of an export is of one moment: its transaction sees what was committed when it began.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psycopg

from veldwatch.errors import NotFound
from veldwatch.storage.arrays import MICROSECONDS_TO_2000
from veldwatch.storage.connection import Connection, connect, translated_errors
from veldwatch.storage.log import POSITIONS, READINGS
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("exports")
_ROWS_AT_ONCE = 50_000
_NAMED_AT_ONCE = 1000
# Source: PostgreSQL manual, COPY, "Binary Format": signature, flags and an empty extension; -1 ends the rows.
_HEADER_BYTES, _TRAILER_BYTES = 19, 2

Rows = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilter:
    """What is exported: of one organisation; None: all.

    Attributes:
        since: the first time of observation.
        until: the first one that is not exported.
    """

    organisation: str
    device: str | None = None
    metric: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class ExportedSeries(NamedTuple):
    """A series by its names."""

    id: int
    device: str
    metric: str
    unit: str


class Worn(NamedTuple):
    """A device on a subject, from a time until another; None: without end."""

    device_id: int
    since: datetime | None
    until: datetime | None
    subject: str
    species: str


@contextmanager
def exporting(dsn: str) -> Generator[Connection]:
    """Open a connection for one export, which only reads."""
    with connect(dsn, application="veldwatch-export") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def check_named(connection: Connection, which: ExportFilter) -> None:
    """Refuse names of nothing, whose file would be empty.

    Raises:
        NotFound: there is no such organisation, or it has no such device.
    """
    with translated_errors():
        row = connection.execute(_QUERIES["known"], asdict(which)).fetchone()
    organisation, device = row or (False, False)
    if not organisation:
        raise NotFound(f"no organisation {which.organisation!r} (list them with GET /v1/organisations)")
    if not device:
        raise NotFound(f"organisation {which.organisation!r} has no device {which.device!r}")


def exported_series(connection: Connection, which: ExportFilter) -> list[ExportedSeries]:
    """Name the series of an export, by device, then metric."""
    with translated_errors():
        return [ExportedSeries(*row) for row in connection.execute(_QUERIES["series"], asdict(which)).fetchall()]


def exported_devices(connection: Connection, which: ExportFilter) -> dict[int, str]:
    """Name the devices of an export, by their identifiers."""
    with translated_errors():
        found = connection.execute(_QUERIES["devices"], asdict(which)).fetchall()
    return dict(found)


def exported_animals(connection: Connection, devices: Sequence[int]) -> list[Worn]:
    """List what devices were on, by device, then time."""
    with translated_errors():
        return [Worn(*row) for row in connection.execute(_QUERIES["animals"], {"ids": list(devices)}).fetchall()]


def exported_readings(connection: Connection, which: ExportFilter, series: Sequence[int]) -> Iterator[Rows]:
    """Give the readings of some series, in that order and oldest first, as `veldwatch.storage.log.READINGS`."""
    for rows in _copied(connection, "readings", which, series, _READING_ROW):
        found = np.empty(len(rows), READINGS)
        for name in ("series_id", "value", "quality"):
            found[name] = rows[name]
        _put_times(found, rows)
        yield found


def exported_positions(connection: Connection, which: ExportFilter, devices: Sequence[int]) -> Iterator[Rows]:
    """Give the fixes of some devices, in that order and oldest first, as `veldwatch.storage.log.POSITIONS`."""
    for rows in _copied(connection, "positions", which, devices, _POSITION_ROW):
        found = np.empty(len(rows), POSITIONS)
        for name in ("device_id", "quality", "longitude", "latitude", "altitude", "accuracy", "speed", "heading"):
            found[name] = rows[name]
        _put_times(found, rows)
        yield found


def _copied(
    connection: Connection, query: str, which: ExportFilter, ids: Sequence[int], form: np.dtype[Any]
) -> Iterator[Rows]:
    statement = b"COPY (" + _QUERIES[query] + b") TO STDOUT (FORMAT BINARY)"
    for first in range(0, len(ids), _NAMED_AT_ONCE):
        values = {"ids": list(ids[first : first + _NAMED_AT_ONCE]), "since": which.since, "until": which.until}
        with translated_errors(), connection.cursor() as cursor, cursor.copy(statement, values) as copy:
            yield from _rows(iter(copy), form)


def _rows(parts: Iterator[Any], form: np.dtype[Any]) -> Iterator[Rows]:
    pending, begin = bytearray(), _HEADER_BYTES
    for part in parts:
        pending += part
        if len(pending) >= _ROWS_AT_ONCE * form.itemsize:
            count = (len(pending) - begin) // form.itemsize
            end = begin + count * form.itemsize
            yield np.frombuffer(bytes(pending[begin:end]), form)
            pending, begin = pending[end:], 0
    whole = bytes(pending[begin : len(pending) - _TRAILER_BYTES])
    if whole:
        yield np.frombuffer(whole, form)


def _put_times(found: Rows, rows: Rows) -> None:
    found["observed_at"] = rows["observed_at"] + np.int64(MICROSECONDS_TO_2000)
    found["received_at"] = found["observed_at"] + rows["delay_seconds"].astype(np.int64) * 1_000_000


def _row(*columns: tuple[str, str]) -> np.dtype[Any]:
    """Give the form of one row: the number of its columns, then the length and the value of each."""
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        fields += [(f"length of {name}", ">i4"), (name, kind)]
    return np.dtype(fields)


_READING_ROW = _row(
    ("observed_at", ">i8"), ("series_id", ">i4"), ("delay_seconds", ">i4"), ("quality", ">i2"), ("value", ">f8")
)
_POSITION_ROW = _row(
    ("observed_at", ">i8"),
    ("device_id", ">i4"),
    ("delay_seconds", ">i4"),
    ("quality", ">i2"),
    ("longitude", ">f8"),
    ("latitude", ">f8"),
    ("altitude", ">f4"),
    ("accuracy", ">f4"),
    ("speed", ">f4"),
    ("heading", ">f4"),
)
