"""What tests of imports do over and over."""

from pathlib import Path
from typing import Any

from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport, ImportReport, Reader
from ingest.imports.mapping import Mapping, ValueColumn
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection

METERS = Mapping(
    device_column="meter", time_column="time", values=(ValueColumn(column="volume", metric="volume", unit="m3"),)
)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    """Ask, and leave no transaction open."""
    found = connection.execute(query.encode()).fetchall()
    connection.rollback()
    return found


def run(settings: Settings, path: Path, reader: Reader, *, restart: bool = False) -> ImportReport:
    """Import to the end."""
    *_, report = FileImport(settings, path, "water", reader, restart=restart).run()
    return report


def csv(settings: Settings, path: Path, mapping: Mapping = METERS, *, restart: bool = False) -> ImportReport:
    """Import a CSV file."""
    return run(settings, path, CsvReader(path, mapping), restart=restart)


def meters(count: int, *, first: int = 0) -> str:
    """Write some rows of four meters, without a header."""
    return "".join(
        f"m{number % 4},2026-01-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z,{number / 8}\n"
        for number in range(first, first + count)
    )
