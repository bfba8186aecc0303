"""GPX 1.0 and 1.1: the points of tracks, and waypoints that have a time, as fixes; positions count points.

A point's device is the one that was said, else its track's name, else (a waypoint) its own. Speed and course are
those of GPX 1.0, or of Garmin's TrackPointExtension. Routes are plans, not observations, and are left out. The file is
read as a stream, and a document with entities of its own is refused: none is ever expanded.

Source: GPX 1.1 schema (topografix.com); Garmin TrackPointExtension v2; XML 1.0, 4.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from xml.parsers import expat

import numpy as np
import pyarrow

from ingest.imports.cells import Block, Texts
from ingest.imports.job import State, Step
from ingest.imports.tracks import TrackColumns, TrackReader
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection

BLOCK_POINTS = 50_000
_READ_BYTES = 2**18
_LONGEST_TEXT = 1000

_arrow = cast("Any", pyarrow)
_COLUMNS = TrackColumns(
    devices=("device",),
    time="time",
    longitude="lon",
    latitude="lat",
    altitudes=("ele",),
    speed="speed",
    heading="course",
)
_PARTS = frozenset({"time", "ele", "speed", "course", "name"})
_POINTS = frozenset({"trkpt", "wpt"})
_Point = dict[str, str]


class GpxReader:
    """Reads tracks and waypoints.

    Args:
        device: of every point; '': each track's or waypoint's name.

    Raises:
        ConfigurationInvalid: no such file.
    """

    format = "gpx"

    def __init__(self, path: Path, device: str = "") -> None:
        if not path.is_file():
            raise ConfigurationInvalid(f"bad file: {str(path)!r} (no such file)")
        self._path, self._device = path, device
        self._tracks = TrackReader(_COLUMNS)
        self._position = 0

    @property
    def mapping(self) -> dict[str, object]:
        """Give the device."""
        return {"device": self._device} if self._device else {}

    def go_on_behind(self, position: int, digest: bytes, state: State) -> bool:
        """Take up an earlier run; the whole file must be what it was."""
        if self._digest() != digest:
            return False
        self._position = position
        self._tracks = TrackReader(_COLUMNS, state)
        return True

    def steps(self) -> Iterator[Step]:
        """Read on."""
        digest, size = self._digest(), max(self._path.stat().st_size, 1)
        position = self._position
        for points, read in self._chunks():
            block = self._block(points)
            position += len(points)
            found = self._tracks.read(block, datetime.now(UTC))
            yield Step(found, position, digest, self._tracks.state(), read / size)

    def finish(self, connection: Connection, organisation: str) -> None:
        """Add nothing."""

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _chunks(self) -> Iterator[tuple[list[_Point], int]]:
        """Give the points behind the position, some at a time, with the bytes that were read."""
        chunk: list[_Point] = []
        number = 0
        read = 0
        for points, read in _points(self._path):
            for point in points:
                number += 1
                if number > self._position:
                    chunk.append(point)
            if len(chunk) >= BLOCK_POINTS:
                yield chunk, read
                chunk = []
        if chunk:
            yield chunk, read

    def _block(self, points: list[_Point]) -> Block:
        columns = {
            name: _arrow.array([point.get(name, "") for point in points], _arrow.string()) for name in _COLUMNS.names()
        }
        if self._device:
            columns["device"] = _arrow.array([self._device] * len(points), _arrow.string())
        lines = np.array([int(point["line"]) for point in points], dtype=np.int64)
        return Block(columns, lines, Texts(None, columns), [])

    def _digest(self) -> bytes:
        with self._path.open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").digest()


class _GpxParser:
    """Collects points from a stream of XML."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = _refuse_entity
        self._inside: list[str] = []
        self._text: list[str] = []
        self._point: _Point | None = None
        self._track = ""
        self._points: list[_Point] = []

    def feed(self, content: bytes, *, last: bool) -> list[_Point]:
        """Take bytes; give the points that are complete with them."""
        self._parser.Parse(content, last)
        found, self._points = self._points, []
        return found

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if not self._inside and local != "gpx":
            raise ConfigurationInvalid(f"bad file: its root is {local!r} (expected gpx)")
        self._inside.append(local)
        self._text.clear()
        if local in _POINTS:
            self._point = {**attributes, "line": str(self._parser.CurrentLineNumber), "device": self._track}
        elif local == "trk":
            self._track = ""

    def _end(self, name: str) -> None:
        del name  # the one that began last
        local = self._inside.pop()
        text = "".join(self._text).strip()
        self._text.clear()
        if self._point is not None:
            if local in _POINTS:
                self._points.append(self._point)
                self._point = None
            elif local == "name":
                self._point["device"] = self._point["device"] or text
            elif local in _PARTS:
                self._point.setdefault(local, text)
        elif local == "name" and self._inside[-1:] == ["trk"]:
            self._track = text
        elif local == "trk":
            self._track = ""

    def _characters(self, text: str) -> None:
        if len(self._text) < _LONGEST_TEXT:
            self._text.append(text[:_LONGEST_TEXT])


def _points(path: Path) -> Iterator[tuple[list[_Point], int]]:
    """Give the points of a file, some at a time, with the bytes that were read."""
    parser = _GpxParser()
    read = 0
    with path.open("rb") as raw:
        while True:
            content = raw.read(_READ_BYTES)
            read += len(content)
            try:
                yield parser.feed(content, last=not content), read
            except expat.ExpatError as error:
                raise ConfigurationInvalid(f"bad file: {str(path)!r} is not XML ({error})") from error
            if not content:
                return


def _refuse_entity(*declaration: object) -> None:
    raise ConfigurationInvalid(f"bad file: it declares the entity {declaration[0]!r} (none is allowed in GPX)")
