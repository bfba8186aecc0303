"""Upkeep: the log ends where everybody has read, months are ready before they begin, a lost server is waited for."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from tests.databases import await_log
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.config import Settings
from veldwatch.storage import log, maintenance
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.log import LogBatch

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


def _write_log(connection: Connection, *ages: timedelta) -> None:
    for age in ages:
        log.append(connection, LogBatch())
        connection.execute("UPDATE batch SET committed_at = %s WHERE id = (SELECT max(id) FROM batch)", (NOW - age,))
        connection.commit()


def _kept(connection: Connection) -> list[int]:
    return [number for (number,) in connection.execute("SELECT id FROM batch ORDER BY id").fetchall()]


def test_batches_are_dropped_once_old_and_read_by_everybody(connection: Connection) -> None:
    hour = timedelta(hours=1)
    _write_log(connection, 9 * hour, 8 * hour, 7 * hour, 5 * hour)
    await_log(connection)
    cursors = [cursor for cursor, _ in log.read(connection, log.START, 10)]
    log.save_cursor(connection, "rules", cursors[1])
    for consumer in ("stream", "rollups", "consumption"):
        log.save_cursor(connection, consumer, cursors[3])
    connection.commit()
    assert maintenance.drop_batches(connection, NOW - maintenance.LOG_KEPT) == 2
    assert _kept(connection) == [3, 4]
    log.save_cursor(connection, "rules", cursors[3])
    connection.commit()
    assert maintenance.drop_batches(connection, NOW - maintenance.LOG_KEPT) == 1
    assert _kept(connection) == [4]


def test_nothing_is_dropped_before_rollups_and_consumption_have_begun_to_read(connection: Connection) -> None:
    _write_log(connection, timedelta(hours=9))
    await_log(connection)
    [(cursor, _)] = log.read(connection, log.START, 10)
    for consumer in ("rollups", "consumption"):
        assert maintenance.drop_batches(connection, NOW - maintenance.LOG_KEPT) == 0
        log.save_cursor(connection, consumer, cursor)
        connection.commit()
    assert maintenance.drop_batches(connection, NOW - maintenance.LOG_KEPT) == 1


@plain
def test_this_month_and_the_next_are_ready(connection: Connection) -> None:
    maintenance.run_once(connection, NOW)
    for table in maintenance.TELEMETRY:
        rows = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::text::regclass ORDER BY 1", (table,)
        ).fetchall()
        assert rows == [(f"{table}_202603",), (f"{table}_202604",)]


def test_nothing_is_dropped_unless_asked_for_and_then_by_whole_partitions(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(NOW - timedelta(days=days), 1.0) for days in (400, 200, 1)])
    assert maintenance.run_once(connection, NOW).swept.parts == 0
    assert maintenance.run_once(connection, NOW, retention_days=300).swept.parts == 1
    rows = connection.execute("SELECT observed_at FROM reading ORDER BY 1").fetchall()
    assert rows == [(NOW - timedelta(days=200),), (NOW - timedelta(days=1),)]


@plain
def test_months_that_another_maintenance_dropped_are_made_again(connection: Connection) -> None:
    series = make_series(connection)
    connection.execute("UPDATE series SET kind = 'counter'")
    old = NOW - timedelta(days=200)
    write(connection, series, [(old, 1.0), (old + timedelta(minutes=1), 2.0)])
    maintenance.run_once(connection, NOW)
    for table in ("reading_hourly", "reading_daily", "consumption_hourly", "consumption_daily"):
        connection.execute(f"DROP TABLE {table}_rollup_{old:%Y%m}".encode())
    connection.commit()
    write(connection, series, [(old + timedelta(minutes=2), 3.0)])
    report = maintenance.run_once(connection, NOW)
    assert (report.hours, report.consumption_hours) == (1, 1)


@plain
def test_the_program_rolls_up_what_is_written_while_it_runs(dsn: str, tmp_path: Path) -> None:
    stop = threading.Event()
    settings = Settings(dsn=dsn, home=tmp_path)
    program = threading.Thread(target=maintenance.run, args=(settings, stop))
    program.start()
    try:
        with connect(dsn, autocommit=True) as connection:
            write(connection, make_series(connection), [(NOW, 1.0)])
            done = threading.Event()
            for _ in range(100):
                if connection.execute("SELECT count(*) FROM reading_hourly").fetchone() == (1,):
                    break
                done.wait(0.1)
            assert connection.execute("SELECT count(*) FROM reading_hourly").fetchone() == (1,)
    finally:
        stop.set()
        program.join(timeout=5)
    assert not program.is_alive()


@plain
def test_the_program_waits_for_a_database_that_is_away_and_still_stops_at_once(dsn: str, tmp_path: Path) -> None:
    stop = threading.Event()
    settings = Settings(dsn=make_conninfo(dsn, port=1), home=tmp_path)
    program = threading.Thread(target=maintenance.run, args=(settings, stop))
    program.start()
    program.join(timeout=1)
    assert program.is_alive()
    stop.set()
    program.join(timeout=5)
    assert not program.is_alive()
