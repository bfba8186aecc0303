"""Rules and rollups see what is imported as at any data, whether they were there before or come after."""

from collections.abc import Generator
from pathlib import Path

import pytest

from ingest.imports import bulk
from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport
from ingest.imports.mapping import Mapping, ValueColumn
from tests.integration.ingest.imports.files import csv, meters, rows
from tests.integration.rules import test_real_series
from tests.integration.rules.feed import Engineer
from tests.integration.rules.test_real_series import LATER, LEAK, expected_runs, without_firing
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection
from veldwatch.storage.rollups import roll_up
from veldwatch.storage.rules import save_rule

DAIAD = Mapping(
    device_column="meter_id",
    time_column="local_time",
    time_zone="UTC",
    values=(ValueColumn(column="reading_litres", metric="reading_litres", unit="L"),),
)


@pytest.fixture
def engineer(dsn: str) -> Generator[Engineer]:
    made = Engineer(dsn)
    yield made
    made.close()


@pytest.mark.parametrize("rule_first", [True, False])
def test_runs_of_imported_meters_are_found_exactly(
    settings: Settings,
    connection: Connection,
    engineer: Engineer,
    samples: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    rule_first: bool,
) -> None:
    monkeypatch.setattr(bulk, "LOG_ROWS", 500)
    path = samples / "daiad-water-meters" / "4meters.csv"
    if rule_first:
        with connection.transaction():
            save_rule(connection, LEAK, "tests")
        engineer.settle(LATER)
    *_, report = FileImport(settings, path, "daiad", CsvReader(path, DAIAD)).run()
    different = test_real_series.meters(samples)
    assert (report.stored.readings, report.stored.quarantined) == (len(different), 1)
    if not rule_first:
        with connection.transaction():
            save_rule(connection, LEAK, "tests")
    engineer.settle(LATER)
    expected = expected_runs(samples)
    assert without_firing(engineer.final()) == expected
    assert len(expected) > 0


def test_rollups_hold_all_that_was_imported(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(5000), encoding="utf-8")
    csv(settings, path)
    while roll_up(connection).batches:
        pass
    assert rows(connection, "SELECT sum(count)::integer, min(minimum), max(maximum) FROM reading_hourly") == [
        (5000, 0.0, 4999 / 8)
    ]
