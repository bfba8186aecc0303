"""Joint baseline: several series that leave what is usual together."""

import json
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from rules.conditions.joint_baseline import JointCondition, JointState, compile_joint_baseline
from rules.conditions.span import Sample, Span
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.usual import JointBaseline

_HOUR = timedelta(hours=1)
Values = tuple[float | None, ...]


def usual(count: int, seed: int = 1) -> list[Values]:
    draw = np.random.default_rng(seed)
    return [tuple(level + float(draw.uniform(-1, 1)) for level in (8.0, 750.0, 3.0, 20.0)) for _ in range(count)]


def changed(samples: Sequence[Values], by: Values) -> list[Values]:
    return [
        tuple(None if value is None or add is None else value + add for value, add in zip(values, by, strict=True))
        for values in samples
    ]


def folded(samples: Sequence[Values], **changes: object) -> tuple[JointCondition, JointState, list[Span]]:
    """Fold a sample a minute."""
    fields: dict[str, object] = {"window": 12 * _HOUR, "learn_for": 6 * _HOUR, "over": timedelta(minutes=5), **changes}
    joint = JointBaseline(metrics=("a", "b", "c", "d"), **fields)  # pyright: ignore[reportArgumentType]
    condition = compile_joint_baseline(joint, 0)
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    for number, values in enumerate(samples):
        state, span = condition.step(state, Sample(minute(number), values))
        spans += [span] if span and span.counts else []
    last = condition.open_span(state, minute(len(samples)))
    return condition, state, [*spans, *([last] if last else [])]


def test_series_that_leave_together_are_told_and_their_return_ends_it() -> None:
    event = changed(usual(20, seed=2), (4.0, -4.0, 4.0, 0.0))
    _, _, spans = folded([*usual(600), *event, *usual(60, seed=3)])
    assert len(spans) == 1
    opened, ended = spans[0].opened_at, spans[0].ended_at
    assert minute(600) < opened <= minute(606)
    assert ended is not None
    assert minute(620) < ended <= minute(626)
    assert (spans[0].value or 0) >= 2.5


def test_one_series_alone_is_not_told_however_far_it_goes() -> None:
    assert folded([*usual(600), *changed(usual(60, seed=2), (500.0, 0.0, 0.0, 0.0))])[2] == []


def test_a_series_that_went_its_way_for_long_is_learnt_again() -> None:
    gone = changed(usual(900, seed=2), (500.0, 0.0, 0.0, 0.0))
    with_two = changed(gone[-30:], (0.0, 5.0, 0.0, 0.0))
    lasting = {"strongest": 2, "limit": 3.5}
    stays = folded([*usual(600), *gone, *with_two], **lasting, relearn_after=30 * 24 * _HOUR)[2]
    assert [span.opened_at > minute(1500) for span in stays] == [True]
    assert folded([*usual(600), *gone, *with_two], **lasting, relearn_after=2 * _HOUR)[2] == []


def test_a_series_that_says_nothing_takes_no_part() -> None:
    silent = changed(usual(600), (0.0, 0.0, 0.0, None))
    event = changed(usual(20, seed=2), (4.0, -4.0, 4.0, None))
    assert len(folded([*silent, *event])[2]) == 1
    old = [*usual(600), *changed(usual(3, seed=2), (9.0, 9.0, 9.0, 9.0)), *[(None, None, None, 20.0)] * 30]
    assert [span.ended_at is not None for span in folded(old)[2]] in ([True], [])


def test_a_state_comes_back_from_json() -> None:
    condition, state, _ = folded([*usual(700), *changed(usual(10, seed=2), (4.0, -4.0, 4.0, None))])
    assert state.span is not None
    assert condition.load(json.loads(json.dumps(state))).parts == state.parts
