"""Strips: stretches of history of many sources at once, as NumPy columns, for whoever folds years of them.

The server brings the rows of each source together and sends two arrays, which are read where they lie: no Python object
is made for an observation. Source: array_send in src/backend/utils/adt/arrayfuncs.c: 20 bytes of head, then length and
value of each element.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from psycopg import sql
from psycopg.adapt import Buffer, Loader
from psycopg.pq import Format

from veldwatch.storage.arrays import MICROSECONDS_TO_2000
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("strips")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEAD_BYTES = 20
_TIMES = np.dtype([("length", ">i4"), ("value", ">i8")])
_VALUES = np.dtype([("length", ">i4"), ("value", ">f8")])

Kind = Literal["readings", "contacts"]


class Strip(NamedTuple):
    """Observations of one source, oldest first: microseconds since 1970, and values (0 where there are none)."""

    at: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


class _Bytes(Loader):
    """Leaves a value as the server sent it."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        """Copy it out of the result's memory."""
        return bytes(data)


def read_strips(
    connection: Connection, kind: Kind, sources: Sequence[int], after: int, until: int, *, most: int
) -> dict[int, Strip] | None:
    """Read what sources observed within (after, until], in microseconds since 1970.

    Returns:
        Sources that observed something; None: all of them together had more than `most` observations.
    """
    values = {"sources": list(sources), "after": _time(after), "until": _time(until), "most": most + 1}
    with translated_errors(), connection.cursor(binary=True) as cursor:
        for name in ("timestamptz", "float8"):
            found = cursor.adapters.types[name]
            cursor.adapters.register_loader(found.array_oid, _Bytes)
        # Planned with its own values: a plan for any number of sources would read them one by one.
        rows = cursor.execute(_QUERIES[kind], values, prepare=False).fetchall()
    strips = {source: _strip(times, numbers) for source, times, numbers in rows}
    return None if sum(len(strip.at) for strip in strips.values()) > most else strips


def export_snapshot(connection: Connection) -> str:
    """Let others see what this transaction sees, for as long as it is open."""
    with translated_errors():
        row = connection.execute(_QUERIES["export_snapshot"]).fetchone()
    assert row is not None  # noqa: S101  # a function gives a row
    return row[0]


def see_snapshot(connection: Connection, snapshot: str) -> None:
    """See what another transaction sees; the first thing that is done in a transaction of repeatable reads."""
    with translated_errors():
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))


def _strip(times: bytes, numbers: bytes | None) -> Strip:
    at = np.frombuffer(times, _TIMES, offset=_HEAD_BYTES)["value"].astype(np.int64) + MICROSECONDS_TO_2000
    if numbers is None:
        value = np.zeros(len(at))
    else:
        value = np.frombuffer(numbers, _VALUES, offset=_HEAD_BYTES)["value"].astype(np.float64)
    # Rows lie as they came: mostly in order.
    if len(at) > 1 and bool((at[1:] < at[:-1]).any()):
        order = np.argsort(at, kind="stable")
        at, value = at[order], value[order]
    return Strip(at, value)


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
