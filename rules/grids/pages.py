"""Pages of buckets: what a store gives of grids, made of the observations that it holds.

Targets that share a grid (each meter of a group beside the others) are served together: their members are read once.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rules.conditions.span import Bucket, Instant
from rules.grids.grid import Grid, Seen, edges_after, page_of
from rules.sources import Source
from veldwatch.model.conditions.inputs import Input


class Shelf(Protocol):
    """Where observations of many sources are read."""

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        """Tell when the first of them was observed; None: none ever was."""
        ...

    def seen(self, kind: Input, members: Sequence[int], since: Instant, until: Instant) -> Seen:
        """Read their observations within (since, until], oldest first."""
        ...


class BucketPage(NamedTuple):
    """Buckets of one subject, oldest first, and whether there are more."""

    buckets: list[Bucket]
    more: bool


def bucket_pages(shelf: Shelf, wanted: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[BucketPage]:
    """Make a page of buckets for each source, after its position; None: from the members' first observation on."""
    pages: dict[int, BucketPage] = {}
    for grid, position, numbers in _together(wanted):
        since = _before_first(shelf, grid) if position is None else position
        if since is None:
            pages |= dict.fromkeys(numbers, BucketPage([], more=False))
            continue
        edges, more = edges_after(grid, since, until, page_of(grid))
        if len(edges) < 2:
            pages |= dict.fromkeys(numbers, BucketPage([], more=False))
            continue
        seen = _seen(shelf, grid, int(edges[0]) - grid.lookback, int(edges[-1]))
        made = grid.buckets(seen, edges, [wanted[number][0].id for number in numbers])
        pages |= {number: BucketPage(buckets, more) for number, buckets in zip(numbers, made, strict=True)}
    return [pages[number] for number in range(len(wanted))]


def _together(
    wanted: Sequence[tuple[Source, Instant | None]],
) -> list[tuple[Grid, Instant | None, list[int]]]:
    """Bring together what reads the same: one grid from one position on."""
    groups: dict[tuple[int, Instant | None], tuple[Grid, Instant | None, list[int]]] = {}
    for number, (source, position) in enumerate(wanted):
        grid = source.grid
        assert grid is not None  # noqa: S101  # only sources of buckets come here
        groups.setdefault((id(grid), position), (grid, position, []))[2].append(number)
    return list(groups.values())


def _before_first(shelf: Shelf, grid: Grid) -> Instant | None:
    firsts = [shelf.first(kind, members) for kind, members in grid.members.items() if members]
    return min((first - 1 for first in firsts if first is not None), default=None)


def _seen(shelf: Shelf, grid: Grid, since: Instant, until: Instant) -> Mapping[Input, Seen]:
    return {kind: shelf.seen(kind, members, since, until) for kind, members in grid.members.items()}
