"""A text file's bytes, cut into blocks of whole records, however large the file and wherever reading begins.

A record ends at a line break outside quotes. A quote opens a quoted cell only at the cell's beginning (RFC 4180; as
Arrow, pandas and Python's csv read it); anywhere else it is a character like any other. A quote that is never closed
costs its own line only. Positions count bytes of the text, which for a compressed file is what was compressed.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow

from veldwatch.errors import ConfigurationInvalid

BLOCK_BYTES = 4 * 2**20
"""Some 100,000 rows of four columns: one transaction, and about 40 MB of memory."""

LONGEST_RECORD = 2**20
"""Bytes: a quoted cell that is longer was not meant as one."""

_HEADER_BYTES = 2**16
_LONGEST_LINE = 4 * BLOCK_BYTES

_ENDINGS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".lz4": "lz4"}
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
_BOM = b"\xef\xbb\xbf"
_arrow = cast("Any", pyarrow)

Offsets = npt.NDArray[np.int64]


class Stretch(NamedTuple):
    """Some whole records.

    Attributes:
        content: the bytes, from the first record's first to the last one's line break.
        starts, ends: of each record in `content`; blank lines are none, line breaks are not counted in.
        lines: the line of the file that each record begins on, from 1.
        unclosed: which of them has a quote that is never closed; such a record is one line.
    """

    content: bytes
    starts: Offsets
    ends: Offsets
    lines: Offsets
    unclosed: npt.NDArray[np.bool_]

    def record(self, place: int) -> bytes:
        """Give one record as it was read."""
        return self.content[self.starts[place] : self.ends[place]]

    def without(self, kept: npt.NDArray[np.bool_]) -> "Stretch":
        """Leave records out; what is kept stays as it was read."""
        places = np.flatnonzero(kept)
        parts = [self.record(place) for place in places.tolist()]
        sizes = np.array([len(part) + 1 for part in parts], dtype=np.int64)
        ends = np.cumsum(sizes) - 1
        content = b"".join(part + b"\n" for part in parts)
        return Stretch(content, ends - sizes + 1, ends, self.lines[kept], self.unclosed[kept])


class TextFile:
    """Reads a file of lines, plain or compressed (by its ending), from the beginning from its beginning.

    Raises:
        ConfigurationInvalid: no such file, or not text.
    """

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        if not path.is_file():
            raise ConfigurationInvalid(f"bad file: {str(path)!r} (no such file)")
        self._path = path
        self._delimiter = ord(delimiter)
        self._raw: IO[bytes] = path.open("rb")
        self._text = _plain(self._raw, path)
        self._digest = hashlib.sha256()
        self._pending = b""
        self._line = 1
        self._returns = False
        self.position = 0
        """Bytes of text that were given out."""
        try:
            self.header = self._first()
        except ConfigurationInvalid:
            self._raw.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    @property
    def size(self) -> int:
        """Give the file's size in bytes as it lies there, for the share that is done."""
        return self._path.stat().st_size

    @property
    def read_bytes(self) -> int:
        """Give how many of those bytes were read."""
        return self._raw.tell()

    def digest(self) -> bytes:
        """Give the SHA-256 of the text up to `position`."""
        return self._digest.copy().digest()

    def go_on_behind(self, position: int, digest: bytes) -> bool:
        """Pass over what an earlier run read.

        Returns:
            False: the text before that position is not what it was; then this object is of no more use.
        """
        return self._advance(position) and self.digest() == digest

    def stretches(self) -> Iterator[Stretch]:
        """Give the records behind `position`, some at a time; `position` and `digest` then stand behind them.

        They stand before a last record that no line break ends: it is given, and again when reading goes on.
        """
        while True:
            fresh = self._read(BLOCK_BYTES)
            content = self._pending + fresh
            if not content:
                return
            end, stretch = self._cut(content, last=not fresh)
            self._pending = content[end:]
            if len(self._pending) > _LONGEST_LINE:
                raise ConfigurationInvalid(
                    f"bad file: {str(self._path)!r} (no line break within {_LONGEST_LINE} bytes)"
                )
            # A last line without a line break may be one that is still being written: the next run reads it again.
            open_end = not fresh and len(stretch.ends) > 0 and not content.endswith(b"\n")
            self._passed(content[: int(stretch.starts[-1]) if open_end else end])
            if len(stretch.starts):
                yield stretch
            if not fresh:
                return

    def _first(self) -> bytes:
        """Take the header: the first line that is not blank."""
        beginning = self._read(_HEADER_BYTES)
        if b"\n" not in beginning:
            beginning += self._read(2 * LONGEST_RECORD)
        if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise ConfigurationInvalid(f"bad file: {str(self._path)!r} is UTF-16 (save it as UTF-8)")
        self._returns = b"\n" not in beginning and b"\r" in beginning
        if self._returns:
            beginning = beginning.replace(b"\r", b"\n")
        bom = len(_BOM) if beginning.startswith(_BOM) else 0
        self._passed(beginning[:bom])
        rest = beginning[bom:]
        _, stretch = self._cut(rest, last=True)
        if not len(stretch.starts):
            self._passed(rest)
            return b""
        end = int(stretch.ends[0])
        behind = len(rest) if end >= len(rest) else rest.find(b"\n", end) + 1
        self._passed(rest[:behind])
        self._pending = rest[behind:]
        return stretch.record(0)

    def _read(self, count: int) -> bytes:
        try:
            found = self._text.read(count)
        except (OSError, EOFError, ValueError) as error:
            raise ConfigurationInvalid(f"bad file: {str(self._path)!r} ({error})") from error
        return found.replace(b"\r", b"\n") if self._returns else found

    def _advance(self, position: int) -> bool:
        """Pass over text up to a position; False: the file ends before it."""
        while self.position < position:
            if not self._pending:
                self._pending = self._read(BLOCK_BYTES)
                if not self._pending:
                    return False
            step = min(len(self._pending), position - self.position)
            self._passed(self._pending[:step])
            self._pending = self._pending[step:]
        return self.position == position

    def _passed(self, content: bytes) -> None:
        self._digest.update(content)
        self.position += len(content)
        self._line += content.count(b"\n")

    def _cut(self, content: bytes, *, last: bool) -> tuple[int, Stretch]:
        """Cut at line breaks outside quotes; give where the last whole record ends, and the records."""
        codes = np.frombuffer(content, np.uint8)
        breaks = np.flatnonzero(codes == _NEWLINE)
        if last and content and not content.endswith(b"\n"):
            breaks = np.append(breaks, len(content))  # a last line without a line break
        inside, opened = self._inside_quotes(codes, breaks, last=last)
        ends = breaks[~inside]
        starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
        lines = self._line + np.searchsorted(breaks, starts)
        behind = min(int(ends[-1]) + 1, len(content)) if len(ends) else 0
        unclosed = np.isin(starts, opened)
        trimmed = ends.copy()
        if len(ends):
            trimmed -= (ends > starts) & (codes[ends - 1] == _RETURN)
        kept = trimmed > starts
        return behind, Stretch(content[:behind], starts[kept], trimmed[kept], lines[kept], unclosed[kept])

    def _inside_quotes(
        self, codes: npt.NDArray[np.uint8], breaks: Offsets, *, last: bool
    ) -> tuple[npt.NDArray[np.bool_], Offsets]:
        """Tell which line breaks are part of a quoted cell, and where records begin whose quote is never closed."""
        quotes = np.flatnonzero(codes == _QUOTE)
        nothing = np.empty(0, dtype=np.int64)
        if not len(quotes):
            return np.zeros(len(breaks), dtype=bool), nothing
        goes_on = not last and len(codes) - quotes[-1] < LONGEST_RECORD  # an open cell may end in the next block
        if (len(quotes) % 2 == 0 or goes_on) and self._well_formed(codes, quotes):
            return np.searchsorted(quotes, breaks) % 2 == 1, nothing
        return _scanned(codes.tobytes(), breaks, chr(self._delimiter).encode(), last=last)

    def _well_formed(self, codes: npt.NDArray[np.uint8], quotes: Offsets) -> bool:
        """Tell whether each second quote, from the first on, opens a cell, and each other one closes it."""
        before = np.where(quotes[::2] > 0, codes[np.maximum(quotes[::2] - 1, 0)], _NEWLINE)
        behind = quotes[1::2] + 1
        after = np.where(behind < len(codes), codes[np.minimum(behind, len(codes) - 1)], _NEWLINE)
        opens = (before == self._delimiter) | (before == _NEWLINE) | (before == _QUOTE)
        closes = (after == self._delimiter) | (after == _NEWLINE) | (after == _QUOTE) | (after == _RETURN)
        return bool(opens.all() and closes.all())


def _scanned(content: bytes, breaks: Offsets, delimiter: bytes, *, last: bool) -> tuple[npt.NDArray[np.bool_], Offsets]:
    """Do the same line by line, for text whose quotes are not those of RFC 4180."""
    inside = np.zeros(len(breaks), dtype=bool)
    unclosed: list[int] = []
    limits = breaks.tolist()
    place, start = 0, 0
    while place < len(limits):
        end = place
        open_ = _leaves_open(content[start : limits[end]], delimiter, within=False)
        while open_ and end + 1 < len(limits) and limits[end + 1] - start <= LONGEST_RECORD:
            end += 1
            open_ = _leaves_open(content[limits[end - 1] + 1 : limits[end]], delimiter, within=True)
        if not open_:
            inside[place:end] = True
        elif last or end + 1 < len(limits) or len(content) - start > LONGEST_RECORD:
            unclosed.append(start)
            end = place
        else:
            inside[place:] = True  # the rest of this record is in the next block
            break
        place, start = end + 1, limits[end] + 1
    return inside, np.array(unclosed, dtype=np.int64)


def _leaves_open(line: bytes, delimiter: bytes, *, within: bool) -> bool:
    """Tell whether a quoted cell is open at a line's end."""
    place = 0
    while True:
        if within:
            place = line.find(b'"', place)
            if place < 0:
                return True
            if line[place + 1 : place + 2] == b'"':
                place += 2
                continue
            within, place = False, place + 1
        elif line[place : place + 1] == b'"':
            within, place = True, place + 1
            continue
        place = line.find(delimiter, place)
        if place < 0:
            return False
        place += 1


def _plain(raw: IO[bytes], path: Path) -> IO[bytes]:
    codec = _ENDINGS.get(path.suffix.lower())
    if codec is None:
        return raw
    return cast("IO[bytes]", _arrow.CompressedInputStream(_arrow.PythonFile(raw, mode="r"), codec))
