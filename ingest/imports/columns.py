"""What every table of rows has: columns of few different words, and columns of times that are held against arrival."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from ingest.imports.cells import Column
from ingest.imports.found import UNKNOWN, micros
from ingest.imports.local_times import Failures, FileClock, Moments, as_text
from ingest.imports.numbers import as_numpy, is_said
from ingest.imports.table_rows import RowTimes
from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Quality
from veldwatch.wire.times import FURTHEST_AHEAD, SLIGHTLY_AHEAD

_compute = cast("Any", pyarrow.compute)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EARLIEST = (EARLIEST_OBSERVATION - _EPOCH) // _MICROSECOND

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class Words(NamedTuple):
    """A column of few different words.

    Attributes:
        meanings: what each different word means.
        place: of each row, into `meanings`; -1: its word means nothing.
    """

    meanings: list[Any]
    place: Places


class RowMoments(NamedTuple):
    """The times of a block's rows.

    Attributes:
        quality: what follows from them.
        good: rows whose times can be stored.
        unreadable, unreadable_arrival: why not, by row.
    """

    observed: Moments
    received: Moments
    quality: npt.NDArray[np.int16]
    good: Mask
    unreadable: Failures
    unreadable_arrival: Failures

    def told(self, row: int, now: datetime) -> RowTimes:
        """Give the times of one row, which were read already, in file order."""

        def observed(device: str, text: str) -> datetime:
            del device, text
            return _told(self.unreadable, self.observed, row)

        def received(device: str, text: str) -> datetime:
            del device, text
            return _told(self.unreadable_arrival, self.received, row)

        return RowTimes(observed, received, now)


class RowClock:
    """Reads the times of a file's rows, in file order.

    Args:
        zone: of times without an offset.
        state: what `state` gave when an earlier run stopped.
    """

    def __init__(self, zone: str, state: Mapping[str, dict[str, int]]) -> None:
        self._observed = FileClock(zone, state.get("observed"))
        self._received = FileClock(zone, state.get("received"))

    def state(self) -> dict[str, dict[str, int]]:
        """Give what reading on depends on, as JSON can hold it."""
        return {"observed": self._observed.state(), "received": self._received.state()}

    def read(self, devices: Words, observed_at: Column, received_at: Column | None, now: datetime) -> RowMoments:
        """Read the times of a block; a row whose device or arrival is wrong has none.

        Args:
            received_at: None: the file does not say.
            now: when rows arrive that do not say.
        """
        received = np.full(len(devices.place), UNKNOWN, dtype=np.int64)
        never = np.zeros(len(devices.place), dtype=bool)
        unreadable_arrival: Failures = {}
        if received_at is not None:
            said = is_said(received_at) & (devices.place >= 0)
            found, unreadable_arrival = self._received.read_column(
                devices.meanings, np.where(said, devices.place, -1), received_at
            )
            received[said] = found[said]
            never = said & ((found < _EARLIEST) | (found - micros(now) > FURTHEST_AHEAD // _MICROSECOND))
        said = is_said(observed_at) & (devices.place >= 0) & ~never
        said[list(unreadable_arrival)] = False
        observed, unreadable = self._observed.read_column(
            devices.meanings, np.where(said, devices.place, -1), observed_at
        )
        said[list(unreadable)] = False
        ahead = observed - np.where(received == UNKNOWN, micros(now), received)
        good = said & (observed >= _EARLIEST) & (ahead <= FURTHEST_AHEAD // _MICROSECOND)
        quality = np.where(ahead > SLIGHTLY_AHEAD // _MICROSECOND, int(Quality.CLOCK_AHEAD), 0).astype(np.int16)
        return RowMoments(observed, received, quality, good, unreadable, unreadable_arrival)


def read_words(cells: Column, meaning: Callable[[str], object]) -> Words:
    """Read a column; a word for which `meaning` raises `MessageRejected` means nothing."""
    encoded = _compute.dictionary_encode(cells)
    place = as_numpy(_compute.fill_null(encoded.indices, -1)).astype(np.intp)
    words = [as_text(word) for word in encoded.dictionary.to_pylist()]
    if (place < 0).any():
        place[place < 0] = len(words)
        words.append("")
    return meanings(words, place, meaning)


def one_word(meaning: object, rows: int) -> Words:
    """Give a column that says the same in every row."""
    return Words([meaning], np.zeros(rows, dtype=np.intp))


def meanings(words: Sequence[str], place: Places, meaning: Callable[[str], object]) -> Words:
    """Give words their meanings.

    Args:
        place: of each row, into `words`.
    """
    found: list[object] = []
    right = np.empty(len(words), dtype=np.intp)
    for number, word in enumerate(words):
        try:
            found.append(meaning(word))
            right[number] = len(found) - 1
        except MessageRejected:
            right[number] = -1
    return Words(found, right[place])


def _told(failures: Failures, moments: Moments, row: int) -> datetime:
    if row in failures:
        raise failures[row]
    return _EPOCH + timedelta(microseconds=int(moments[row]))
