"""Hourly and daily rollups, the same tables on every edition: a consumer of the log.

Each pass takes the batches since its cursor, finds which hours and days of which series they touch, aggregates
exactly those again from what is stored, and commits rows and cursor together. So a reading that comes years late
renews its old bucket, and a pass that is repeated changes nothing. Corrections, and what was loaded past the log, come
by the table `rollup_due`. A bucket of which retention dropped readings stays as it was: what comes late for it is
stored, but does not take its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.storage import partitions
from veldwatch.storage.arrays import bind_arrays, times
from veldwatch.storage.columnstore import open_as_needed
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.log import START, LogBatch, load_cursor, read_up_to, save_cursor
from veldwatch.storage.queries import load_queries

CONSUMER = "rollups"

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_TOUCHED = np.dtype([("series_id", "<i4"), ("bucket", "<i8")])
_BATCHES_AT_ONCE = 64
# 3 MB in the log; those of an import may be of as many hours, which take 40 MB on their way.
_READINGS_AT_ONCE = 100_000
_DUE_AT_ONCE = 20_000
_QUERIES = load_queries("rollups")


@dataclass(frozen=True, slots=True, kw_only=True)
class RollupPass:
    """What one pass did.

    Attributes:
        batches: taken from the log; fewer than were there when `more`.
        hours: buckets renewed.
        days: buckets renewed.
    """

    batches: int = 0
    hours: int = 0
    days: int = 0
    more: bool = False


def roll_up(connection: Connection) -> RollupPass:
    """Renew what is due and what the next batches of the log touch, in a transaction of its own.

    Where another process is at it, nothing is done.
    """
    with translated_errors(), connection.transaction():
        cursor = load_cursor(connection, CONSUMER) or START
        batches, is_behind = read_up_to(connection, cursor, _BATCHES_AT_ONCE, _READINGS_AT_ONCE)
        is_due = connection.execute(_QUERIES["is_due"]).fetchone() == (True,)
    if not batches and not is_due:
        return RollupPass()
    touched = _touched([batch for _, batch in batches], _HOUR)
    _make_room(connection, touched)
    with translated_errors(), connection.transaction():
        row = connection.execute(_QUERIES["take_turn"]).fetchone()
        if row is None or not row[0] or (load_cursor(connection, CONSUMER) or START) != cursor:
            return RollupPass()
        open_as_needed(connection)
        due = _due(connection) if is_due else touched[:0]
        days = _renew(connection, touched, due)
        if batches:
            save_cursor(connection, CONSUMER, batches[-1][0])
    more = is_behind or len(due) == _DUE_AT_ONCE
    return RollupPass(batches=len(batches), hours=len(touched) + len(due), days=days, more=more)


def make_due(connection: Connection, since: datetime, until: datetime) -> int:
    """Let every hour of a stretch be rolled up again, for what was loaded past the log; in the caller's transaction."""
    with translated_errors():
        return connection.execute(_QUERIES["make_due"], {"since": since, "until": until}).rowcount


def count_rolled_up(connection: Connection) -> int:
    """Count the readings that the hourly rollups hold: slow on a large database."""
    with translated_errors():
        row = connection.execute(_QUERIES["count"]).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _make_room(connection: Connection, hours: npt.NDArray[Any]) -> None:
    partitions.ensure_for(connection, "reading_hourly_rollup", hours["bucket"])
    partitions.ensure_for(connection, "reading_daily_rollup", _coarser(hours, _DAY)["bucket"])


def _due(connection: Connection) -> npt.NDArray[Any]:
    """Take hours off the list of what is due; where something is corrected there may be none of any reading yet."""
    rows = connection.execute(_QUERIES["due"], {"limit": _DUE_AT_ONCE}).fetchall()
    due = np.array(rows, _TOUCHED)
    _make_room(connection, due)
    return due


def _renew(connection: Connection, touched: npt.NDArray[Any], due: npt.NDArray[Any]) -> int:
    """Renew hours, then their days, and count the days."""
    values = {"series_ids": np.unique(touched["series_id"]).tolist()}
    corrected = [series_id for (series_id,) in connection.execute(_QUERIES["corrected"], values).fetchall()]
    is_corrected = np.isin(touched["series_id"], corrected)
    _run(connection, "renew_hourly", touched[~is_corrected])
    _run(connection, "renew_corrected", touched[is_corrected], said=False)
    _run(connection, "renew_corrected", due, said=True)
    _run(connection, "empty_hours", due)
    days = _coarser(np.concatenate([touched, due]), _DAY)
    _run(connection, "renew_daily", days)
    _run(connection, "renew_daily_alone", days)
    _run(connection, "empty_days", _coarser(due, _DAY))
    return len(days)


def _run(connection: Connection, query: str, touched: npt.NDArray[Any], **named: bool) -> None:
    if not len(touched):
        return
    values = {
        "series_ids": touched["series_id"].copy(),
        "buckets": times(touched["bucket"]),
        **named,
    }
    bind_arrays(connection)
    connection.execute(_QUERIES[query], values)


def _touched(batches: Sequence[LogBatch], width: int) -> npt.NDArray[Any]:
    """Name the buckets that readings fall into: unique, by series, then time."""
    if not batches:
        return np.empty(0, _TOUCHED)
    readings = np.concatenate([batch.readings for batch in batches])
    found = np.empty(len(readings), _TOUCHED)
    found["series_id"] = readings["series_id"]
    found["bucket"] = readings["observed_at"] // width * width
    return np.unique(found)


def _coarser(touched: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    found = touched.copy()
    found["bucket"] = found["bucket"] // width * width
    return np.unique(found)
