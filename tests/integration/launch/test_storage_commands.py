"""`veldwatch storage` on a real database."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from launch.commands.storage import app
from tests.integration.veldwatch.storage.telemetry import make_series, write
from veldwatch.storage import log, maintenance
from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import identify
from veldwatch.storage.log import LogBatch


@pytest.fixture(autouse=True)
def database(dsn: str, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    log.append(connection, LogBatch())
    maintenance.run_once(connection, datetime.now(UTC))
    connection.commit()


def test_the_status_names_server_tables_and_upkeep(connection: Connection) -> None:
    # TimescaleDB makes a part when something comes that belongs there.
    write(connection, make_series(connection), [(datetime.now(UTC), 1.0)])
    maintenance.run_once(connection, datetime.now(UTC))
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"{identify(connection)}: ")
    assert {"reading", "reading_hourly", "batch"} <= {line.split()[0] for line in result.output.splitlines() if line}
    assert "judge consumption" in result.output


def test_upkeep_that_is_late_is_an_exit_code(connection: Connection) -> None:
    log.append(connection, LogBatch())
    connection.execute("UPDATE batch SET committed_at = %s", (datetime.now(UTC) - timedelta(hours=1),))
    connection.commit()
    result = CliRunner().invoke(app, ["status", "--json"])
    assert result.exit_code == 1, result.output
    told = json.loads(result.output)
    late = {work["work"]: work["late_seconds"] for work in told["upkeep"]}
    assert min(late["roll up reading"], late["judge consumption"]) >= 3600
    assert told["bytes"] > 0
