"""A value that changes too fast: gaps, noise, registers, and the memory that it needs."""

from datetime import timedelta
from typing import Any

import pytest

from rules.conditions.rate_of_change import SLOTS, RateMemory, compile_rate_of_change
from rules.conditions.span import Reading
from tests.unit.rules.conditions.cases import Times, readings, times
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.values import RateOfChange

_MINUTES = timedelta(minutes=1)
_REGISTER = FlowKind.REGISTER


def rate(**fields: Any) -> RateOfChange:  # noqa: ANN401  # as the definition has them
    return RateOfChange(metric="m", per=_MINUTES, **fields)


@pytest.mark.parametrize(
    ("definition", "values", "expected"),
    [
        (rate(above=2), [0, 2, 4, 7, 9], [(3, 3, 4)]),
        (rate(below=-2), [9, 7, 4, 1, 1], [(2, 2, 4)]),
        (rate(outside=(-2, 2)), [0, 3, 3, 0, 0], [(1, 1, 2), (3, 3, 4)]),
        (rate(above=2, dead_band=1), [0, 3, 4.5, 5.5, 5.5], [(1, 1, 3)]),
        (rate(above=2, max_gap=3 * _MINUTES), [0, None, None, None, 90, 90], []),
        (rate(above=2, max_gap=3 * _MINUTES), [0, 3, None, None, None, 4, 5], [(1, 1, 6)]),
        (rate(above=2, apart=2 * _MINUTES), [0, 3, 0, 3, 0, 3], []),
        (rate(above=2, apart=2 * _MINUTES), [0, 0, 3, 5, 7, 8, 8], [(3, 3, 4)]),
        (rate(below=-1, of=_REGISTER), [90, 95, 1, 3], []),
        (rate(above=3, of=_REGISTER), [90, 91, 1, 9], [(3, 3, None)]),
        (rate(above=2), [], []),
        (rate(above=2), [5], []),
    ],
    ids=[
        "above", "below", "outside", "dead-band", "over a gap", "through a gap", "noise", "slope of noise",
        "register reset", "register after a reset", "nothing", "one reading",
    ],
)  # fmt: skip
def test_it_lasts_from_the_first_rate_beyond_to_the_first_one_back(
    definition: RateOfChange, values: list[float | None], expected: list[Times]
) -> None:
    assert times(compile_rate_of_change(definition, 0), readings(values)) == expected


def test_it_fires_when_it_has_held_long_enough_by_time_alone() -> None:
    condition = compile_rate_of_change(rate(above=2), minute(5) - minute(0))
    assert times(condition, readings([0, 3])) == [(1, 6, None)]
    assert times(condition, readings([0, 3, 3])) == []


def test_what_is_said_is_the_rate_and_both_readings_that_show_it() -> None:
    condition = compile_rate_of_change(RateOfChange(metric="m", above=2), 0)
    state = condition.initial(truncated=False)
    for reading in readings([1.0, 1.5]):
        state, _ = condition.step(state, reading)
    assert state.span is not None
    assert state.span.value == pytest.approx(30)
    assert state.span.evidence == ((minute(0), 1.0), (minute(1), 1.5))


def test_what_is_remembered_is_bounded_however_often_a_device_reports() -> None:
    condition = compile_rate_of_change(rate(above=2, apart=60 * _MINUTES, max_gap=240 * _MINUTES), 0)
    memory = RateMemory()
    for second in range(3 * 3600):
        memory, number = condition.derivation.step(memory, Reading(minute(second / 60), second / 60))
        assert number is None or number.low == pytest.approx(1)
    assert len(memory.kept) <= SLOTS + 3
