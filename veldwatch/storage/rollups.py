"""Hourly and daily rollups where the server has no continuous aggregates: a consumer of the log.

Each pass takes the batches since its cursor, finds which hours and days of which series they touch, aggregates
exactly those again from what is stored, and commits rows and cursor together. So a reading that comes years late
renews its old bucket, and a pass that is repeated changes nothing. TimescaleDB's community edition does
all this by itself: there `roll_up` must not be called.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.storage import partitions
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.log import START, LogBatch, load_cursor, read, save_cursor
from veldwatch.storage.queries import load_queries

CONSUMER = "rollups"

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_TOUCHED = np.dtype([("series_id", "<i4"), ("bucket", "<i8")])
# About 30 MB where batches are as large as they get (5,000 messages of 3 readings, 30 bytes each).
_BATCHES_AT_ONCE = 64
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
    """Renew what the next batches of the log touch, in a transaction of its own.

    Where another process is at it, nothing is done.
    """
    with translated_errors(), connection.transaction():
        cursor = load_cursor(connection, CONSUMER) or START
        batches = read(connection, cursor, _BATCHES_AT_ONCE)
    if not batches:
        return RollupPass()
    touched = _touched([batch for _, batch in batches], _HOUR)
    days = _coarser(touched, _DAY)
    partitions.ensure_for(connection, "reading_hourly_rollup", touched["bucket"])
    partitions.ensure_for(connection, "reading_daily_rollup", days["bucket"])
    with translated_errors(), connection.transaction():
        row = connection.execute(_QUERIES["take_turn"]).fetchone()
        if row is None or not row[0] or (load_cursor(connection, CONSUMER) or START) != cursor:
            return RollupPass()
        _renew(connection, "renew_hourly", touched)
        _renew(connection, "renew_daily", days)
        save_cursor(connection, CONSUMER, batches[-1][0])
    return RollupPass(batches=len(batches), hours=len(touched), days=len(days), more=len(batches) == _BATCHES_AT_ONCE)


def count_rolled_up(connection: Connection) -> int:
    """Count the readings that the hourly rollups hold: slow on a large database."""
    with translated_errors():
        row = connection.execute(_QUERIES["count"]).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def _renew(connection: Connection, query: str, touched: npt.NDArray[Any]) -> None:
    values = {
        "series_ids": touched["series_id"].tolist(),
        "buckets": [f"{time}+00" for time in touched["bucket"].astype("datetime64[us]").astype(str)],
    }
    connection.execute(_QUERIES[query], values)


def _touched(batches: list[LogBatch], width: int) -> npt.NDArray[Any]:
    """Name the buckets that readings fall into: unique, by series, then time."""
    readings = np.concatenate([batch.readings for batch in batches])
    found = np.empty(len(readings), _TOUCHED)
    found["series_id"] = readings["series_id"]
    found["bucket"] = readings["observed_at"] // width * width
    return np.unique(found)


def _coarser(touched: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    found = touched.copy()
    found["bucket"] = found["bucket"] // width * width
    return np.unique(found)
