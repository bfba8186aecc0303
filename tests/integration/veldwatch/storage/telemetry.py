"""Rows for storage's tests: a series to write to, and readings written as intake does, the log's batch included."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from tests.databases import await_log
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.register import Device
from veldwatch.storage import log, maintenance, partitions, register
from veldwatch.storage.connection import Connection

Row = tuple[datetime, float]


def microseconds(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000 + time.microsecond


def make_series(connection: Connection, external_id: str = "meter") -> SeriesId:
    organisation = register.ensure_organisation(connection, "kasama")
    device = register.ensure_device(
        connection, Device(organisation_id=organisation, external_id=external_id, source="veldwatch")
    )
    series = register.ensure_series(connection, [(device, "volume", "m3")])[device, "volume"].series_id
    connection.commit()
    return series


def write(connection: Connection, series: SeriesId, rows: Iterable[Row], *, quality: int = 0) -> None:
    """Write and commit readings that are new, and wait until the log tells of them."""
    listed = list(rows)
    readings = np.array(
        [(series, microseconds(at), microseconds(at + timedelta(seconds=5)), value, quality) for at, value in listed],
        log.READINGS,
    )
    partitions.ensure_for(connection, "reading_raw", readings["observed_at"])
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, quality, value)"
            " VALUES (%s, %s, 5, %s, %s)",
            [(at, series, quality, value) for at, value in listed],
        )
        log.append(connection, log.LogBatch(readings=readings))
    await_log(connection)


def settle(connection: Connection, now: datetime) -> None:
    """Do what the maintenance program would do in time."""
    maintenance.run_once(connection, now)
