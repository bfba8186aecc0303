"""A CSV file of readings to committed rows and rollups; and a bare binary COPY of the same rows into the same table.

The bare COPY gets the rows as arrays, sorted in the same blocks, and neither checks nor logs: it is what the database
takes at most. Each has a fresh database on one server, one after the other.
"""

import os
import resource
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import cpu_seconds, processor
from benchmarks.result import Result
from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport
from ingest.imports.mapping import Mapping, ValueColumn
from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.config import load_settings
from veldwatch.storage import partitions
from veldwatch.storage.connection import connect
from veldwatch.storage.intake import copy_readings, count_rows
from veldwatch.storage.log import READINGS
from veldwatch.storage.migrate import migrate
from veldwatch.storage.rollups import count_rolled_up, roll_up

_FIRST = np.datetime64("2026-01-01T00:00:00", "us")
_INTERVAL = np.timedelta64(15 * 60, "s")
_BLOCK = 100_000
_MAPPING = Mapping(
    device_column="meter", time_column="time", values=(ValueColumn(column="volume", metric="total_volume", unit="m3"),)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesResult(Result):
    """What was measured, and where.

    Attributes:
        rollup_seconds: from the import's end until the rollups hold all of it.
        import_cpu_seconds, database_cpu_seconds: processor time of the import; of the database meanwhile.
    """

    readings_per_second: float
    copy_readings_per_second: float
    share_of_copy: float
    seconds: float
    rows: int
    readings_stored: int
    quarantined: int
    file_bytes: int
    rollup_seconds: float
    readings_in_rollups: int
    import_cpu_seconds: float
    database_cpu_seconds: float
    peak_memory_megabytes: int
    devices: int
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every row is stored, and in the rollups."""
        return self.readings_stored == self.readings_in_rollups == self.rows


def measure_files(*, rows: int = 2_000_000, devices: int = 1000) -> FilesResult:
    """Measure on services of its own, in a folder that is gone afterwards; call it from the main thread."""
    with _server() as (postgres, folder):
        path = folder / "meters.csv"
        _write(path, rows, devices)
        copied = _bare(postgres, rows, devices)
        postgres.create_database("files")
        dsn = postgres.dsn("files")
        with connect(dsn) as connection:
            database = str(migrate(connection).server)
        before = cpu_seconds(os.getpid()), cpu_seconds(postgres.pid)
        seconds = _import(dsn, path)
        spent = cpu_seconds(os.getpid()) - before[0], cpu_seconds(postgres.pid) - before[1]
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        rolled, in_rollups = _roll_up(dsn)
        with connect(dsn) as connection:
            stored, quarantined = count_rows(connection)
        size = path.stat().st_size
    return FilesResult(
        readings_per_second=round(rows / seconds),
        copy_readings_per_second=round(rows / copied),
        share_of_copy=round(copied / seconds, 3),
        seconds=round(seconds, 2),
        rows=rows,
        readings_stored=stored,
        quarantined=quarantined,
        file_bytes=size,
        rollup_seconds=round(rolled, 1),
        readings_in_rollups=in_rollups,
        import_cpu_seconds=round(spent[0], 1),
        database_cpu_seconds=round(spent[1], 1),
        peak_memory_megabytes=memory,
        devices=devices,
        database=database,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


@contextmanager
def _server() -> Generator[tuple[EmbeddedPostgres, Path]]:
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres = EmbeddedPostgres(home)
        try:
            postgres.start()
            yield postgres, home
        finally:
            postgres.stop()


def _import(dsn: str, path: Path) -> float:
    started = time.perf_counter()
    for _ in FileImport(load_settings(dsn=dsn), path, "bench", CsvReader(path, _MAPPING)).run():
        pass
    return time.perf_counter() - started


def _bare(postgres: EmbeddedPostgres, rows: int, devices: int) -> float:
    """Copy the same rows, in one transaction."""
    postgres.create_database("bare")
    readings = _readings(rows, devices)
    with connect(postgres.dsn("bare")) as connection:
        migrate(connection)
        partitions.ensure_for(connection, "reading_raw", readings["observed_at"])
        started = time.perf_counter()
        with connection.transaction():
            for first in range(0, rows, _BLOCK):
                block = readings[first : first + _BLOCK]
                copy_readings(connection, block[np.lexsort((block["observed_at"], block["series_id"]))])
        return time.perf_counter() - started


def _roll_up(dsn: str) -> tuple[float, int]:
    with connect(dsn) as connection:
        started = time.perf_counter()
        while roll_up(connection).batches:
            pass
        return time.perf_counter() - started, count_rolled_up(connection)


def _readings(rows: int, devices: int) -> npt.NDArray[Any]:
    number = np.arange(rows)
    readings = np.empty(rows, READINGS)
    readings["series_id"] = number % devices + 1
    readings["observed_at"] = (_FIRST + _INTERVAL * (number // devices)).astype(np.int64)
    readings["received_at"] = np.datetime64("now", "us").astype(np.int64)
    readings["value"] = _values(number)
    readings["quality"] = 0
    return readings


def _values(number: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.round(1000 + number / 1000, 3)


def _write(path: Path, rows: int, devices: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("meter,time,volume\n")
        for first in range(0, rows, _BLOCK):
            number = np.arange(first, min(first + _BLOCK, rows))
            moments = np.datetime_as_string(_FIRST + _INTERVAL * (number // devices), unit="s").tolist()
            lines = zip((number % devices).tolist(), moments, _values(number).tolist(), strict=True)
            file.write("".join(f"meter-{meter:05},{moment}Z,{value}\n" for meter, moment, value in lines))
