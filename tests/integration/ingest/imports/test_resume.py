"""An import that is stopped, at whatever moment, goes on where it was; one that is repeated changes nothing."""

import gzip
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.imports import blocks, bulk
from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport
from tests.integration.ingest.imports.files import METERS, csv, meters, rows
from veldwatch.config import Settings
from veldwatch.errors import Conflict
from veldwatch.storage import log
from veldwatch.storage.connection import Connection

HEADER = "meter,time,volume\n"
SMALL_BLOCKS = (
    "import sys; from ingest.imports import blocks; blocks.BLOCK_BYTES = 4000; from launch.cli import main; main()"
)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4000)
    monkeypatch.setattr(blocks, "_HEADER_BYTES", 1000)


def test_after_kill_9_the_same_command_goes_on(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(20_000), encoding="utf-8")
    words = ["import", "csv", str(path), "--device-column", "meter", "--time-column", "time", "--value", "volume=v:m3"]
    command = [sys.executable, "-c", SMALL_BLOCKS, *words, "--organisation", "water"]
    environment = {**os.environ, "VELDWATCH_DSN": settings.dsn, "VELDWATCH_HOME": str(tmp_path)}
    behind: list[int] = []
    for _ in range(2):
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
            until = time.monotonic() + 60
            reached = [(0,)]
            while time.monotonic() < until and process.poll() is None and reached[0][0] <= sum(behind):
                reached = rows(connection, "SELECT coalesce(max(rows), 0) FROM file_import")
            process.send_signal(signal.SIGKILL)
        while rows(connection, "SELECT pid FROM pg_stat_activity WHERE application_name = 'veldwatch-import'"):
            time.sleep(0.02)  # the server may still commit what it had been told to
        ((reached_now,),) = rows(connection, "SELECT rows FROM file_import")
        behind.append(reached_now)
        assert rows(connection, "SELECT count(*) FROM reading") == [(reached_now,)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"going on behind {behind[-1]} rows" in done.stderr
    assert done.stdout.startswith(f"{20_000 - behind[-1]} rows: {20_000 - behind[-1]} new readings")
    assert rows(connection, "SELECT count(*), count(DISTINCT value) FROM reading") == [(20_000, 20_000)]
    assert rows(connection, "SELECT rows, readings, finished_at IS NOT NULL FROM file_import") == [
        (20_000, 20_000, True)
    ]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("compressed", [False, True])
def test_what_was_read_is_not_read_again(
    settings: Settings, connection: Connection, tmp_path: Path, *, compressed: bool
) -> None:
    content = (HEADER + meters(1000) + "m9,yesterday,1\n").encode()
    path = tmp_path / ("meters.csv.gz" if compressed else "meters.csv")
    path.write_bytes(gzip.compress(content) if compressed else content)
    running = FileImport(settings, path, "water", CsvReader(path, METERS)).run()
    for report in running:
        if report.rows:
            break
    running.close()  # type: ignore[attr-defined]
    ((before,),) = rows(connection, "SELECT count(*) FROM reading")
    assert 0 < before < 1000
    report = csv(settings, path)
    assert (report.behind, report.rows, report.stored.readings) == (before, 1001 - before, 1000 - before)
    again = csv(settings, path)
    assert (again.behind, again.rows, again.stored.readings, again.changed) == (1001, 0, 0, False)
    anew = csv(settings, path, restart=True)
    assert (anew.behind, anew.rows, anew.stored.readings, anew.stored.quarantined) == (0, 1001, 0, 1)
    assert rows(connection, "SELECT count(*) FROM reading") == [(1000,)]
    assert rows(connection, "SELECT count(*), max(count) FROM quarantine") == [(1, 2)]


@pytest.mark.usefixtures("small_blocks")
def test_of_a_file_that_has_grown_only_what_is_new_is_read(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(300), encoding="utf-8")
    csv(settings, path)
    with path.open("a", encoding="utf-8") as more:
        more.write(meters(40, first=300))
    report = csv(settings, path)
    assert (report.behind, report.rows, report.stored.readings, report.changed) == (300, 40, 40, False)


def test_a_last_line_that_was_still_being_written_is_read_again(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "meters.csv"
    lines = HEADER + "m1,2026-11-01T00:00:00Z,1\nm1,2026-11-01T01:00:00Z,12"
    path.write_text(lines, encoding="utf-8")
    assert csv(settings, path).stored.readings == 2
    again = csv(settings, path)
    assert (again.rows, again.stored.readings, again.stored.quarantined, again.changed) == (1, 0, 0, False)
    path.write_text(f"{lines}34.5\nm1,2026-11-01T02:00:00Z,1240\n", encoding="utf-8")
    grown = csv(settings, path)
    assert (grown.rows, grown.stored.readings, grown.stored.quarantined) == (2, 1, 1)
    assert rows(connection, "SELECT reason, convert_from(payload, 'UTF8') LIKE '%,1234.5' FROM quarantine") == [
        ("conflicting_duplicate", True)
    ]


@pytest.mark.usefixtures("small_blocks")
def test_a_changed_file_is_noticed_and_read_from_its_beginning(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(300), encoding="utf-8")
    csv(settings, path)
    path.write_text(HEADER + meters(1, first=5000) + meters(299, first=1), encoding="utf-8")
    report = csv(settings, path)
    assert (report.changed, report.behind, report.rows, report.stored.readings) == (True, 0, 300, 1)
    assert rows(connection, "SELECT count(*) FROM reading") == [(301,)]


def test_another_mapping_of_the_same_file_is_another_import(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume,flow\nm1,2026-01-01T00:00:00Z,1,2\n", encoding="utf-8")
    csv(settings, path)
    report = csv(settings, path, METERS.__class__(time_column="time", device="other", values=METERS.values))
    assert (report.behind, report.stored.readings) == (0, 1)


@pytest.mark.usefixtures("small_blocks")
def test_two_imports_of_one_file_at_once_do_not_both_count(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(1000), encoding="utf-8")
    first = FileImport(settings, path, "water", CsvReader(path, METERS)).run()
    next(first)
    csv(settings, path)
    with pytest.raises(Conflict, match="another process"):
        list(first)


def test_the_log_stays_in_small_rows_and_holds_all(
    settings: Settings, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "LOG_ROWS", 700)
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(5000), encoding="utf-8")
    csv(settings, path)
    batches = [batch for _, batch in log.read(connection, log.START, 100)]
    sizes = [len(batch.readings) for batch in batches]
    assert (sum(sizes), max(sizes)) == (5000, 700)


def test_a_row_that_the_database_refuses_is_quarantined_alone(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    connection.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF value_of(NEW.divisor, NEW.scaled, NEW.value) = 7 THEN"
        " RAISE 'seven' USING ERRCODE = '22023'; END IF; RETURN NEW; END $$"
    )
    connection.execute("CREATE TRIGGER refuse BEFORE INSERT ON reading_raw FOR EACH ROW EXECUTE FUNCTION refuse()")
    connection.commit()
    path = tmp_path / "meters.csv"
    path.write_text(HEADER + meters(100), encoding="utf-8")
    report = csv(settings, path)
    assert report.stored.quarantined == 1
    assert rows(connection, "SELECT count(*), count(*) FILTER (WHERE value = 7) FROM reading") == [(99, 0)]
    assert rows(connection, "SELECT reason, topic FROM quarantine") == [("storage_rejected", "file/meters.csv#58")]
    connection.execute("DROP FUNCTION refuse() CASCADE")
    connection.commit()
