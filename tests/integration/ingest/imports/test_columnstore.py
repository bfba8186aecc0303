"""On TimescaleDB a file may tell of arrivals that were compressed long ago."""

from collections.abc import Generator
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from ingest.imports.mapping import Mapping, ValueColumn
from tests.conftest import database_of
from tests.integration.ingest.imports.files import csv, rows
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection

SETTING = "timescaledb.max_tuples_decompressed_per_dml_transaction"


@pytest.fixture
def dsn(request: pytest.FixtureRequest) -> Generator[str]:
    with database_of("timescaledb-community", request) as address:
        yield address


def _file(path: Path, metric: str) -> Path:
    lines = [f"m{number % 40},2026-01-05T{number // 40:02}:00:00Z,{number}\n" for number in range(400)]
    path.write_text(f"meter,time,{metric}\n" + "".join(lines), encoding="utf-8")
    return path


def _mapping(metric: str) -> Mapping:
    return Mapping(
        device_column="meter",
        time_column="time",
        received_column="time",
        values=(ValueColumn(column=metric, metric=metric, unit=""),),
    )


def test_a_second_metric_of_arrivals_that_are_compressed(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    csv(settings, _file(tmp_path / "volume.csv", "volume"), _mapping("volume"))
    connection.execute("SELECT compress_chunk(c) FROM show_chunks('contact') c")
    connection.commit()
    # As if there were thousands of rows to be opened for each.
    low = settings.model_copy(update={"dsn": make_conninfo(settings.dsn, options=f"-c {SETTING}=10")})
    report = csv(low, _file(tmp_path / "pressure.csv", "pressure"), _mapping("pressure"))
    assert (report.stored.readings, report.stored.quarantined) == (400, 0)
    assert rows(connection, "SELECT count(*), min(messages), max(messages) FROM contact") == [(400, 2, 2)]
