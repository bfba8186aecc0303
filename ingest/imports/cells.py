"""A block of a file as columns of text, each row with its line and its bytes; rows that are no rows are told apart."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.csv

from ingest.imports.blocks import Stretch, TextFile
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.reasons import Reason

_arrow, _csv = cast("Any", pyarrow), cast("Any", pyarrow.csv)

Column = Any
"""A `pyarrow.Array` of strings without null."""


class Refused(NamedTuple):
    """A line, or a part of it, that cannot be stored."""

    line: int
    text: bytes
    reason: Reason
    detail: str


class Block(NamedTuple):
    """Some rows of a file.

    Attributes:
        columns: by name; only those that were asked for.
        lines: the line, or the number from 1, of each row.
        texts: gives a row's own bytes, for quarantine.
        refused: lines that have another number of cells than the header.
    """

    columns: dict[str, Column]
    lines: npt.NDArray[np.int64]
    texts: "Texts"
    refused: list[Refused]

    def __len__(self) -> int:
        return len(self.lines)


class Texts(NamedTuple):
    """What rows were read from: records of a text file, or, where there is none, their cells."""

    stretch: Stretch | None
    columns: dict[str, Column]

    def of(self, row: int) -> bytes:
        """Give one row as it was read."""
        if self.stretch is not None:
            return self.stretch.record(row)
        return ",".join(str(column[row].as_py()) for column in self.columns.values()).encode(errors="replace")


class CsvCells:
    """Reads a CSV file.

    Args:
        wanted: names of the columns that are read.

    Raises:
        ConfigurationInvalid: no such file.
    """

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self._path, self._delimiter = path, delimiter
        self.text = TextFile(path, delimiter)
        self.names = _unique(_split(self.text.header.decode(errors="replace"), delimiter) or [])

    def again(self) -> None:
        """Begin anew at the first row."""
        self.text.close()
        self.text = TextFile(self._path, self._delimiter)

    def blocks(self, wanted: Sequence[str]) -> Iterator[Block]:
        """Give the rows from where the text stands."""
        for stretch in self.text.stretches():
            yield self._block(stretch, wanted)

    def _block(self, stretch: Stretch, wanted: Sequence[str]) -> Block:
        refused = [
            Refused(int(stretch.lines[place]), stretch.record(place), Reason.MALFORMED_PAYLOAD, "a quote is not closed")
            for place in np.flatnonzero(stretch.unclosed).tolist()
        ]
        if refused:
            stretch = stretch.without(~stretch.unclosed)
        try:
            columns, stretch, ragged = self._parsed(stretch, wanted)
        except _NotAsCut:
            columns, stretch, ragged = self._read_one_by_one(stretch, wanted)
        return Block(columns, stretch.lines, Texts(stretch, {}), sorted(refused + ragged))

    def _parsed(self, stretch: Stretch, wanted: Sequence[str]) -> tuple[dict[str, Column], Stretch, list[Refused]]:
        """Let Arrow read the records; it must find the ones that they were cut into.

        Raises:
            _NotAsCut: it reads others, or cannot.
        """
        if not len(stretch.starts):
            return _empty(wanted), stretch, []
        ragged: dict[int, int] = {}

        def skip(row: Any) -> str:  # noqa: ANN401  # Arrow's own class
            ragged[row.number - 1] = row.actual_columns
            return "skip"

        try:
            table = self._read(stretch.content, wanted, skip)
        except _arrow.ArrowInvalid as error:
            raise _NotAsCut from error
        if table.num_rows + len(ragged) != len(stretch.starts):
            raise _NotAsCut
        columns = {name: table.column(place).combine_chunks() for place, name in enumerate(wanted)}
        if not ragged:
            return columns, stretch, []
        refused = [self._ragged(stretch, place, count) for place, count in ragged.items()]
        kept = np.ones(len(stretch.starts), dtype=bool)
        kept[list(ragged)] = False
        return columns, stretch.without(kept), refused

    def _read(self, content: bytes, wanted: Sequence[str], skip: Any) -> Any:  # noqa: ANN401  # Arrow's own classes
        positions = [f"{self.names.index(name)}" for name in wanted]
        return _csv.read_csv(
            _arrow.BufferReader(content),
            read_options=_csv.ReadOptions(
                column_names=[f"{place}" for place in range(len(self.names))],
                use_threads=False,
                block_size=len(content) + 1,
            ),
            parse_options=_csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=_csv.ConvertOptions(
                column_types=dict.fromkeys(positions, _arrow.string()),
                include_columns=positions,
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )

    def _read_one_by_one(
        self, stretch: Stretch, wanted: Sequence[str]
    ) -> tuple[dict[str, Column], Stretch, list[Refused]]:
        """Read each record by itself: bytes that are not UTF-8, a carriage return within a line, a torn quote."""
        positions = [self.names.index(name) for name in wanted]
        found: list[list[str]] = [[] for _ in wanted]
        refused: list[Refused] = []
        kept = np.zeros(len(stretch.starts), dtype=bool)
        for place in range(len(stretch.starts)):
            cells = _split(stretch.record(place).decode(errors="replace"), self._delimiter)
            if cells is None or len(cells) != len(self.names):
                refused.append(self._ragged(stretch, place, len(cells or "")))
                continue
            kept[place] = True
            for column, position in zip(found, positions, strict=True):
                column.append(cells[position])
        columns = {name: _arrow.array(cells, _arrow.string()) for name, cells in zip(wanted, found, strict=True)}
        return columns, stretch.without(kept), refused

    def _ragged(self, stretch: Stretch, place: int, count: int) -> Refused:
        detail = f"{count} cells (expected {len(self.names)}, as the header has)"
        return Refused(int(stretch.lines[place]), stretch.record(place), Reason.MALFORMED_PAYLOAD, detail)


def require(cells: CsvCells, wanted: Sequence[str]) -> None:
    """Refuse, and close, a file that lacks columns.

    Raises:
        ConfigurationInvalid: names those that are missing, and those that are there.
    """
    missing = [column for column in wanted if column not in cells.names]
    if missing:
        cells.text.close()
        raise ConfigurationInvalid(
            f"bad column: {', '.join(map(repr, missing))} (the file has {', '.join(cells.names) or 'no header'})"
        )


class _NotAsCut(Exception):
    """Arrow reads other records than the ones that the text was cut into."""


def _split(text: str, delimiter: str) -> list[str] | None:
    """Read one record; None: it cannot be one."""
    try:
        rows = list(csv.reader([text], delimiter=delimiter))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _unique(names: Sequence[str]) -> list[str]:
    """Number the repeated names of a header as pandas does: `value`, `value.1`."""
    found: list[str] = []
    for name in names:
        unique, number = name, 0
        while unique in found:
            number += 1
            unique = f"{name}.{number}"
        found.append(unique)
    return found


def _empty(wanted: Sequence[str]) -> dict[str, Column]:
    return {name: _arrow.array([], _arrow.string()) for name in wanted}
