"""Who reads what: from the sources that a batch's rows are of to everyone who reads those sources."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
_MOST_A_READER, _FEW = 100, 100_000
"""Ids for each reader, and altogether, for which there may be a place: 8 bytes each."""


class ReaderIndex:
    """Readers, by number, of series or devices, by theirs; a source may have many readers, or none."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Index pairs (source, reader)."""
        table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        self._sources, self._readers = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
        # Ids are given out one after the other, so there is a place for each of them; of a few far up there is not.
        most = int(self._sources[-1]) if len(table) else -1
        self._places = None
        if most < _MOST_A_READER * len(table) + _FEW:
            self._places = np.searchsorted(self._sources, np.arange(most + 3), "left")

    def pairs(self, sources: Numbers) -> tuple[Numbers, Numbers]:
        """List (row, reader) for every row and every reader of its source.

        Args:
            sources: of each row.
        """
        begin, end = self._stretches(sources)
        count = end - begin
        rows = np.repeat(np.arange(len(sources)), count)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
        return rows, self._readers[np.repeat(begin, count) + within]

    def _stretches(self, sources: Numbers) -> tuple[Numbers, Numbers]:
        if self._places is None:
            return np.searchsorted(self._sources, sources, "left"), np.searchsorted(self._sources, sources, "right")
        known = np.minimum(sources, len(self._places) - 2)
        return self._places[known], self._places[known + 1]
