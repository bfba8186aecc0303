"""Who reads what: from the sources that a batch's rows are of to everyone who reads those sources."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]


class ReaderIndex:
    """Readers, by number, of series or devices, by theirs; a source may have many readers, or none."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Index pairs (source, reader)."""
        table = np.array(sorted(pairs), np.int64).reshape(-1, 2)
        self._sources, self._readers = np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])

    def pairs(self, sources: Numbers) -> tuple[Numbers, Numbers]:
        """List (row, reader) for every row and every reader of its source.

        Args:
            sources: of each row.
        """
        begin = np.searchsorted(self._sources, sources, "left")
        count = np.searchsorted(self._sources, sources, "right") - begin
        rows = np.repeat(np.arange(len(sources)), count)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
        return rows, self._readers[np.repeat(begin, count) + within]
