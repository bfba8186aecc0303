"""Hours and days have the same columns and values on every server, and a late reading renews its old bucket."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.model.telemetry import Quality
from veldwatch.storage import maintenance, rollups
from veldwatch.storage.connection import Connection

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LONG_AGO = datetime(2019, 7, 1, 22, 30, tzinfo=UTC)


def _settle(connection: Connection) -> None:
    """Do what the server or the maintenance program would do in time."""
    maintenance.run_once(connection, NOW)


def _rows(connection: Connection, view: str) -> list[tuple[Any, ...]]:
    columns = "bucket, count, minimum, maximum, average, first, last"
    return connection.execute(f"SELECT {columns} FROM {view} ORDER BY bucket".encode()).fetchall()


def test_hours_and_days_hold_count_extremes_average_first_and_last(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(LONG_AGO + timedelta(minutes=20 * step), float(step % 4)) for step in range(6)])
    _settle(connection)
    start = LONG_AGO.replace(minute=0)
    assert _rows(connection, "reading_hourly") == [
        (start, 2, 0, 1, 0.5, 0, 1),
        (start + timedelta(hours=1), 3, 0, 3, 5 / 3, 2, 0),
        (start + timedelta(hours=2), 1, 1, 1, 1, 1, 1),
    ]
    midnight = start.replace(hour=0)
    assert _rows(connection, "reading_daily") == [
        (midnight, 5, 0, 3, 6 / 5, 0, 0),
        (midnight + timedelta(days=1), 1, 1, 1, 1, 1, 1),
    ]


def test_a_reading_that_comes_years_late_renews_its_bucket_and_no_other(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(LONG_AGO, 5.0), (NOW, 7.0)])
    _settle(connection)
    write(connection, series, [(LONG_AGO - timedelta(minutes=10), 9.0)])
    _settle(connection)
    assert [row[1:] for row in _rows(connection, "reading_hourly")] == [(2, 5, 9, 7, 9, 5), (1, 7, 7, 7, 7, 7)]
    assert [row[1:] for row in _rows(connection, "reading_daily")] == [(2, 5, 9, 7, 9, 5), (1, 7, 7, 7, 7, 7)]


def test_implausible_values_stay_out(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(LONG_AGO, 5.0)])
    write(connection, series, [(LONG_AGO + timedelta(minutes=1), -32768.0)], quality=Quality.IMPLAUSIBLE)
    write(connection, series, [(LONG_AGO + timedelta(days=1), -32768.0)], quality=Quality.IMPLAUSIBLE)
    _settle(connection)
    assert [row[1:4] for row in _rows(connection, "reading_hourly")] == [(1, 5, 5)]
    assert [row[1:4] for row in _rows(connection, "reading_daily")] == [(1, 5, 5)]


def test_buckets_of_any_width_begin_where_timescaledb_begins_them(connection: Connection) -> None:
    row = connection.execute(
        "SELECT bucket('15 minutes', %(at)s), bucket('1 day', %(at)s), bucket('1 week', %(at)s)",
        {"at": datetime(2026, 3, 11, 12, 59, tzinfo=UTC)},
    ).fetchone()
    assert row == (
        datetime(2026, 3, 11, 12, 45, tzinfo=UTC),
        datetime(2026, 3, 11, tzinfo=UTC),
        datetime(2026, 3, 9, tzinfo=UTC),
    )


def test_a_pass_renews_only_what_the_log_touched_since(connection: Connection) -> None:
    first, second = make_series(connection), make_series(connection, "other")
    write(connection, first, [(LONG_AGO, 1.0)])
    write(connection, second, [(LONG_AGO, 1.0), (LONG_AGO + timedelta(seconds=1), 2.0), (NOW, 3.0)])
    done = rollups.roll_up(connection)
    assert (done.batches, done.hours, done.days, done.more) == (2, 3, 3, False)
    assert rollups.roll_up(connection) == rollups.RollupPass()


def test_rollups_outlive_the_raw_readings_that_retention_dropped(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(LONG_AGO, 1.0), (LONG_AGO + timedelta(minutes=1), 2.0), (NOW, 3.0)])
    report = maintenance.run_once(connection, NOW, retention_days=365)
    assert (report.hours, report.swept.parts) == (2, 1)
    write(connection, series, [(LONG_AGO + timedelta(minutes=2), 8.0)])
    maintenance.run_once(connection, NOW)
    assert [row[1] for row in _rows(connection, "reading_hourly")] == [2, 1]
    assert connection.execute("SELECT value FROM reading ORDER BY observed_at").fetchall() == [(8.0,), (3.0,)]
