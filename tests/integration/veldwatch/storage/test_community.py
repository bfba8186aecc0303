"""What only TimescaleDB's community edition does: columnstore and its policies."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.storage.connection import Connection

pytestmark = pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)

OLD = datetime(2025, 1, 7, 9, tzinfo=UTC)


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


def test_the_server_compresses_by_itself(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT proc_name, count(*) FROM timescaledb_information.jobs WHERE job_id >= 1000 GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert rows == [("policy_compression", 5)]


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
