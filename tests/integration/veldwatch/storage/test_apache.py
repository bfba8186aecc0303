"""The steps for TimescaleDB's Apache edition run on a server that has more than that edition needs."""

from collections.abc import Generator
from datetime import timedelta

import pytest

from tests.integration.veldwatch.storage.telemetry import make_series, write
from tests.integration.veldwatch.storage.test_rollups import LONG_AGO
from veldwatch.storage import log, rollups
from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import Edition
from veldwatch.storage.migrate import migrations
from veldwatch.storage.retention_sweep import sweep

LAST_OF_STORAGE = 8
"""Later steps make schemas with fixed names, which the database of this test server has already."""


@pytest.fixture
def apache(connection: Connection) -> Generator[Connection]:
    """Give a connection whose tables are those of the Apache edition, in a schema of their own."""
    connection.execute("CREATE SCHEMA apache")
    connection.execute("SET search_path = apache, public")
    for step in migrations(Edition.APACHE):
        if step.number <= LAST_OF_STORAGE:
            connection.execute(step.statements.encode())
    connection.commit()
    yield connection
    connection.rollback()
    connection.execute("SET search_path = public")
    connection.execute("DROP SCHEMA apache CASCADE")
    connection.commit()


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_hypertables_are_made_and_the_log_keeps_the_rollups_up(apache: Connection) -> None:
    write(apache, make_series(apache), [(LONG_AGO, 1.0), (LONG_AGO + timedelta(minutes=1), 4.0)])
    assert rollups.roll_up(apache).hours == 1
    for view in ("reading_hourly", "reading_daily"):
        row = apache.execute(f"SELECT count, minimum, maximum, average, first, last FROM {view}".encode()).fetchone()
        assert row == (2, 1, 4, 2.5, 1, 4)
    row = apache.execute(
        "SELECT count(*), count(*) FILTER (WHERE compression_enabled) FROM timescaledb_information.hypertables"
        " WHERE hypertable_schema = 'apache'"
    ).fetchone()
    assert row == (6, 0)


@pytest.mark.parametrize("server_kind", ["timescaledb-community"], indirect=True)
def test_retention_drops_whole_chunks(apache: Connection) -> None:
    series = make_series(apache)
    write(apache, series, [(LONG_AGO, 1.0), (LONG_AGO + timedelta(days=300), 4.0)])
    assert rollups.roll_up(apache).hours == 2
    # The steps for registers come later than those that this schema has.
    log.save_cursor(apache, "consumption", log.read(apache, log.START, 10)[-1][0])
    assert sweep(apache, LONG_AGO + timedelta(days=400), 300).parts == 1
    assert apache.execute("SELECT value FROM reading").fetchall() == [(4.0,)]
