"""A device beside its group, by hand."""

import numpy as np
import pytest

from rules.grids.grid import seen_of
from rules.grids.group import GroupGrid
from veldwatch.model.conditions.area import Gathered
from veldwatch.model.conditions.inputs import Input

HOUR = 3_600_000_000
EDGES = np.array([0, HOUR, 2 * HOUR], np.int64)


def grid(of: Gathered = Gathered.MEAN) -> GroupGrid:
    return GroupGrid(series=(7, 3, 5, 9), of=of, every=HOUR, wait=0, within=3 * HOUR)


def test_each_is_put_beside_the_median_and_spread_of_all() -> None:
    rows = [(7, 10, 20.0), (7, 20, 22.0), (3, 11, 20.0), (5, 12, 22.0), (9, 13, 40.0)]
    own, odd = grid().buckets({Input.READINGS: seen_of(rows)}, EDGES, [7, 9])
    assert own[0].values == (21.0, 21.5, pytest.approx(1.4826), 4)
    assert odd[0].values[0] == 40.0
    assert own[1].values == (None, None, None, 0)


def test_registers_are_compared_by_what_they_counted() -> None:
    rows = [(s, h * HOUR, float(s * h)) for h in range(3) for s in (3, 5, 7, 9)]
    (own,) = grid(Gathered.INCREASE).buckets({Input.READINGS: seen_of(rows)}, EDGES, [9])
    assert own[1].values == (9.0, 6.0, pytest.approx(1.4826 * 2), 4)
