"""A CSV file with a mapping of its columns."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from ingest.imports.cells import CsvCells, require
from ingest.imports.job import State, Step
from ingest.imports.mapping import EXPORTED, Mapping
from ingest.imports.table import TableReader
from veldwatch.storage.connection import Connection


class CsvReader:
    """Reads a table of readings.

    Args:
        mapping: None: the columns are those that an export of ours has.

    Raises:
        ConfigurationInvalid: no such file, columns are missing, or the mapping says too little.
    """

    format = "csv"

    def __init__(self, path: Path, mapping: Mapping | None = None, delimiter: str = ",") -> None:
        self._mapping = mapping or EXPORTED
        self._delimiter = delimiter
        self._table = TableReader(self._mapping)
        self._cells = CsvCells(path, delimiter)
        require(self._cells, self._mapping.columns())

    @property
    def mapping(self) -> dict[str, object]:
        """Give the mapping and the delimiter."""
        return self._mapping.document() | {"delimiter": self._delimiter}

    def go_on_behind(self, position: int, digest: bytes, state: State) -> bool:
        """Take up an earlier run."""
        if self._cells.text.go_on_behind(position, digest):
            self._table = TableReader(self._mapping, state)
            return True
        self._cells.again()
        return False

    def steps(self) -> Iterator[Step]:
        """Read on."""
        text = self._cells.text
        for block in self._cells.blocks(self._mapping.columns()):
            found = self._table.read(block, datetime.now(UTC))
            share = text.read_bytes / max(text.size, 1)
            yield Step(found, text.position, text.digest(), self._table.state(), share)

    def finish(self, connection: Connection, organisation: str) -> None:
        """Add nothing."""

    def close(self) -> None:
        """Close the file."""
        self._cells.text.close()
