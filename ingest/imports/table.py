"""Rows of a table, whole columns at a time; rows in which anything is odd are read one by one (`table_rows`).

The two ways give the same readings and the same verdicts: a property test holds them against each other.
"""

from collections.abc import Mapping as ReadOnly
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.imports.cells import Block, Refused
from ingest.imports.columns import Mask, RowClock, RowMoments, Words, meanings, one_word, read_words
from ingest.imports.found import UNKNOWN, AddedReadings, Found, SeriesWords, micros
from ingest.imports.local_times import as_text
from ingest.imports.mapping import Mapping
from ingest.imports.numbers import read_numbers
from ingest.imports.table_rows import cell_quality, cell_unit, read_row
from veldwatch.storage.log import READINGS
from veldwatch.wire.values import checked_name


class _Values(NamedTuple):
    """Rows × value columns.

    Attributes:
        said: which cells hold a number.
        odd: rows in which a cell holds something else, or none says anything.
    """

    values: npt.NDArray[np.float64]
    said: Mask
    odd: Mask


class TableReader:
    """Reads blocks of one file, in their order.

    Args:
        state: what `state` gave when an earlier run stopped.
    """

    def __init__(self, mapping: Mapping, state: ReadOnly[str, dict[str, int]] | None = None) -> None:
        mapping.check()
        self._mapping = mapping
        self._clock = RowClock(mapping.time_zone, state or {})

    def state(self) -> dict[str, dict[str, int]]:
        """Give what reading on depends on, as JSON can hold it."""
        return self._clock.state()

    def read(self, block: Block, now: datetime) -> Found:
        """Read a block.

        Args:
            now: when rows arrive that do not say.
        """
        mapping, columns = self._mapping, block.columns
        devices = self._devices(block)
        received = columns[mapping.received_column] if mapping.received_column else None
        times = self._clock.read(devices, columns[mapping.time_column], received, now)
        quality = one_word(0, len(block))
        if mapping.quality_column:
            quality = read_words(columns[mapping.quality_column], cell_quality)
        values = self._values(block)
        usual = times.good & (devices.place >= 0) & (quality.place >= 0) & ~values.odd
        series, keys, usual = self._series(block, devices, usual)
        row, column = np.nonzero(values.said & usual[:, None])
        readings = np.empty(len(row), READINGS)
        readings["series_id"] = keys[row, column] if keys.ndim == 2 else keys[row]
        readings["observed_at"], readings["received_at"] = times.observed[row], times.received[row]
        flags = np.array([*quality.meanings, 0], dtype=np.int16)[quality.place]
        readings["value"], readings["quality"] = values.values[row, column], (times.quality | flags)[row]
        found = Found(
            lines=block.lines,
            texts=block.texts,
            series=series,
            readings=readings,
            readings_row=row,
            refused=list(block.refused),
            rows=len(block) + len(block.refused),
        )
        self._read_single(block, found, np.flatnonzero(~usual).tolist(), times, now)
        return found

    def _devices(self, block: Block) -> Words:
        def device(text: str) -> str:
            return checked_name(text, "device")

        if self._mapping.device_column:
            return read_words(block.columns[self._mapping.device_column], device)
        return meanings([self._mapping.device], np.zeros(len(block), dtype=np.intp), device)

    def _values(self, block: Block) -> _Values:
        mapping = self._mapping
        columns = [value.column for value in mapping.values] or [mapping.value_column]
        numbers = [read_numbers(block.columns[column], decimal_comma=mapping.decimal_comma) for column in columns]
        said = np.column_stack([number.sure for number in numbers])
        other = np.column_stack([~number.sure & ~number.blank for number in numbers])
        values = np.column_stack([number.values for number in numbers])
        return _Values(values, said, np.asarray(other.any(axis=1) | ~said.any(axis=1)))

    def _series(
        self, block: Block, devices: Words, usual: Mask
    ) -> tuple[list[SeriesWords], npt.NDArray[np.intp], Mask]:
        """Name the series; give the place of each value among them, and the rows in which all words mean something."""
        mapping = self._mapping
        if mapping.values:
            metrics = [(value.metric, value.unit) for value in mapping.values]
            keys = devices.place[:, None] * len(metrics) + np.arange(len(metrics))
            return [(device, *metric) for device in devices.meanings for metric in metrics], keys, usual
        metric = read_words(block.columns[mapping.metric_column], lambda text: checked_name(text, "metric"))
        unit = one_word(None, len(block))
        if mapping.unit_column:
            unit = read_words(block.columns[mapping.unit_column], cell_unit)
        usual = usual & (metric.place >= 0) & (unit.place >= 0)
        units, both = len(unit.meanings), len(unit.meanings) * len(metric.meanings)
        combined = (devices.place * both + metric.place * units + unit.place)[usual]
        distinct, place = np.unique(combined, return_inverse=True)
        keys = np.zeros(len(block), dtype=np.intp)
        keys[usual] = place
        words = [
            (devices.meanings[key // both], metric.meanings[key % both // units], unit.meanings[key % units])
            for key in distinct.tolist()
        ]
        return words, keys, usual

    def _read_single(self, block: Block, found: Found, rows: list[int], times: RowMoments, now: datetime) -> None:
        """Read odd rows, and put what they say among the others in the order of the file."""
        if not rows:
            return
        added = AddedReadings(found)
        for row in rows:
            cells = {name: as_text(column[row].as_py()) for name, column in block.columns.items()}
            said = read_row(self._mapping, cells, times.told(row, now))
            received = UNKNOWN if said.received_at is None else micros(said.received_at)
            for reading in said.readings:
                added.add(row, reading, received)
            for reason, detail in said.rejected:
                found.refused.append(Refused(int(block.lines[row]), block.texts.of(row), reason, detail))
        added.finish()
