"""What only TimescaleDB's community edition does: columnstore, policies, continuous aggregates."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection

pytestmark = pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)

OLD = datetime(2025, 1, 7, 9, tzinfo=UTC)
LAST = datetime(2026, 1, 7, 9, tzinfo=UTC)


def _run_jobs(connection: Connection, procedure: str) -> None:
    """Run the server's own jobs now: the test server has no background workers."""
    rows = connection.execute(
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = %s ORDER BY job_id", (procedure,)
    ).fetchall()
    connection.commit()
    connection.autocommit = True
    for (job,) in rows:
        connection.execute("CALL run_job(%s)", (job,))
    connection.autocommit = False


def test_the_server_compresses_and_refreshes_by_itself(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT proc_name, count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000 GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [("policy_compression", 3), ("policy_refresh_continuous_aggregate", 2)]


def test_a_late_reading_and_a_repeated_one_reach_a_compressed_chunk(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(OLD + timedelta(minutes=step), float(step)) for step in range(100)])
    _run_jobs(connection, "policy_compression")
    row = connection.execute("SELECT is_compressed FROM timescaledb_information.chunks").fetchone()
    assert row == (True,)
    write(connection, series, [(OLD + timedelta(seconds=30), -1.0)])
    cursor = connection.execute(
        "INSERT INTO reading_raw (observed_at, series_id, delay_seconds, value) VALUES (%s, %s, 0, 7)"
        " ON CONFLICT DO NOTHING",
        (OLD, series),
    )
    assert cursor.rowcount == 0
    row = connection.execute("SELECT count(*), min(value) FROM reading WHERE series_id = %s", (series,)).fetchone()
    assert row == (101, -1)


def test_hours_are_up_to_the_latest_reading_before_any_refresh(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(datetime.now(UTC) - timedelta(seconds=1), 5.0)])
    assert connection.execute("SELECT count, last FROM reading_hourly").fetchall() == [(1, 5)]
    assert connection.execute("SELECT count, last FROM reading_daily").fetchall() == [(1, 5)]


def test_the_policies_renew_the_bucket_of_a_late_reading(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(OLD, 5.0), (LAST, 1.0)])
    _run_jobs(connection, "policy_refresh_continuous_aggregate")
    write(connection, series, [(OLD + timedelta(minutes=1), 6.0)])
    _run_jobs(connection, "policy_refresh_continuous_aggregate")
    assert connection.execute("SELECT count, last FROM reading_hourly ORDER BY bucket").fetchall() == [(2, 6), (1, 1)]
    assert connection.execute("SELECT count, last FROM reading_daily ORDER BY bucket").fetchall() == [(2, 6), (1, 1)]


def test_rollups_outlive_the_raw_readings_that_retention_dropped(connection: Connection) -> None:
    series = make_series(connection)
    write(connection, series, [(OLD, 5.0), (OLD + timedelta(minutes=1), 6.0), (LAST, 1.0)])
    _run_jobs(connection, "policy_refresh_continuous_aggregate")
    assert maintenance.drop_telemetry(connection, datetime.now(UTC), datetime.now(UTC) - LAST + timedelta(days=9)) == 1
    write(connection, series, [(OLD + timedelta(minutes=2), 9.0)])
    _run_jobs(connection, "policy_refresh_continuous_aggregate")
    assert connection.execute("SELECT count, last FROM reading_hourly ORDER BY bucket").fetchall() == [(2, 6), (1, 1)]
