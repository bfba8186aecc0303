"""Flows: what went into a site, out of it, and through its meters, a stretch of time at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rules.conditions.span import Bucket, Instant
from rules.grids.grid import Floats, Instants, Seen, means, values_at
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.inputs import Input

_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One side of a balance.

    Attributes:
        factors: what makes a reading of each series one in the balance's unit (registers), or in that an hour (rates).
    """

    series: tuple[int, ...]
    factors: tuple[float, ...]
    of: FlowKind

    def amounts(self, seen: Seen, edges: Instants, within: Instant) -> Floats:
        """Give what flowed through each series between edges: series x buckets; NaN: not known.

        A register that fell (exchanged, reset, rolled over) says nothing of that stretch.
        """
        factors = np.array(self.factors)[:, None]
        if self.of is FlowKind.RATE:
            return means(seen, self.series, edges) * factors * (np.diff(edges) / _HOUR)
        grown = np.diff(values_at(seen, self.series, edges, within), axis=1) * factors
        return np.where(grown < 0, np.nan, grown)


NO_FLOW = Flow(series=(), factors=(), of=FlowKind.REGISTER)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlowsGrid:
    """Buckets of (inflow, outflow, metered, share of meters that are known); None: not known.

    Inlets and outlets count only where all of them are known; meters that are not known are taken to have used as
    much as the mean of those that are.
    """

    inlets: Flow
    outlets: Flow
    meters: Flow
    every: Instant
    wait: Instant
    within: Instant

    @property
    def lookback(self) -> Instant:
        """Need what a register said before the first edge."""
        return self.within

    @property
    def members(self) -> Mapping[Input, tuple[int, ...]]:
        """Look at readings."""
        return {Input.READINGS: (*self.inlets.series, *self.outlets.series, *self.meters.series)}

    def buckets(self, seen: Mapping[Input, Seen], edges: Instants, subjects: Sequence[int]) -> list[list[Bucket]]:
        """Sum up; the same for every subject."""
        readings = seen[Input.READINGS]
        inflow, outflow = (
            flow.amounts(readings, edges, self.within).sum(axis=0) for flow in (self.inlets, self.outlets)
        )
        each = self.meters.amounts(readings, edges, self.within)
        count = (~np.isnan(each)).sum(axis=0)
        known = count / max(len(self.meters.series), 1)
        total = np.nansum(each, axis=0) / np.where(count, known, 1.0)
        metered = np.where(count > 0, total, np.nan)
        rows = zip(edges[1:].tolist(), inflow.tolist(), outflow.tolist(), metered.tolist(), known.tolist(), strict=True)
        made = [
            Bucket(end, (_number(into), _number(out), _number(through), round(share, 4)))
            for end, into, out, through, share in rows
        ]
        return [made for _ in subjects]


def _number(value: float) -> float | None:
    return None if value != value else round(value, 6)  # noqa: PLR0124  # NaN
