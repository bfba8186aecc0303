"""What a block of a file says, as arrays whose series and devices are still names."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.imports.cells import Refused, Texts
from veldwatch.model.telemetry import Reading
from veldwatch.storage.log import POSITIONS, READINGS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UNKNOWN = np.iinfo(np.int64).min
"""In `received_at`: the file does not say."""

SeriesWords = tuple[str, str, str | None]
"""(device, metric, unit as written)."""


@dataclass(slots=True, kw_only=True)
class Found:
    """What can be stored of a block, and what cannot.

    Attributes:
        series: what `series_id` counts through in `readings`.
        readings, positions: as `veldwatch.storage.log` has them, in the order of the file.
        readings_row, positions_row: rows of the block that they are from.
        devices: what `device_id` counts through in `positions`.
        lines, texts: of the block's rows.
        rows: of the file, those that are refused included.
    """

    lines: npt.NDArray[np.int64]
    texts: Texts
    series: list[SeriesWords] = field(default_factory=list)
    readings: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, READINGS))
    readings_row: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    devices: list[str] = field(default_factory=list)
    positions: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, POSITIONS))
    positions_row: npt.NDArray[np.intp] = field(default_factory=lambda: np.empty(0, np.intp))
    refused: list[Refused] = field(default_factory=list)
    rows: int = 0


def micros(moment: datetime) -> int:
    """Count microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


class AddedReadings:
    """Readings of rows that were read one by one, put among the others in the order of the file by `finish`."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._rows: list[tuple[object, ...]] = []
        self._from: list[int] = []
        self._places: dict[SeriesWords, int] = {}
        for place, words in enumerate(found.series):
            self._places.setdefault(words, place)

    def add(self, row: int, reading: Reading, received_at: int) -> None:
        """Take what a row of the block says."""
        words = (reading.device, reading.metric, reading.unit)
        place = self._places.get(words)
        if place is None:
            place = self._places[words] = len(self._found.series)
            self._found.series.append(words)
        self._rows.append((place, micros(reading.observed_at), received_at, reading.value, reading.quality))
        self._from.append(row)

    def finish(self) -> None:
        """Put them in; what is refused is put in the order of its lines."""
        found = self._found
        found.refused.sort(key=lambda refused: refused.line)
        if not self._rows:
            return
        rows = np.concatenate([found.readings_row, np.array(self._from, dtype=np.intp)])
        order = np.argsort(rows, kind="stable")
        found.readings = np.concatenate([found.readings, np.array(self._rows, READINGS)])[order]
        found.readings_row = rows[order]
