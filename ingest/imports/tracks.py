"""Rows of a table that say where a device was, whole columns at a time; odd rows are read one by one.

Beside a fix a row may hold measurements, which become readings; a row may hold these alone.
"""

from collections.abc import Mapping as Cells
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from ingest.imports.cells import Block, Column, Refused
from ingest.imports.columns import Mask, RowClock, RowMoments, Words, read_words
from ingest.imports.found import UNKNOWN, AddedReadings, Found, micros
from ingest.imports.local_times import as_text
from ingest.imports.mapping import ValueColumn
from ingest.imports.numbers import Numbers, read_numbers
from ingest.imports.table_rows import RowTimes, arrival, cell_quality
from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Position, Quality, Reading
from veldwatch.storage.log import POSITIONS, READINGS
from veldwatch.wire.times import checked
from veldwatch.wire.values import (
    LARGEST_ACCURACY_METRES,
    LARGEST_ALTITUDE_METRES,
    LARGEST_SPEED,
    checked_name,
    fix,
    number_or_text,
)

_compute = cast("Any", pyarrow.compute)
_TRUE, _FALSE = frozenset({"true", "1", "t"}), frozenset({"false", "0", "f"})
_PARTS = {
    "altitude": (-LARGEST_ALTITUDE_METRES, LARGEST_ALTITUDE_METRES),
    "accuracy": (0.0, LARGEST_ACCURACY_METRES),
    "speed": (0.0, LARGEST_SPEED),
    "heading": (0.0, 360.0),
}
"""Bounds of what a fix may hold; beyond them it is unknown, as `veldwatch.wire.values.fix` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackColumns:
    """Which columns say what; those that are '' the file does not have.

    Attributes:
        devices: the first of them that is not blank names the device.
        altitudes: likewise.
        visible: false: people or filters took the fix for an outlier. Decides where it says anything.
        outlier: true: likewise, unless `valid` is true.
        quality: flags of `veldwatch.model.telemetry.Quality`.
        sensors: measurements.
    """

    devices: tuple[str, ...]
    time: str
    longitude: str
    latitude: str
    received: str = ""
    altitudes: tuple[str, ...] = ()
    accuracy: str = ""
    speed: str = ""
    heading: str = ""
    visible: str = ""
    outliers: tuple[str, ...] = ()
    valid: str = ""
    quality: str = ""
    sensors: tuple[ValueColumn, ...] = ()

    def names(self) -> list[str]:
        """List every column, each once."""
        single = [self.time, self.longitude, self.latitude, self.received, self.accuracy, self.speed, self.heading]
        single += [self.visible, self.valid, self.quality]
        several = [*self.devices, *self.altitudes, *self.outliers, *(value.column for value in self.sensors)]
        return list(dict.fromkeys(name for name in [*single, *several] if name))


class TrackRow(NamedTuple):
    """What one row says.

    Attributes:
        received_at: None: the row does not say.
    """

    received_at: datetime | None
    position: Position | None
    readings: list[Reading]
    rejected: list[tuple[Reason, str]]


class TrackReader:
    """Reads blocks of one file, in their order.

    Args:
        state: what `state` gave when an earlier run stopped.
    """

    def __init__(self, columns: TrackColumns, state: Cells[str, dict[str, int]] | None = None) -> None:
        self._columns = columns
        self._clock = RowClock("UTC", state or {})

    def state(self) -> dict[str, dict[str, int]]:
        """Give what reading on depends on, as JSON can hold it."""
        return self._clock.state()

    def read(self, block: Block, now: datetime) -> Found:
        """Read a block.

        Args:
            now: when rows arrive that do not say.
        """
        columns = self._columns
        devices = read_words(_first_said(block, columns.devices), _device)
        times = self._clock.read(devices, block.columns[columns.time], self._column(block, columns.received), now)
        flags = self._flags(block)
        positions, usual = self._positions(block)
        sensors = [read_numbers(block.columns[value.column]) for value in columns.sensors]
        usual &= times.good & (devices.place >= 0) & (flags.place >= 0)
        for sensor in sensors:
            usual &= sensor.sure | sensor.blank
        quality = times.quality | np.array([*flags.meanings, 0], dtype=np.int16)[flags.place]
        positions["device_id"] = devices.place
        positions["observed_at"], positions["received_at"] = times.observed, times.received
        positions["quality"] = quality
        rows = np.flatnonzero(usual)
        found = Found(
            lines=block.lines,
            texts=block.texts,
            devices=list(devices.meanings),
            positions=positions[rows],
            positions_row=rows,
            refused=list(block.refused),
            rows=len(block) + len(block.refused),
        )
        self._measured(found, devices, times, quality, sensors, usual)
        self._read_single(block, found, np.flatnonzero(~usual).tolist(), times, now)
        return found

    def _column(self, block: Block, name: str) -> Column | None:
        return block.columns[name] if name else None

    def _positions(self, block: Block) -> tuple[npt.NDArray[Any], Mask]:
        """Read the fixes; tell which rows hold one in which nothing is odd."""
        columns = self._columns
        east, north = (read_numbers(block.columns[name]) for name in (columns.longitude, columns.latitude))
        positions = np.empty(len(block), POSITIONS)
        positions["longitude"], positions["latitude"] = east.values, north.values
        usual = east.sure & north.sure & (np.abs(east.values) <= 180) & (np.abs(north.values) <= 90)
        usual &= (east.values != 0) | (north.values != 0)
        cells = {
            "altitude": _first_said(block, columns.altitudes) if columns.altitudes else None,
            "accuracy": self._column(block, columns.accuracy),
            "speed": self._column(block, columns.speed),
            "heading": self._column(block, columns.heading),
        }
        for name, (low, high) in _PARTS.items():
            column = cells[name]
            if column is None:
                positions[name] = np.nan
                continue
            part = read_numbers(column)
            usual &= part.sure | part.blank
            within = part.sure & (part.values >= low) & (part.values <= high)
            positions[name] = np.where(within, part.values, np.nan)
        return positions, usual

    def _flags(self, block: Block) -> Words:
        """Read what the file says of the quality of each row."""
        columns = self._columns
        flags = _Flags(columns)
        names = flags.names()
        if not names:
            return Words([0], np.zeros(len(block), dtype=np.intp))
        joined = block.columns[names[0]]
        if len(names) > 1:
            joined = _compute.binary_join_element_wise(*(block.columns[name] for name in names), "\x1f")
        return read_words(joined, lambda text: flags.read(dict(zip(names, text.split("\x1f"), strict=True))))

    def _measured(  # the columns of a block
        self,
        found: Found,
        devices: Words,
        times: RowMoments,
        quality: npt.NDArray[np.int16],
        sensors: list[Numbers],
        usual: Mask,
    ) -> None:
        if not sensors:
            return
        said = np.column_stack([sensor.sure for sensor in sensors]) & usual[:, None]
        row, column = np.nonzero(said)
        measured = [(value.metric, value.unit) for value in self._columns.sensors]
        found.series = [(device, *metric) for device in devices.meanings for metric in measured]
        readings = np.empty(len(row), READINGS)
        readings["series_id"] = devices.place[row] * len(measured) + column
        readings["observed_at"], readings["received_at"] = times.observed[row], times.received[row]
        readings["value"] = np.column_stack([sensor.values for sensor in sensors])[row, column]
        # An outlier of the place says nothing of what the tag measured.
        readings["quality"] = quality[row] & ~np.int16(Quality.IMPLAUSIBLE)
        found.readings, found.readings_row = readings, row

    def _read_single(self, block: Block, found: Found, rows: list[int], times: RowMoments, now: datetime) -> None:
        if not rows:
            return
        added, fixes, from_row = AddedReadings(found), list[tuple[object, ...]](), list[int]()
        places = {device: place for place, device in enumerate(found.devices)}
        for row in rows:
            cells = {name: as_text(column[row].as_py()) for name, column in block.columns.items()}
            said = read_track_row(self._columns, cells, times.told(row, now))
            received = UNKNOWN if said.received_at is None else micros(said.received_at)
            for reading in said.readings:
                added.add(row, reading, received)
            if said.position is not None:
                fixes.append(_row_of(said.position, places[said.position.device], received))
                from_row.append(row)
            for reason, detail in said.rejected:
                found.refused.append(Refused(int(block.lines[row]), block.texts.of(row), reason, detail))
        added.finish()
        if fixes:
            joined = np.concatenate([found.positions_row, np.array(from_row, dtype=np.intp)])
            order = np.argsort(joined, kind="stable")
            found.positions = np.concatenate([found.positions, np.array(fixes, POSITIONS)])[order]
            found.positions_row = joined[order]


def read_track_row(columns: TrackColumns, cells: Cells[str, str], times: RowTimes) -> TrackRow:
    """Read one row; the fix and each measurement can be rejected by itself."""
    try:
        return _row(columns, cells, times)
    except MessageRejected as error:
        return TrackRow(None, None, [], [(error.reason, error.detail)])


def _row(columns: TrackColumns, cells: Cells[str, str], times: RowTimes) -> TrackRow:
    device = _device(_first(cells, columns.devices))
    arrived = cells[columns.received] if columns.received else ""
    received_at = arrival(times, device, arrived) if arrived else None
    if not cells[columns.time]:
        raise MessageRejected(Reason.MISSING_TIME, "no time")
    moment, quality = checked(times.observed(device, cells[columns.time]), received_at or times.now)
    flags = _Flags(columns)
    quality |= flags.read({name: cells[name] for name in flags.names()})
    row = TrackRow(received_at, None, [], [])
    for value in columns.sensors:
        if cell := cells[value.column].strip():
            try:
                measured = number_or_text(cell)
                flag = quality & ~Quality.IMPLAUSIBLE
                row.readings.append(Reading(device, value.metric, moment, measured, value.unit, flag))
            except MessageRejected as error:
                row.rejected.append((error.reason, f"{value.column}: {error.detail}"))
    place = cells[columns.longitude].strip(), cells[columns.latitude].strip()
    if place == ("", "") and (row.readings or row.rejected):
        return row
    try:
        parts = {name: cells[column].strip() or None for name, column in _optional(columns).items()}
        altitude = _first(cells, columns.altitudes).strip() or None
        return row._replace(position=fix(device, (moment, quality), *place, altitude=altitude, **parts))
    except MessageRejected as error:
        row.rejected.append((error.reason, error.detail))
        return row


class _Flags:
    """What the columns that judge a fix say together."""

    def __init__(self, columns: TrackColumns) -> None:
        self._columns = columns

    def names(self) -> list[str]:
        columns = self._columns
        return [name for name in (columns.visible, columns.valid, columns.quality, *columns.outliers) if name]

    def read(self, cells: Cells[str, str]) -> int:
        """Give the flags of quality.

        Raises:
            MessageRejected: a quality that is none.
        """
        columns = self._columns
        quality = cell_quality(cells[columns.quality]) if columns.quality else 0
        visible = cells[columns.visible].strip().lower() if columns.visible else ""
        if visible in _FALSE:
            return quality | Quality.IMPLAUSIBLE
        valid = bool(columns.valid) and cells[columns.valid].strip().lower() in _TRUE
        marked = any(cells[name].strip().lower() in _TRUE for name in columns.outliers)
        return quality | (Quality.IMPLAUSIBLE if marked and not valid and visible not in _TRUE else 0)


def _device(text: str) -> str:
    return checked_name(text, "device")


def _optional(columns: TrackColumns) -> dict[str, str]:
    named = {"accuracy": columns.accuracy, "speed": columns.speed, "heading": columns.heading}
    return {name: column for name, column in named.items() if column}


def _first(cells: Cells[str, str], names: tuple[str, ...]) -> str:
    return next((cells[name] for name in names if cells[name]), "")


def _first_said(block: Block, names: tuple[str, ...]) -> Column:
    found = block.columns[names[-1]]
    for name in reversed(names[:-1]):
        column = block.columns[name]
        found = _compute.if_else(_compute.equal(_compute.binary_length(column), 0), found, column)
    return found


def _row_of(position: Position, place: int, received: int) -> tuple[object, ...]:
    parts = (position.altitude, position.accuracy, position.speed, position.heading)
    return (
        place,
        micros(position.observed_at),
        received,
        position.longitude,
        position.latitude,
        *(np.nan if part is None else part for part in parts),
        position.quality,
    )
