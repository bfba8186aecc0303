"""Leaps over strips come to what folding each observation comes to, in whatever portions history is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.backtest import run_backtests
from rules.backtests import strips
from rules.backtests.folding import Folding, fold_history
from rules.backtests.leaps import LEAPS
from rules.backtests.stretch import Stretch
from rules.backtests.strips import fold_strips
from rules.conditions.span import Contact, Instant, Observation, Reading
from rules.instants import to_datetime
from rules.targets import find_targets
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import CONTACT_RULES, READING_RULES
from tests.unit.rules.worlds import START, minute, rule_for, watched
from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule
from veldwatch.storage.strips import Strip
from veldwatch.wire.rule_document import version_id

FLOWS = tuple(
    rule_for(
        ContinuousFlow(
            metric="value",
            duration=timedelta(minutes=duration),
            max_gap=timedelta(minutes=7),
            of=of,
            minimum=2,
            beginning=beginning,
        ),
        keep_firing_for=keep,
        name=f"flow.{of.value}.{beginning.value}.{duration}.{keep}",
    )
    for of in FlowKind
    for beginning in Beginning
    for duration, keep in ((10, 0), (0, 0), (10, 9))
)
THRESHOLDS = tuple(
    rule_for(threshold, hold_for=hold, keep_firing_for=keep, name=f"limit.{number}.{hold}.{keep}")
    for number, threshold in enumerate(
        (
            Threshold(metric="value", above=6, dead_band=2),
            Threshold(metric="value", below=2),
            Threshold(metric="value", outside=(2, 7), dead_band=1),
        )
    )
    for hold, keep in ((0, 0), (4, 0), (0, 6), (3, 8))
)
RULES: tuple[Rule, ...] = (
    *READING_RULES,
    *CONTACT_RULES,
    *FLOWS,
    *THRESHOLDS,
    rule_for(Absence(silent_for=timedelta(minutes=6)), name="silent"),
)


class Shelf(MemoryStore):
    """A store that gives strips, and notices when it is asked for too much."""

    def strips(
        self, kind: Input, sources: Sequence[int], after: Instant, until: Instant, most: int
    ) -> dict[int, Strip] | None:
        rows = self.seen(kind, sources, after, until)
        if len(rows.at) > most:
            return None
        values = rows.value if kind is Input.READINGS else np.zeros(len(rows.at))
        return {
            int(source): Strip(rows.at[rows.source == source], values[rows.source == source])
            for source in np.unique(rows.source)
        }


@dataclass(frozen=True, kw_only=True)
class World:
    """Two devices, what they said, and who listened when."""

    seen: list[tuple[int, Observation]]
    gaps: list[tuple[int, int]]

    def store(self, until: Instant) -> Shelf:
        """Give a store that holds what came before a time."""
        made = Shelf([], watched(2))
        made.put([(device, seen) for device, seen in self.seen if seen.at < until])
        if self.gaps:
            begin = -10
            for at, length in sorted(self.gaps):
                if at > begin:
                    made.spans.append((minute(begin), minute(at)))
                begin = max(begin, at + length)
            made.spans.append((minute(begin), minute(1000)))
        return made


def worlds() -> st.SearchStrategy[World]:
    step = st.sampled_from([1, 1, 1, 2, 3, 8, 30])
    value = st.integers(0, 9).map(float)
    one = st.tuples(step, value, st.sampled_from([1, 2]), st.sampled_from(["reading", "contact", "both"]))
    return st.builds(
        _world, st.lists(one, max_size=120), st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=2)
    )


def _world(steps: list[tuple[int, float, int, str]], gaps: list[tuple[int, int]]) -> World:
    at = 0
    seen: list[tuple[int, Observation]] = []
    for step, value, device, what in steps:
        at += step
        if what != "contact":
            seen.append((device, Reading(minute(at), value)))
        if what != "reading":
            seen.append((device, Contact(minute(at))))
    return World(seen=seen, gaps=gaps)


def _said(folding: Sequence[Folding]) -> dict[object, object]:
    return {each.target.key: (each.episodes, each.observations, each.position, each.state) for each in folding}


@settings(max_examples=150, deadline=None)
@given(
    world=worlds(),
    since=st.integers(0, 150),
    length=st.integers(1, 300),
    most=st.sampled_from([1, 3, 10, 1000]),
    plain=st.sampled_from([1, 2, 16]),
    window=st.sampled_from([2, 5, 4096]),
)
def test_leaps_come_to_what_each_observation_comes_to(
    world: World, since: int, length: int, most: int, plain: int, window: int
) -> None:
    stretch = Stretch(since=to_datetime(minute(since)), until=to_datetime(minute(since + length)))
    shown = world.store(minute(since + length))
    targets, refusals = find_targets([(version_id(rule), rule) for rule in RULES], shown.watched())
    assert refusals == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "_MOST", most)
        patch.setattr(strips, "_WANTED", most)
        patch.setattr(strips, "_PLAIN", plain)
        patch.setattr(strips, "_WINDOW", window)
        leapt = _said(list(fold_strips(shown, targets, stretch)))
    assert leapt == _said(list(fold_history(shown, targets, stretch)))


def test_every_leap_is_tried() -> None:
    targets, _ = find_targets([(version_id(rule), rule) for rule in RULES], watched(2))
    assert {type(target.fold.condition) for target in targets} >= set(LEAPS)


def test_a_report_is_the_same_however_it_is_folded() -> None:
    values = [1, 9, 9, 1, 5, 9, 9, 9, 1]
    store = World(seen=[(1, Reading(minute(n), float(v))) for n, v in enumerate(values)], gaps=[]).store(minute(60))
    stretch = Stretch(since=START, until=START + timedelta(minutes=60))
    plain = run_backtests(store, RULES, stretch)
    leapt = run_backtests(
        store, RULES, stretch, fold=lambda targets, asked, step: fold_strips(store, targets, asked, step)
    )
    assert [report.findings for report in leapt] == [report.findings for report in plain]
    assert any(report.findings for report in plain)
