"""A Parquet file with a mapping of its columns; positions count rows.

Times may be timestamps of any unit, with or without a zone, dates, text, or whole numbers since 1970 whose unit
(seconds to nanoseconds) their size tells.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from ingest.imports.cells import Block, Column, Texts
from ingest.imports.job import State, Step
from ingest.imports.mapping import EXPORTED, Mapping
from ingest.imports.table import TableReader
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection
from veldwatch.wire.times import FIRST_MICROSECONDS, FIRST_MILLISECONDS, FIRST_NANOSECONDS

BLOCK_ROWS = 100_000

_arrow, _compute = cast("Any", pyarrow), cast("Any", pyarrow.compute)
_parquet = cast("Any", pyarrow.parquet)
_TEXTS = (
    _arrow.types.is_string, _arrow.types.is_large_string, _arrow.types.is_string_view,
    _arrow.types.is_binary, _arrow.types.is_large_binary, _arrow.types.is_fixed_size_binary,
)  # fmt: skip


class ParquetReader:
    """Reads a table of readings.

    Args:
        mapping: None: the columns are those that an export of ours has.

    Raises:
        ConfigurationInvalid: no such file, columns are missing, or the mapping says too little.
    """

    format = "parquet"

    def __init__(self, path: Path, mapping: Mapping | None = None) -> None:
        self._path, self._mapping = path, mapping or EXPORTED
        self._table = TableReader(self._mapping)
        try:
            self._file = _parquet.ParquetFile(path, pre_buffer=False)
        except (OSError, ValueError) as error:
            raise ConfigurationInvalid(f"bad file: {str(path)!r} ({error})") from error
        present = self._file.schema_arrow.names
        missing = [column for column in self._mapping.columns() if column not in present]
        if missing:
            self.close()
            raise ConfigurationInvalid(
                f"bad column: {', '.join(map(repr, missing))} (the file has {', '.join(present)})"
            )
        nested = [name for name in self._mapping.columns() if _is_nested(self._file.schema_arrow.field(name).type)]
        if nested:
            self.close()
            raise ConfigurationInvalid(
                f"bad column: {', '.join(map(repr, nested))} (lists or structures; expected text, numbers or times)"
            )
        self._position = 0
        self._digest = b""

    @property
    def mapping(self) -> dict[str, object]:
        """Give the mapping."""
        return self._mapping.document()

    def go_on_behind(self, position: int, digest: bytes, state: State) -> bool:
        """Take up an earlier run; the whole file must be what it was."""
        if self._whole_digest() != digest:
            return False
        self._position = position
        self._table = TableReader(self._mapping, state)
        return True

    def steps(self) -> Iterator[Step]:
        """Read on."""
        rows, digest = max(self._file.metadata.num_rows, 1), self._whole_digest()
        position = self._position
        for first, batch in self._batches():
            skipped = max(0, self._position - first)
            if skipped >= batch.num_rows:
                continue
            block = self._block(batch.slice(skipped), first + skipped)
            position = first + batch.num_rows
            found = self._table.read(block, datetime.now(UTC))
            yield Step(found, position, digest, self._table.state(), position / rows)

    def finish(self, connection: Connection, organisation: str) -> None:
        """Add nothing."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _batches(self) -> Iterator[tuple[int, Any]]:
        """Give the record batches of the row groups that are not behind us, each with the number of its first row."""
        first = 0
        for group in range(self._file.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            if first + rows > self._position:
                within = first
                for batch in self._file.iter_batches(BLOCK_ROWS, row_groups=[group], columns=self._mapping.columns()):
                    yield within, batch
                    within += batch.num_rows
            first += rows

    def _block(self, batch: Any, first: int) -> Block:  # noqa: ANN401  # Arrow's own class
        times = {self._mapping.time_column, self._mapping.received_column}
        columns: dict[str, Column] = {}
        for name in self._mapping.columns():
            column = _plain(batch.column(batch.schema.get_field_index(name)))
            columns[name] = _time(column) if name in times else column
        words = {self._mapping.device_column, self._mapping.metric_column, self._mapping.unit_column}
        for name in (words | {self._mapping.quality_column}) - {""}:
            columns[name] = _text(columns[name])
        lines = np.arange(first + 1, first + 1 + int(batch.num_rows), dtype=np.int64)
        return Block(columns, lines, Texts(None, columns), [])

    def _whole_digest(self) -> bytes:
        if not self._digest:
            with self._path.open("rb") as raw:
                self._digest = hashlib.file_digest(raw, "sha256").digest()
        return self._digest


def _plain(column: Column) -> Column:
    """Take a column out of its encodings: text for text, doubles for numbers."""
    kind = column.type
    if _arrow.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if any(is_kind(kind) for is_kind in _TEXTS):
        return _utf8(column)
    if _arrow.types.is_decimal(kind):
        return column.cast(_arrow.float64(), safe=False)
    if _arrow.types.is_boolean(kind):
        return _text(column)
    return column


def _is_nested(kind: Any) -> bool:  # noqa: ANN401  # Arrow's own class
    return _arrow.types.is_nested(kind.value_type if _arrow.types.is_dictionary(kind) else kind)


def _utf8(column: Column) -> Column:
    """Read bytes as text; what is no UTF-8 is replaced in its own rows, as in a file of text."""
    try:
        text = column.cast(_arrow.string())
        text.validate(full=True)
    except _arrow.ArrowInvalid:
        cells: list[bytes | None] = column.cast(_arrow.large_binary()).to_pylist()
        text = _arrow.array([None if cell is None else cell.decode("utf-8", "replace") for cell in cells])
    return _compute.fill_null(text.cast(_arrow.string()), "")


def _text(column: Column) -> Column:
    if _arrow.types.is_string(column.type):
        return column
    return _compute.fill_null(column.cast(_arrow.string()), "")


def _time(column: Column) -> Column:
    """Make timestamps of microseconds, or leave text to be read."""
    kind = column.type
    if _arrow.types.is_timestamp(kind):
        return column.cast(_arrow.timestamp("us", kind.tz), safe=False)
    if _arrow.types.is_date(kind):
        return column.cast(_arrow.timestamp("us"))
    if _arrow.types.is_integer(kind):
        return _since_1970(column)
    return _text(column)


def _since_1970(column: Column) -> Column:
    said = column.is_valid().to_numpy(zero_copy_only=False)
    values = _compute.fill_null(column.cast(_arrow.int64(), safe=False), 0).to_numpy(zero_copy_only=False)
    size = np.abs(values)
    micros = np.select(
        [size < FIRST_MILLISECONDS, size < FIRST_MICROSECONDS, size < FIRST_NANOSECONDS],
        [values * 1_000_000, values * 1000, values],
        values // 1000,
    )
    return _arrow.array(micros, _arrow.timestamp("us", "UTC"), mask=~said)
