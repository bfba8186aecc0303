"""How near trackers came, by hand."""

from collections.abc import Mapping

import numpy as np
import pytest

from rules.conditions.span import Bucket
from rules.grids.company import CompanyGrid
from rules.grids.grid import NOTHING, seen_of
from veldwatch.model.conditions.inputs import Input

MINUTE = 60_000_000
EDGES = np.array([0, 15 * MINUTE, 30 * MINUTE], np.int64)


def company(rows: list[tuple[int, int, float, float]], others: Mapping[int, tuple[int, ...]]) -> list[Bucket]:
    grid = CompanyGrid(
        others=others, names={1: "Lion 1", 2: "Herd 2", 3: "Herd 3"}, every=15 * MINUTE, wait=0, within=20 * MINUTE
    )
    ordered = sorted(((device, at * MINUTE, *place) for device, at, *place in rows), key=lambda row: row[1])
    seen = seen_of(ordered) if rows else NOTHING
    (made,) = grid.buckets({Input.POSITIONS: seen}, EDGES, [1])
    return made


def test_the_nearest_of_the_others_is_named_with_its_distance() -> None:
    rows = [(1, 5, 31.0, -10.0), (2, 6, 31.01, -10.0), (3, 8, 31.001, -10.0)]
    first, second = company(rows, {1: (2, 3)})
    assert first.values == (pytest.approx(109.5, abs=0.5), "Herd 3")
    assert second.values == (None, None)


def test_two_fixes_too_far_apart_in_time_are_no_company() -> None:
    first, second = company([(1, 2, 31.0, -10.0), (2, 29, 31.0, -10.0)], {1: (2,)})
    assert first.values == (None, None)
    assert second.values == (None, None)


def test_a_pair_counts_in_the_stretch_of_its_later_fix() -> None:
    first, second = company([(1, 14, 31.0, -10.0), (2, 16, 31.0, -10.0)], {1: (2,)})
    assert first.values == (None, None)
    assert second.values == (0.0, "Herd 2")


def test_nobody_anywhere_says_nothing() -> None:
    assert [bucket.values for bucket in company([], {1: (2,)})] == [(None, None), (None, None)]
