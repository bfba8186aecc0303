"""Partitions of the telemetry tables: on plain PostgreSQL a month's partition is there before its first row.

On TimescaleDB nothing needs to be made, and every call costs one short query per month at most.

What exists is remembered per process once it is committed. Call `ensure` before the first write of a
transaction, best outside any: then it commits at once, is remembered, and holds no lock while rows are written.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import psycopg.errors
from psycopg.pq import TransactionStatus

from veldwatch.errors import StorageRejected
from veldwatch.storage.connection import Connection, translated_errors

T = TypeVar("T")
_known: set[tuple[str, str, np.datetime64]] = set()


def ensure(connection: Connection, table: str, first: datetime, last: datetime) -> None:
    """Make the partitions of every month from the first time's to the last's."""
    ensure_months(connection, table, np.arange(_month(first), _month(last) + 1))


def ensure_for(connection: Connection, table: str, times: npt.NDArray[np.int64]) -> None:
    """Make the partitions for rows of these times, in microseconds since 1970 UTC, any order, however far apart."""
    ensure_months(connection, table, np.unique(times.astype("datetime64[us]").astype("datetime64[M]")))


def ensure_months(connection: Connection, table: str, months: Iterable[Any]) -> None:
    """Make the partitions of these months (`numpy.datetime64[M]`)."""
    database = _database(connection)
    missing = [month for month in months if (database, table, month) not in _known]
    if not missing:
        return
    starts = [month.astype("datetime64[us]").item().replace(tzinfo=UTC) for month in missing]
    with translated_errors(), connection.transaction():
        connection.execute(
            "SELECT ensure_partition(%s::text::regclass, month) FROM unnest(%s::timestamptz[]) AS month",
            (table, starts),
        )
    # Within the caller's transaction it may still be rolled back: then it is asked for again.
    if connection.info.transaction_status is TransactionStatus.IDLE:
        _known.update((database, table, month) for month in missing)


def forget(connection: Connection) -> None:
    """Forget what exists: after a write found no partition, because retention dropped it."""
    database = _database(connection)
    _known.difference_update([entry for entry in _known if entry[0] == database])


def with_partitions(connection: Connection, work: Callable[[], T]) -> T:
    """Do work that makes the partitions it needs; once more if one that was known is gone, as somebody else dropped it.

    Args:
        work: that undoes its own transaction where it fails.
    """
    try:
        return work()
    except StorageRejected as error:
        if not isinstance(error.__cause__, psycopg.errors.CheckViolation):
            raise
        forget(connection)
        return work()


def _database(connection: Connection) -> str:
    return f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}"


def _month(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "M")
