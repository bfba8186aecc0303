"""Plausible ranges of series, as their devices' profiles give them, and which values of a batch lie outside."""

from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import Quality
from veldwatch.storage.register import KnownSeries
from veldwatch.wire.units import conversion


class PlausibleRanges:
    """The ranges of the series that have one; looked up for a whole batch at once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, float]] = {}
        self._table: tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]] | None = None

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._table = None

    def learn(self, series: KnownSeries) -> None:
        """Remember a series' range, in its own unit; a range in a unit of something else is none."""
        if series.minimum is None and series.maximum is None:
            return
        try:
            convert = conversion(series.range_unit, series.unit).apply
        except MessageRejected:
            return
        low = -np.inf if series.minimum is None else convert(series.minimum)
        high = np.inf if series.maximum is None else convert(series.maximum)
        self._known[series.series_id] = (low, high)
        self._table = None

    def mark(self, rows: npt.NDArray[Any]) -> None:
        """Mark what lies outside of its range as implausible.

        Args:
            rows: as `veldwatch.storage.log.READINGS`; changed in place.
        """
        if not self._known:
            return
        ids, ranges = self._sorted()
        places = np.searchsorted(ids, rows["series_id"])
        np.minimum(places, len(ids) - 1, out=places)
        values = rows["value"]
        outside = (values < ranges[places, 0]) | (values > ranges[places, 1])
        outside &= ids[places] == rows["series_id"]
        rows["quality"][outside] |= int(Quality.IMPLAUSIBLE)

    def _sorted(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        if self._table is None:
            ids = np.array(sorted(self._known), dtype=np.int32)
            self._table = ids, np.array([self._known[number] for number in ids.tolist()], dtype=np.float64)
        return self._table
