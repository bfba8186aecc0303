"""Groups: what each device of a group says beside the others, a stretch of time at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from warnings import catch_warnings, simplefilter

import numpy as np

from rules.conditions.span import Bucket, Instant
from rules.grids.grid import Floats, Instants, Seen, means, values_at
from veldwatch.model.conditions.area import Gathered
from veldwatch.model.conditions.inputs import Input

_ROBUST = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation.

Source: Rousseeuw and Croux 1993, Alternatives to the median absolute deviation.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupGrid:
    """Buckets of (own value, median of the group, its robust standard deviation, how many are known).

    Subjects are the series themselves. Own values that are not known are None.
    """

    series: tuple[int, ...]
    of: Gathered
    every: Instant
    wait: Instant
    within: Instant

    @property
    def lookback(self) -> Instant:
        """Need what a register said before the first edge."""
        return self.within if self.of is Gathered.INCREASE else 0

    @property
    def members(self) -> Mapping[Input, tuple[int, ...]]:
        """Look at readings."""
        return {Input.READINGS: self.series}

    def buckets(self, seen: Mapping[Input, Seen], edges: Instants, subjects: Sequence[int]) -> list[list[Bucket]]:
        """Put each beside all."""
        values = self._values(seen[Input.READINGS], edges)
        known = (~np.isnan(values)).sum(axis=0).tolist()
        with catch_warnings():
            # A stretch in which nothing is known has no median, and is said so by its count.
            simplefilter("ignore", RuntimeWarning)
            median = np.nanmedian(values, axis=0)
            spread = _ROBUST * np.nanmedian(np.abs(values - median), axis=0)
        ends = edges[1:].tolist()
        made: list[list[Bucket]] = []
        for subject in subjects:
            own = values[self.series.index(subject)].tolist()
            rows = zip(ends, own, median.tolist(), spread.tolist(), known, strict=True)
            made.append([Bucket(end, _row(*row)) for end, *row in rows])
        return made

    def _values(self, seen: Seen, edges: Instants) -> Floats:
        if self.of is Gathered.MEAN:
            return means(seen, self.series, edges)
        grown = np.diff(values_at(seen, self.series, edges, self.within), axis=1)
        return np.where(grown < 0, np.nan, grown)


def _row(own: float, median: float, spread: float, known: int) -> tuple[float | None, float | None, float | None, int]:
    if not known:
        return None, None, None, 0
    return None if own != own else round(own, 6), round(median, 6), round(spread, 6), known  # noqa: PLR0124  # NaN
