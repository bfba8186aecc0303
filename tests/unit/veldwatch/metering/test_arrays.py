"""Arrays say exactly what the fold says, whatever the readings."""

from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.veldwatch.model.register_readings import Readings, readings, registers
from veldwatch.metering.judged import INCREMENTS, counts_of, judge_arrays
from veldwatch.metering.spread import spread_arrays
from veldwatch.model.consumption import State, judge
from veldwatch.model.consumption_buckets import spread
from veldwatch.model.register_steps import HOUR, Register, to_counts


def _rows(array: Any) -> list[tuple[int, ...]]:  # noqa: ANN401  # a structured array
    return [tuple(row) for row in array.tolist()]


@given(readings(), registers(), st.integers(0, 20))
def test_arrays_are_judged_as_the_fold_judges(found: Readings, register: Register, cut: int) -> None:
    times, counts = found
    arrays = np.array(times, np.int64), np.array(counts, np.int64)
    whole = judge(times, counts, register)
    assert _rows(judge_arrays(*arrays, register)) == [tuple(increment) for increment in whole]
    state = State(max(counts, default=0), times[0] - HOUR, times[0] - HOUR // 2) if cut % 2 and times else None
    assert _rows(judge_arrays(*arrays, register, state)) == [
        tuple(increment) for increment in judge(times, counts, register, state)
    ]


@given(readings(), registers(), st.lists(st.integers(-5 * HOUR, 400 * HOUR), min_size=2, max_size=30, unique=True))
def test_arrays_are_spread_as_the_model_spreads(found: Readings, register: Register, edges: list[int]) -> None:
    increments = judge(*found, register)
    edges.sort()
    array = np.array([tuple(increment) for increment in increments], INCREMENTS)
    assert _rows(spread_arrays(array, np.array(edges, np.int64))) == [
        (bucket.begin, bucket.end, bucket.amount, bucket.excess, bucket.codes, bucket.readings)
        for bucket in spread(increments, edges)
    ]


@given(st.floats(-1e9, 1e9))
@example(0.0000005)
def test_counts_are_rounded_alike(value: float) -> None:
    assert counts_of(np.array([value])).tolist() == [to_counts(value)]
