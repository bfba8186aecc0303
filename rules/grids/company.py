"""Company: how near each tracker came to the nearest of others, a stretch of time at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rules.conditions.places import METRES_PER_DEGREE
from rules.conditions.span import Bucket, Instant
from rules.grids.grid import Instants, Seen
from veldwatch.model.conditions.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompanyGrid:
    """Buckets of (least distance in metres, name of the other), by pairs of fixes not further apart than `within`.

    The later fix of a pair lies in the stretch. Subjects are devices.

    Attributes:
        others: whom each subject is compared with, by its number.
        names: of devices, as alerts say them.
    """

    others: Mapping[int, tuple[int, ...]]
    names: Mapping[int, str]
    every: Instant
    wait: Instant
    within: Instant

    @property
    def lookback(self) -> Instant:
        """Need the earlier fix of a pair."""
        return self.within

    @property
    def members(self) -> Mapping[Input, tuple[int, ...]]:
        """Look at fixes."""
        return {Input.POSITIONS: tuple(sorted({*self.others, *(d for found in self.others.values() for d in found)}))}

    def buckets(self, seen: Mapping[Input, Seen], edges: Instants, subjects: Sequence[int]) -> list[list[Bucket]]:
        """Measure."""
        fixes = seen[Input.POSITIONS]
        if not len(fixes.at):
            return [[Bucket(end, (None, None)) for end in edges[1:].tolist()] for _ in subjects]
        return [
            [self._nearest(fixes, subject, begin, end) for begin, end in pairwise(edges.tolist())]
            for subject in subjects
        ]

    def _nearest(self, fixes: Seen, subject: int, begin: Instant, end: Instant) -> Bucket:
        first, last = np.searchsorted(fixes.at, [begin - self.within, end], "right").tolist()
        source, at, place = fixes.source[first:last], fixes.at[first:last], fixes.value[first:last]
        own = np.flatnonzero(source == subject)
        other = np.flatnonzero(np.isin(source, self.others[subject]))
        if not len(own) or not len(other):
            return Bucket(end, (None, None))
        pairs = np.abs(at[own, None] - at[None, other]) <= self.within
        pairs &= np.maximum(at[own, None], at[None, other]) > begin
        if not pairs.any():
            return Bucket(end, (None, None))
        distance = np.where(pairs, _metres(place[own], place[other]), np.inf)
        mine, theirs = np.unravel_index(np.argmin(distance), distance.shape)
        name = self.names[int(source[other[theirs]])]
        return Bucket(end, (round(float(distance[mine, theirs]), 1), name))


def _metres(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Measure between places (n x 2 and m x 2: longitude, latitude) on the plane that touches at each of the first."""
    east = (other[None, :, 0] - own[:, None, 0] + 180.0) % 360.0 - 180.0
    north = other[None, :, 1] - own[:, None, 1]
    return np.hypot(east * np.cos(np.radians(own[:, None, 1])), north) * METRES_PER_DEGREE
