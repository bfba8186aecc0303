"""Screening takes up what is uneventful as the folds themselves would, and passes on the rest."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Reading
from rules.engine import Engine, EngineSettings
from rules.instants import to_instant
from rules.screening.registry import TABLES, table_of
from rules.screening.screen import Screen
from rules.screening.table import kind_of
from rules.targets import find_targets
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import READING_RULES, Stored, batched, in_order, unique
from tests.unit.rules.worlds import LATER, START, active, minute, rule_for, watched
from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.conditions.values import RateOfChange, Threshold
from veldwatch.model.rule import Escalation, Rule, Severity
from veldwatch.storage.folds import NOTHING_READ
from veldwatch.wire.rule_document import version_id

_STEPS = st.lists(st.tuples(st.sampled_from([1, 2]), st.integers(0, 9)), max_size=120)


def rising(steps: Sequence[tuple[int, int]]) -> list[Stored]:
    """Make readings in order, a minute apart: a register that rests and runs, with a value as its last digit."""
    return [(source, Reading(minute(number), float(value))) for number, (source, value) in enumerate(steps)]


@given(steps=_STEPS, sizes=st.lists(st.integers(1, 40), max_size=6), spoken=st.booleans())
@settings(max_examples=100, deadline=None)
def test_in_order_and_in_large_batches_the_alerts_are_those_of_single_readings(
    steps: list[tuple[int, int]], sizes: list[int], spoken: bool
) -> None:
    readings = unique(rising(steps))
    store = MemoryStore([active(rule) for rule in READING_RULES], watched())
    engine = Engine(store, EngineSettings())
    engine.refresh(START)
    for batch in batched(readings, sizes):
        last = batch[-1][1].at if batch else to_instant(START)
        now = START.fromtimestamp(last / 1e6, tz=START.tzinfo)
        engine.consume(*store.put(batch), now)
        if spoken:
            engine.wake(now)
            engine.flush(now, everything=True)
    engine.wake(LATER)
    assert store.final() == in_order(READING_RULES, readings).final()


@pytest.mark.parametrize("rule", READING_RULES, ids=lambda rule: rule.id)
def test_what_is_taken_up_leaves_the_state_that_the_fold_would_have(rule: Rule) -> None:
    (target,) = (t for t in find_targets([(version_id(rule), rule)], watched())[0] if t.source_id == 1)

    @settings(max_examples=60, deadline=None)
    @given(
        values=st.lists(st.integers(0, 9).map(float), min_size=2, max_size=14),
        steps=st.lists(st.sampled_from([1, 2, 9]), min_size=14, max_size=14),
        held_after=st.integers(1, 8),
    )
    def check(values: list[float], steps: list[int], held_after: int) -> None:
        readings = [Reading(minute(sum(steps[:n])), value) for n, value in enumerate(values)]
        before, rest = readings[:held_after], readings[held_after:]
        state, _ = target.fold.advance(target.fold.initial(), before)
        if state.lingering is not None:
            return
        if kind_of(target.fold.condition) not in TABLES:
            return
        screen = Screen([target], table_of(kind_of(target.fold.condition)))
        screen.hold(target.key, state, before[-1].at, NOTHING_READ)
        columns = (np.array([seen.at for seen in rest], np.int64), np.array([seen.value for seen in rest], float))
        loud = screen.sift(1, np.ones(len(rest), np.int64), *columns)
        held = screen.release(target.key, state)
        if held is None:
            assert len(loud.rows) == len(rest)
            return
        quiet = rest[: len(rest) - len(loud.rows)]
        assert loud.rows.tolist() == list(range(len(quiet), len(rest)))
        expected, settled = target.fold.advance(state, quiet)
        assert (held[0], held[1]) == (expected, (before + quiet)[-1].at)
        assert settled == []

    check()


def test_uneventful_readings_do_not_reach_the_fold() -> None:
    rule = rule_for(Threshold(metric="value", above=5))
    store = MemoryStore([active(rule)], watched())
    engine = Engine(store, EngineSettings())
    engine.refresh(START)
    engine.consume(*store.put([(1, Reading(minute(0), 1.0))]), START)
    before = dict(store.folds(store.saved_keys()))
    engine.consume(*store.put([(1, Reading(minute(n), 2.0)) for n in range(1, 6)]), START)
    assert store.folds(store.saved_keys()) == before
    engine.flush(START, everything=True)
    (fold,) = store.folds(store.saved_keys()).values()
    assert fold.position == minute(5)


def test_a_reading_that_is_late_for_a_fold_that_is_held_rewinds_it() -> None:
    rule = rule_for(Threshold(metric="value", above=5))
    store = MemoryStore([active(rule)], watched())
    engine = Engine(store, EngineSettings())
    engine.refresh(START)
    for at, value in ((0, 1.0), (10, 1.0), (11, 1.0), (4, 9.0), (5, 2.0)):
        engine.consume(*store.put([(1, Reading(minute(at), value))]), START)
    ((_, _, state, opened, _, resolved, _),) = store.final()
    assert (state, to_instant(opened)) == ("resolved", minute(4))
    assert resolved is not None
    assert to_instant(resolved) == minute(5)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        (Threshold(metric="value", above=2), (0.0, 3.0, 3.5, 9.0)),
        (RateOfChange(metric="value", above=1, per=timedelta(minutes=1)), (0.0, 2.0, 4.0, 9.0)),
    ],
)
def test_a_reading_that_is_worse_reaches_a_fold_that_holds_already(
    condition: Condition, values: tuple[float, ...]
) -> None:
    rule = rule_for(condition, escalate=(Escalation(severity=Severity.CRITICAL, above=4),))
    store = MemoryStore([active(rule)], watched())
    engine = Engine(store, EngineSettings())
    engine.refresh(START)
    for at, value in enumerate(values):
        engine.consume(*store.put([(1, Reading(minute(at), value))]), LATER)
    ((*_, raises),) = store.final()
    assert [(raised.at, raised.severity) for raised in raises] == [(START + timedelta(minutes=3), "critical")]
