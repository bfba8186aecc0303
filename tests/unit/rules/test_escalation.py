"""Severities that rise: when, who is told, and what late data does to them."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from rules.conditions.span import Contact, Observation, Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import START, active, minute, rule_for, watched
from veldwatch.errors import RuleInvalid
from veldwatch.model.alert import Alert, TransitionKind
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Escalation, Rule, Severity
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id

AFTER_TEN = Escalation(severity=Severity.MAJOR, after=timedelta(minutes=10))
ABOVE_EIGHT = Escalation(severity=Severity.CRITICAL, above=8)
ABOVE_FIVE = Threshold(metric="value", above=5)

DOCUMENT = {
    "id": "r",
    "title": "R",
    "severity": "minor",
    "condition": {"kind": "threshold", "metric": "value", "above": 5},
}


class Live:
    """An engine that is told of observations at a minute, and of the time that passes."""

    def __init__(self, rule: Rule) -> None:
        self.store = MemoryStore([active(rule)], watched())
        self._engine = Engine(self.store, EngineSettings())
        self._engine.refresh(START)

    def hear(self, now: float, *observations: Observation) -> None:
        self._engine.consume(*self.store.put([(1, seen) for seen in observations]), START + timedelta(minutes=now))

    def wait(self, now: float) -> None:
        self._engine.wake(START + timedelta(minutes=now))

    def alert(self) -> Alert:
        (alert,) = self.store.all_alerts()
        return alert

    def raises(self) -> list[tuple[float, str]]:
        """Give when it rose, in minutes, and to what."""
        return [((step.at - START) / timedelta(minutes=1), step.severity) for step in self.alert().raises]

    def course(self) -> list[TransitionKind]:
        return [transition.kind for _, transition in self.store.history]


def read(*values: tuple[float, float]) -> Sequence[Reading]:
    return [Reading(minute(at), value) for at, value in values]


def test_it_rises_as_time_passes_and_at_a_level_and_is_told_each_time() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(AFTER_TEN, ABOVE_EIGHT)))
    live.hear(0, *read((0, 6)))
    live.wait(9)
    assert live.raises() == []
    live.wait(11)
    assert live.raises() == [(10, "major")]
    live.hear(20, *read((19, 7), (20, 9)))
    assert live.raises() == [(10, "major"), (20, "critical")]
    live.hear(30, *read((30, 1)))
    assert live.course() == [
        TransitionKind.FIRING,
        TransitionKind.RAISED,
        TransitionKind.RAISED,
        TransitionKind.RESOLVED,
    ]
    told = [message for _, message in live.store.told]
    severities = [message["alert"]["severity"] for message in told]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]
    assert severities == ["minor", "major", "critical", "critical"]
    assert str(told[1]["headline"]).startswith("Worse: ")
    assert "It is major since 1 Mar 2026 00:10:00 UTC" in str(told[1]["text"])


def test_it_never_sinks_and_a_milder_step_that_comes_later_is_no_raise() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(AFTER_TEN, ABOVE_EIGHT)))
    live.hear(0, *read((0, 9)))
    live.hear(5, *read((5, 6)))
    live.wait(20)
    assert live.raises() == [(0, "critical")]


def test_a_level_counts_from_when_it_fires() -> None:
    live = Live(rule_for(ABOVE_FIVE, hold_for=5, escalate=(ABOVE_EIGHT,)))
    live.hear(1, *read((0, 9), (1, 6)))
    assert live.raises() == []
    live.wait(6)
    assert live.raises() == [(5, "critical")]


def test_a_step_that_names_both_waits_for_both() -> None:
    both = Escalation(severity=Severity.CRITICAL, after=timedelta(minutes=10), above=8)
    live = Live(rule_for(ABOVE_FIVE, escalate=(both,)))
    live.hear(0, *read((0, 9)))
    live.wait(11)
    assert live.raises() == [(10, "critical")]


def test_the_reading_that_reached_a_level_is_evidence() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(ABOVE_EIGHT,)))
    live.hear(0, *read((0, 6), (1, 7), (2, 9), (3, 10)))
    readings = live.alert().evidence["readings"]
    assert [reading["value"] for reading in readings] == [6, 9]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]


def test_late_data_that_ends_it_before_a_step_takes_the_raise_back_and_says_so() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(AFTER_TEN,)))
    live.hear(0, *read((0, 6)))
    live.wait(11)
    live.hear(12, *read((8, 1)))
    assert live.raises() == []
    assert live.course() == [TransitionKind.FIRING, TransitionKind.RAISED, TransitionKind.CORRECTED]
    _, corrected = live.store.history[-1]
    assert corrected.detail["severity_before"] == "major"
    assert (corrected.tell, corrected.severity) == (True, "major")


def test_late_data_that_makes_it_worse_raises_it() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(ABOVE_EIGHT,)))
    live.hear(5, *read((0, 6), (5, 6)))
    live.hear(6, *read((2, 9)))
    assert live.raises() == [(2, "critical")]
    assert live.course() == [TransitionKind.FIRING, TransitionKind.RAISED]


def test_flow_is_raised_only_once_a_reading_shows_that_it_went_on() -> None:
    flow = ContinuousFlow(
        metric="value", duration=timedelta(minutes=10), max_gap=timedelta(minutes=30), of=FlowKind.RATE
    )
    live = Live(rule_for(flow, escalate=(AFTER_TEN,)))
    live.hear(20, *read((0, 0), (5, 1), (15, 1)))
    live.wait(26)
    assert live.raises() == []
    live.hear(27, *read((27, 1)))
    live.wait(28)
    assert live.raises() == [(25, "major")]


def test_silence_is_raised_by_time_alone() -> None:
    live = Live(rule_for(Absence(silent_for=timedelta(minutes=5)), escalate=(AFTER_TEN,)))
    live.hear(0, Contact(minute(0)))
    live.wait(6)
    live.wait(16)
    assert live.raises() == [(15, "major")]


def test_it_is_not_raised_while_it_is_away_and_is_when_it_comes_back() -> None:
    live = Live(rule_for(ABOVE_FIVE, keep_firing_for=30, escalate=(AFTER_TEN,)))
    live.hear(5, *read((0, 6), (5, 1)))
    live.wait(12)
    assert live.raises() == []
    live.hear(15, *read((15, 6)))
    assert live.raises() == [(10, "major")]


def test_what_is_history_is_raised_for_the_record_only() -> None:
    live = Live(rule_for(ABOVE_FIVE, escalate=(ABOVE_EIGHT,)))
    live.hear(60 * 24 * 30, *read((0, 6), (1, 9), (2, 1)))
    assert live.course() == [TransitionKind.FIRING, TransitionKind.RAISED, TransitionKind.RESOLVED]
    assert live.store.told == []


def test_steps_are_read_and_written_and_make_another_version() -> None:
    steps = [{"severity": "major", "after": "4h"}, {"severity": "critical", "after": "1h", "above": 8.0}]
    rule = parse_rule({**DOCUMENT, "escalate": steps})
    assert rule_to_document(rule)["escalate"] == steps
    assert version_id(rule) != version_id(parse_rule(DOCUMENT))
    assert "escalate" not in rule_to_document(parse_rule(DOCUMENT))


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ({"severity": "minor", "after": "1h"}, r"bad escalate\[0\].severity: 'minor' \(expected more than minor\)"),
        ({"severity": "major"}, r"missing escalate\[0\].after"),
        ({"severity": "major", "above": 6, "below": 2}, "expected above or below, not both"),
        ({"severity": "major", "after": "0s"}, "expected more than nothing"),
        ({"severity": "major", "above": 6, "by": "me"}, "unknown key 'by'"),
    ],
)
def test_a_step_that_is_wrong_is_refused(step: object, complaint: str) -> None:
    with pytest.raises(RuleInvalid, match=complaint):
        parse_rule({**DOCUMENT, "escalate": [step]})


def test_a_level_is_refused_where_nothing_gets_worse() -> None:
    silence = {"kind": "absence", "silent_for": "1h"}
    with pytest.raises(RuleInvalid, match=r"bad escalate\[0\].above: not for absence"):
        parse_rule({**DOCUMENT, "condition": silence, "escalate": [{"severity": "major", "above": 1}]})
