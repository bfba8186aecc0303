"""Load months of readings past the log: rows as intake writes them, chunks compressed, rollups made beside.

The newest week comes first, so that the same windows can be looked at before and after there is more history. What is
loaded is noted in the database, so a load that was broken off goes on, and a kept database is used again.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.meter_history import ELECTRICITY, KINDS, WATER, WEEK_SECONDS, Week, make_week
from benchmarks.servers import History
from veldwatch.model.register import Device, DeviceStatus, Profile, Site
from veldwatch.storage import partitions, register
from veldwatch.storage.arrays import copy_parts, times
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.decimals import Decimals
from veldwatch.storage.intake import copy_readings
from veldwatch.storage.log import READINGS

END = datetime(2026, 1, 1, tzinfo=UTC)
"""Where history ends: between two weeks as counted from 1970, as TimescaleDB cuts its chunks."""

ORGANISATION = "bench"
DEVICES_A_SITE = 20
_LAST_WEEK = int(END.timestamp()) // WEEK_SECONDS - 1
_DAY_SECONDS = 86_400
_ROWS_AT_ONCE = 200_000
_ROLLUPS = (("reading_hourly_rollup", 3600), ("reading_daily_rollup", _DAY_SECONDS))


def load(server: History, *, readings: int, series: int, step: timedelta, seed: int = 1) -> int:
    """Bring the history to so many readings, in whole days of all series, and give how many there are.

    Args:
        series: rounded up to whole devices.
        step: between two readings of a series; an hour is a multiple of it.

    Raises:
        ValueError: the database holds a history of another kind.
    """
    series = -(-series // len(KINDS)) * len(KINDS)
    step_seconds = int(step.total_seconds())
    with connect(server.dsn, autocommit=True, application="bench", prepare=server.prepare) as connection:
        _prepare(connection, series, step_seconds, seed)
        numbers = _numbers(connection)
        days = max(1, readings // (series * (_DAY_SECONDS // step_seconds)))
        for place in range(-(-days // 7)):
            wanted = min(7, days - 7 * place) * (_DAY_SECONDS // step_seconds)
            week = _LAST_WEEK - place
            loaded = _loaded(connection, week)
            if loaded < wanted:
                made = make_week(week, series, step_seconds, seed)
                _load_part(connection, server, week, numbers, _steps_of(made, wanted, loaded), step_seconds)
        connection.execute("VACUUM (ANALYZE)" if server.prepare else "ANALYZE")
        return int(_scalar(connection, "SELECT coalesce(sum(readings), 0) FROM bench.week"))


def _prepare(connection: Connection, series: int, step_seconds: int, seed: int) -> None:
    """Make register and notes, or hold them against what is wanted."""
    if _scalar(connection, "SELECT to_regclass('bench.setting') IS NOT NULL"):
        found = connection.execute("SELECT series, step_seconds, seed FROM bench.setting").fetchone()
        if found != (series, step_seconds, seed):
            raise ValueError(
                f"the kept database holds (series, seconds between readings, seed) {found}"
                f" (expected {(series, step_seconds, seed)}: ask for that, or take another folder)"
            )
        return
    with connection.transaction():
        connection.execute("CREATE SCHEMA bench")
        connection.execute("CREATE TABLE bench.week (week integer PRIMARY KEY, steps integer, readings bigint)")
        connection.execute("CREATE TABLE bench.setting (series integer, step_seconds integer, seed integer)")
        connection.execute("INSERT INTO bench.setting VALUES (%s, %s, %s)", (series, step_seconds, seed))
        _register(connection, series // len(WATER), timedelta(seconds=step_seconds))


def _register(connection: Connection, devices: int, step: timedelta) -> None:
    """Make water and electricity meters by turns, twenty of each to a site."""
    organisation = register.ensure_organisation(connection, ORGANISATION)
    profiles = [
        register.ensure_profile(connection, Profile(slug=slug, name=slug, kind="meter", expected_interval=step))
        for slug in ("bench-water", "bench-electricity")
    ]
    wanted: list[tuple[Any, str, str]] = []
    for number in range(devices):
        site = register.ensure_site(
            connection, Site(organisation_id=organisation, slug=f"site-{number // (2 * DEVICES_A_SITE)}")
        )
        device = register.ensure_device(
            connection,
            Device(
                organisation_id=organisation,
                external_id=f"meter-{number:06}",
                name=f"meter-{number:06}",
                source="bench",
                profile_id=profiles[number % 2],
                site_id=site,
                status=DeviceStatus.ACTIVE,
            ),
        )
        wanted += [(device, kind.metric, kind.unit) for kind in (WATER, ELECTRICITY)[number % 2]]
    register.ensure_series(connection, wanted)


def _numbers(connection: Connection) -> npt.NDArray[np.int32]:
    """Give the series in the order that a week has them in."""
    rows = connection.execute(
        "SELECT s.id FROM series s JOIN device d ON d.id = s.device_id"
        " ORDER BY d.external_id, array_position(%s::text[], s.metric)",
        ([kind.metric for kind in KINDS],),
    ).fetchall()
    return np.array([number for (number,) in rows], np.int32)


def _steps_of(made: Week, wanted: int, loaded: int) -> Week:
    """Take the last steps of a week, those left out that are loaded already."""
    steps = slice(made.values.shape[1] - wanted, made.values.shape[1] - loaded)
    return Week(made.observed_at[:, steps], made.delay[:, steps], made.values[:, steps])


def _load_part(
    connection: Connection, server: History, week: int, numbers: npt.NDArray[np.int32], part: Week, step_seconds: int
) -> None:
    """Load a part of a week in one transaction."""
    for table in ("reading_raw", *(name for name, _ in _ROLLUPS)):
        if _scalar(connection, f"SELECT to_regclass('{table}') IS NOT NULL"):
            ends = part.observed_at[[0, -1], [0, -1]] // 3600 * 3600 * 1_000_000
            partitions.ensure_for(connection, table, ends)
    is_plain = server.edition == "postgresql"
    with connection.transaction():
        _copy_readings(connection, numbers, part, in_time_order=is_plain)
        for table, width in _ROLLUPS:
            _copy_rollup(connection, table, numbers, part, width, width // step_seconds)
        connection.execute(
            "INSERT INTO bench.week VALUES (%(week)s, %(steps)s, %(readings)s) ON CONFLICT (week) DO UPDATE"
            " SET steps = week.steps + EXCLUDED.steps, readings = week.readings + EXCLUDED.readings",
            {"week": week, "steps": part.values.shape[1], "readings": part.values.size},
        )
    if server.edition == "timescaledb-community":
        connection.execute("SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('reading_raw') c")


def _copy_readings(connection: Connection, numbers: npt.NDArray[np.int32], part: Week, *, in_time_order: bool) -> None:
    """Copy readings as intake does.

    Args:
        in_time_order: all series' first readings, then their second ones, as they arrive; else series by series, which
            is all the same to a chunk that is compressed.
    """
    decimals = Decimals()
    series, steps = part.values.shape
    at_once = max(1, _ROWS_AT_ONCE // (series if in_time_order else steps))
    for first in range(0, steps if in_time_order else series, at_once):
        some = slice(first, first + at_once)
        piece = (slice(None), some) if in_time_order else (some, slice(None))
        observed, delay, values = (column[piece] for column in part)
        ids = np.broadcast_to(numbers[piece[0], None], values.shape)
        rows = np.zeros(values.size, READINGS)
        order = "F" if in_time_order else "C"
        rows["series_id"] = ids.ravel(order)
        rows["observed_at"] = observed.ravel(order) * 1_000_000
        rows["received_at"] = rows["observed_at"] + delay.ravel(order) * 1_000_000
        rows["value"] = values.ravel(order)
        copy_readings(connection, rows, decimals)


def _copy_rollup(
    connection: Connection, table: str, numbers: npt.NDArray[np.int32], part: Week, width: int, steps_each: int
) -> None:
    """Copy the buckets of a rollup, as maintenance would have made them of the same readings, in order of time."""
    if not _scalar(connection, f"SELECT to_regclass('{table}') IS NOT NULL"):
        return
    series, steps = part.values.shape
    cells = part.values.reshape(series, steps // steps_each, steps_each)
    buckets = part.observed_at[:1, ::steps_each] // width * width * 1_000_000
    columns: list[npt.NDArray[Any]] = [
        np.full(cells.shape[:2], steps_each, np.int64),
        cells.min(axis=2),
        cells.max(axis=2),
        cells.sum(axis=2),
        cells[:, :, 0],
        cells[:, :, -1],
    ]
    ids = np.broadcast_to(numbers[:, None], cells.shape[:2])
    flat = [
        times(np.broadcast_to(buckets, cells.shape[:2]).ravel("F")),
        ids.ravel("F"),
        *(column.ravel("F") for column in columns),
    ]
    statement = (
        f"COPY {table} (bucket, series_id, count, minimum, maximum, total, first, last) FROM STDIN (FORMAT BINARY)"
    )
    for first in range(0, len(flat[0]), _ROWS_AT_ONCE):
        with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for piece in copy_parts([column[first : first + _ROWS_AT_ONCE] for column in flat]):
                copy.write(piece)


def _loaded(connection: Connection, week: int) -> int:
    row = connection.execute("SELECT steps FROM bench.week WHERE week = %s", (week,)).fetchone()
    return 0 if row is None else int(row[0])


def _scalar(connection: Connection, query: str) -> Any:  # noqa: ANN401  # whatever one value it is
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]
