"""A value that does not change."""

from datetime import timedelta
from typing import Any

import pytest

from rules.conditions.stuck import compile_stuck
from tests.unit.rules.conditions.cases import Times, readings, times
from veldwatch.model.conditions.values import Stuck


def stuck(*, at_least: int = 3, **fields: Any) -> Stuck:  # noqa: ANN401  # as the definition has them
    return Stuck(metric="m", duration=timedelta(minutes=4), at_least=at_least, **fields)


@pytest.mark.parametrize(
    ("definition", "values", "expected"),
    [
        (stuck(), [1, 5, 5, 5, 5, 5, 5, 6], [(1, 5, 7)]),
        (stuck(), [5, 5, 5, 5, 6], []),
        (stuck(), [5, 5, 5, 5, 5], [(0, 4, None)]),
        (stuck(at_least=6), [5, 5, 5, 5, 5], []),
        (stuck(at_least=6), [5, 5, 5, 5, 5, 5], [(0, 5, None)]),
        (stuck(tolerance=1), [5, 6, 5, 6, 5, 7], [(0, 4, 5)]),
        (stuck(tolerance=1), [5, 6, 7, 8, 9, 10, 11], []),
        (stuck(tolerance=1), [5, 6, 7, 7, 7, 7, 7], [(1, 5, None)]),
        (stuck(), [5, 5, None, None, 5, 5, 5], []),
        (stuck(max_gap=timedelta(minutes=3)), [5, 5, None, None, 5, 5], [(0, 4, None)]),
        (stuck(), [5, 5, 5, 5, 5, None, None, None, None, 5, 6], [(0, 4, 10)]),
        (stuck(outside=(-1, 1)), [0, 0, 0, 0, 0, 0, 0], []),
        (stuck(outside=(-1, 1)), [0, 5, 5, 5, 5, 5, 0], [(1, 5, 6)]),
        (stuck(within=(1, 9)), [10, 10, 10, 10, 10, 10], []),
        (stuck(within=(1, 9)), [9, 9, 9, 9, 9], [(0, 4, None)]),
        (stuck(), [], []),
    ],
    ids=[
        "stays", "changes in time", "stays on", "too few readings", "enough readings", "within the tolerance", "drifts",
        "drifts and stays", "a gap", "a short gap", "a gap in an alert", "a quiet night", "not at night",
        "out of range", "on the limit", "nothing",
    ],
)  # fmt: skip
def test_it_lasts_from_the_first_reading_of_the_run_to_the_first_other_value(
    definition: Stuck, values: list[float | None], expected: list[Times]
) -> None:
    assert times(compile_stuck(definition), readings(values)) == expected
