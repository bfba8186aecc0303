"""One reading that stands out from both of its neighbours."""

from datetime import timedelta
from typing import Any

import pytest

from rules.conditions.spike import compile_spike
from tests.unit.rules.conditions.cases import Times, readings, times
from veldwatch.model.conditions.values import Direction, Spike


def spike(**fields: Any) -> Spike:  # noqa: ANN401  # as the definition has them
    return Spike(metric="m", above=3, **fields)


@pytest.mark.parametrize(
    ("definition", "values", "expected"),
    [
        (spike(), [1, 1, 9, 1, 1], [(2, 3, 3)]),
        (spike(), [9, 9, 1, 9], [(2, 3, 3)]),
        (spike(), [1, 1, 9, 9, 9], []),
        (spike(), [1, 5, 9, 13], []),
        (spike(), [1, 9, 6, 6], []),
        (spike(), [1, 9, 5, 5], [(1, 2, 2)]),
        (spike(direction=Direction.UP), [9, 1, 9, 17, 9], [(3, 4, 4)]),
        (spike(direction=Direction.DOWN), [9, 1, 9, 17, 9], [(1, 2, 2)]),
        (spike(max_gap=timedelta(minutes=2)), [1, None, None, 9, 1], []),
        (spike(max_gap=timedelta(minutes=2)), [1, 9, None, None, 1], []),
        (spike(), [1, 9, 1, 9, 1], [(1, 2, 2), (2, 3, 3), (3, 4, 4)]),
        (spike(), [1, 9], []),
        (spike(), [], []),
    ],
    ids=[
        "up", "down", "a step", "a slope", "near one neighbour", "far from both", "up only", "down only", "after a gap",
        "before a gap", "to and fro", "not known yet", "nothing",
    ],
)  # fmt: skip
def test_it_is_known_at_the_next_reading(definition: Spike, values: list[float | None], expected: list[Times]) -> None:
    assert times(compile_spike(definition), readings(values)) == expected
