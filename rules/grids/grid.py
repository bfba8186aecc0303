"""A grid cuts time into buckets of one length, and says of each what its members' observations came to.

A bucket (end - every, end] is complete, and folded, once `wait` has passed after its end, so that most of what is late
is there; what comes later still makes the fold go back to before it and fold the buckets again. What a bucket says
depends only on observations from `lookback` before it to its end, so a late observation changes no bucket before its
own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from rules.conditions.span import Bucket, Instant
from veldwatch.model.conditions.inputs import Input

Instants = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """Observations of the members of a grid, oldest first.

    Attributes:
        source: the series or device of each.
        value: n; of positions n x 2: longitude, latitude in degrees; of contacts empty.
    """

    source: Instants
    at: Instants
    value: Floats


NOTHING = Seen(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))


class Grid(Protocol):
    """What buckets are made of, and how."""

    @property
    def every(self) -> Instant:
        """Give the length of a bucket."""
        ...

    @property
    def wait(self) -> Instant:
        """Tell how long after its end a bucket counts as complete."""
        ...

    @property
    def lookback(self) -> Instant:
        """Tell how far before a bucket observations matter to it."""
        ...

    @property
    def members(self) -> Mapping[Input, tuple[int, ...]]:
        """Name the series (readings) and devices (positions, contacts) that are looked at."""
        ...

    def buckets(self, seen: Mapping[Input, Seen], edges: Instants, subjects: Sequence[int]) -> list[list[Bucket]]:
        """Make the buckets between edges, for each subject.

        Args:
            seen: all observations of the members from after `lookback` before the first edge to the last one.
            edges: n + 1, `every` apart.
        """
        ...


def edges_after(grid: Grid, position: Instant, until: Instant, most: int) -> tuple[Instants, bool]:
    """Give the edges of the complete buckets after a position, at most so many, and whether there are more.

    Args:
        position: the end of the last bucket that was folded, or any instant: then from the bucket that holds the next.
        until: observations after this are not known, or not to be looked at.
    """
    first = position - position % grid.every
    count = (until - grid.wait - first) // grid.every
    taken = max(min(count, most), 0)
    return first + grid.every * np.arange(taken + 1, dtype=np.int64), count > taken


def page_of(grid: Grid) -> int:
    """Tell how many buckets to make at once, so that their observations fit into some 100 MB."""
    members = sum(len(members) for members in grid.members.values())
    # Few devices report more often than every five minutes for long.
    observations = max(members, 1) * max(grid.every // _FIVE_MINUTES, 1)
    return max(min(_OBSERVATIONS_AT_ONCE // observations, _BUCKETS_AT_ONCE), 1)


def values_at(seen: Seen, members: Sequence[int], edges: Instants, within: Instant) -> Floats:
    """Give the last value of each member at or before each edge.

    Args:
        within: a value older than this is not known any more.

    Returns:
        members x edges; NaN: not known.
    """
    found = np.full((len(members), len(edges)), np.nan)
    order = np.argsort(seen.source, kind="stable")
    source, at, value = seen.source[order], seen.at[order], seen.value[order]
    begin, end = np.searchsorted(source, members, "left"), np.searchsorted(source, members, "right")
    for row, (first, last) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        own = at[first:last]
        place = np.searchsorted(own, edges, "right") - 1
        known = (place >= 0) & (edges - own[np.maximum(place, 0)] <= within) if len(own) else np.zeros(len(edges), bool)
        found[row, known] = value[first:last][place[known]]
    return found


def means(seen: Seen, members: Sequence[int], edges: Instants) -> Floats:
    """Give the mean of each member's values between edges: members x buckets; NaN: it said nothing then."""
    wide = len(edges) - 1
    order = np.argsort(np.asarray(members, np.int64), kind="stable")
    place = np.searchsorted(np.asarray(members, np.int64)[order], seen.source)
    kept = (place < len(members)) & (seen.at > edges[0])
    kept[kept] &= np.asarray(members, np.int64)[order][place[kept]] == seen.source[kept]
    bucket = np.searchsorted(edges, seen.at[kept], "left") - 1
    cell = order[place[kept]] * wide + bucket
    count = np.bincount(cell, minlength=len(members) * wide).reshape(len(members), wide)
    total = np.bincount(cell, seen.value[kept], minlength=len(members) * wide).reshape(len(members), wide)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _column(rows: Sequence[tuple[Any, ...]], place: int) -> list[Any]:
    return [row[place] for row in rows]


def seen_of(rows: Sequence[tuple[Any, ...]]) -> Seen:
    """Make columns of rows (source, at, values...), oldest first."""
    if not rows:
        return NOTHING
    width = len(rows[0]) - 2
    values = np.array([row[2:] for row in rows], np.float64)
    return Seen(
        np.array(_column(rows, 0), np.int64),
        np.array(_column(rows, 1), np.int64),
        values[:, 0] if width == 1 else values,
    )


_FIVE_MINUTES = 300_000_000
_OBSERVATIONS_AT_ONCE = 2_000_000
_BUCKETS_AT_ONCE = 500
