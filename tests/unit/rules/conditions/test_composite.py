"""Conditions on several series of a device: combined by three-valued truth, or calculated."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from rules.conditions.compile import compile_condition
from rules.conditions.span import Sample
from rules.targets import find_targets
from tests.unit.rules.conditions.cases import Times, times
from tests.unit.rules.worlds import minute, rule_for, watched
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Composite, Not
from veldwatch.model.conditions.values import RateOfChange, Stuck, Threshold, ValueChange
from veldwatch.wire.rule_document import version_id

_MINUTES = timedelta(minutes=1)
A, B = Threshold(metric="a", above=5), Threshold(metric="b", above=5)
_N = None


def samples(*series: Sequence[float | None]) -> list[Any]:
    """Make samples a minute apart, of the values of several series; None: nothing."""
    rows = [tuple(None if value is None else float(value) for value in row) for row in zip(*series, strict=True)]
    return [Sample(minute(n), row) for n, row in enumerate(rows) if any(value is not None for value in row)]


def found(condition: Composite, *series: Sequence[float | None], hold_for: float = 0) -> list[Times]:
    return times(compile_condition(rule_for(condition, hold_for=hold_for)), samples(*series))


@pytest.mark.parametrize(
    ("condition", "a", "b", "expected"),
    [
        (AllOf(of=(A, B)), [0, 9, 9, 9, 0], [0, 0, 9, 9, 9], [(2, 2, 4)]),
        (AllOf(of=(A, B)), [9, 9, 9], [_N, _N, _N], []),
        (AllOf(of=(A, B)), [9, 9, _N, 0], [9, _N, _N, _N], [(0, 0, 3)]),
        (AnyOf(of=(A, B)), [0, 9, 9, 0, 0], [0, 0, 9, 9, 0], [(1, 1, 4)]),
        (AnyOf(of=(A, B)), [0, 9, 0], [_N, _N, _N], [(1, 1, None)]),
        (Not(of=A), [9, 0, 0, 9], [_N] * 4, [(1, 1, 3)]),
        (AllOf(of=(A, Not(of=B))), [9, 9, 9], [_N, 0, 9], [(1, 1, 2)]),
        (Not(of=AnyOf(of=(A, B))), [9, 0, 0], [0, 0, 9], [(1, 1, 2)]),
        (AllOf(of=(A, Stuck(metric="b", duration=2 * _MINUTES, at_least=3))), [9] * 5, [1, 1, 1, 1, 2], [(2, 2, 4)]),
        (AllOf(of=(A, RateOfChange(metric="b", above=2, per=_MINUTES))), [9] * 4, [0, 0, 3, 3], [(2, 2, 3)]),
        (
            AnyOf(of=(A, ValueChange(metric="b", window=9 * _MINUTES, of="increase", above=5))),  # pyright: ignore[reportArgumentType]  # as the enum
            [0, 0, 0],
            [0, 3, 6],
            [(2, 2, None)],
        ),
        (AllOf(of=(A, Calculated(expression="b * 2", names={"b": "b"}, above=5))), [9, 9], [1, 3], [(1, 1, None)]),
    ],
    ids=[
        "all", "all: one is not known", "all: values go on", "any", "any: the end is not known", "not", "all, not",
        "not any", "stuck", "rate", "change", "calculated",
    ],
)  # fmt: skip
def test_it_lasts_while_it_is_so(
    condition: Composite, a: Sequence[float | None], b: Sequence[float | None], expected: list[Times]
) -> None:
    series = (a,) if isinstance(condition, Not) and condition.of == A else (a, b)
    assert found(condition, *series) == expected


@pytest.mark.parametrize(("a", "b"), list(product([None, 0.0, 9.0], repeat=2)))
def test_truth_is_that_of_kleene(a: float | None, b: float | None) -> None:
    known = {None: None, 0.0: False, 9.0: True}
    truths = [known[a], known[b]]
    both = False if False in truths else None if None in truths else True
    one = True if True in truths else None if None in truths else False
    first: list[float | None] = [a, None]
    second: list[float | None] = [b, None]
    assert bool(found(AllOf(of=(A, B)), first, second)) is (both is True)
    assert bool(found(AnyOf(of=(A, B)), first, second)) is (one is True)
    assert bool(found(Not(of=AllOf(of=(A, B))), first, second)) is (both is False)
    assert bool(found(Not(of=AnyOf(of=(A, B))), first, second)) is (one is False)


def test_hold_for_runs_on_when_one_part_takes_over() -> None:
    assert found(AnyOf(of=(A, B)), [9, 9, 0, 0, 0], [0, 9, 9, 9, 0], hold_for=3) == [(0, 3, 4)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([4, 6, 4], [2, 2, 2], [(1, 1, 2)]),
        ([4, 6, _N, 4], [2, _N, 1, 2], [(1, 1, 3)]),
        ([6, 6, 6], [0, 0, 2], [(2, 2, None)]),
        ([6, _N, _N, _N, _N, _N], [_N, _N, _N, _N, _N, 2], []),
        ([6, _N, _N, 6, _N, _N], [_N, _N, _N, _N, 2, 2], [(4, 4, None)]),
        ([6, 6], [_N, _N], []),
    ],
    ids=["together", "one by one", "division by zero", "too old", "new again", "never"],
)
def test_a_number_is_made_of_the_last_values(
    a: Sequence[float | None], b: Sequence[float | None], expected: list[Times]
) -> None:
    condition = Calculated(expression="x / b", names={"b": "b", "x": "a"}, above=2.5, within=3 * _MINUTES)
    assert found(condition, b, a) == expected


@pytest.mark.parametrize(
    ("condition", "metrics", "slots"),
    [
        (AllOf(of=(A, B)), ("a", "b"), [(1, 2), (3, 4)]),
        (AllOf(of=(A, B)), ("a", "c"), []),
        (AnyOf(of=(A, B)), ("c", "b"), [(0, 2), (0, 4)]),
        (Not(of=A), ("a",), [(1,), (2,)]),
        (Calculated(expression="a + b", names={"a": "a", "b": "b"}, above=1), ("b", "a"), [(2, 1), (4, 3)]),
        (Calculated(expression="a + b", names={"a": "a", "b": "b"}, above=1), ("a",), []),
    ],
    ids=["all", "one is missing", "any", "not", "calculated", "not to be calculated"],
)
def test_it_is_for_devices_that_have_what_it_needs(
    condition: Composite, metrics: tuple[str, ...], slots: list[tuple[int, ...]]
) -> None:
    rule = rule_for(condition)
    targets, refusals = find_targets([(version_id(rule), rule)], watched(2, metrics))
    assert [target.source.slots for target in targets] == slots
    assert [target.key.subject for target in targets] == ["device:1", "device:2"][: len(slots)]
    assert refusals == []
