"""Who would have been told of a back-test's alerts: through the stages that real notifications pass."""

from dataclasses import replace
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from rules.backtest import BacktestReport, Finding
from rules.backtests.stretch import Stretch
from rules.backtests.telling import Surroundings
from rules.backtests.told import told
from rules.targets import find_targets
from tests.unit.rules.worlds import START, neighbourhood, rule_for
from veldwatch.model.alert import Alert, AlertState, Raise
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.explanation import Interruption
from veldwatch.model.identifiers import AlertId, RuleVersionId
from veldwatch.model.rule import Escalation, Rule, Severity
from veldwatch.model.schedule import Hours, Schedule
from veldwatch.storage.backtests import StoredReceiver, StoredSilence

ABOVE = rule_for(Threshold(metric="value", above=1), name="above")
SILENT = rule_for(Absence(silent_for=timedelta(minutes=30)), name="silent")
DESK = StoredReceiver("desk", None, "email", "info", enabled=True)
PATHS: dict[int, tuple[int, ...]] = {int(site.id): tuple(range(1, site.id + 1)) for site in neighbourhood().sites}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def report(rule: Rule, *times: tuple[int, int, int | None], raises: dict[int, str] | None = None) -> BacktestReport:
    """Make alerts of devices: device, fired and resolved in minutes; all of them rise at the minutes given."""
    targets, _ = find_targets([(RuleVersionId(UUID(int=1)), rule)], neighbourhood())
    by_device = {int(target.device.id): target for target in targets if target.device is not None}
    steps = tuple(Raise(at=START + minutes(at), severity=severity) for at, severity in (raises or {}).items())
    alerts = [
        Alert(
            id=AlertId(UUID(int=1000 + number)),
            state=AlertState.FIRING if resolved is None else AlertState.RESOLVED,
            opened_at=START + minutes(fired),
            fired_at=START + minutes(fired),
            resolved_at=None if resolved is None else START + minutes(resolved),
            settled_at=None,
            recorded_at=START,
            raises=steps,
        )
        for number, (_, fired, resolved) in enumerate(times)
    ]
    return BacktestReport(
        rule=rule,
        stretch=Stretch(since=START, until=START + timedelta(days=2)),
        subjects=1,
        observations=1,
        findings=tuple(
            Finding(target=by_device[device], alert=alert) for (device, *_), alert in zip(times, alerts, strict=True)
        ),
    )


def line(made: BacktestReport, receiver: StoredReceiver = DESK, **around: Any) -> dict[str, Any]:  # noqa: ANN401
    [found] = told([receiver], made, None, Surroundings(paths=PATHS, **around))
    return found


def test_each_alert_is_a_message_where_nothing_ties_them() -> None:
    found = line(report(ABOVE, (1, 0, 5), (1, 600, None)))
    assert (found["alerts"], found["messages"], found["kept_back"], found["why_not"]) == (2, 2, {}, None)


def test_a_receiver_hears_of_its_severities_only() -> None:
    assert line(report(ABOVE, (1, 0, 5)), DESK._replace(minimum_severity="critical"))["why_not"] == "severity"
    assert line(report(ABOVE, (1, 0, 5)), DESK._replace(enabled=False))["why_not"] == "disabled"
    assert line(report(ABOVE, (1, 0, 5)), DESK._replace(organisation="elsewhere"))["alerts"] == 0


def test_a_raise_that_is_severe_enough_is_the_first_that_a_receiver_hears() -> None:
    worse = Escalation(severity=Severity.CRITICAL, after=minutes(60))
    rule = replace(rule_for(ABOVE.condition, name="above", escalate=(worse,)))
    made = report(rule, (1, 0, None), raises={60: "critical"})
    boss = line(made, DESK._replace(minimum_severity="critical"))
    assert (boss["alerts"], boss["messages"], boss["why_not"]) == (1, 1, None)
    assert (line(made)["alerts"], line(made)["messages"]) == (1, 2)


def test_alerts_outside_the_hours_wait_and_those_that_are_over_are_not_told() -> None:
    hours = Hours(days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), begin=time(8), end=time(17))
    rule = replace(ABOVE, schedule=Schedule(time_zone="UTC", hours=(hours,)))
    found = line(report(rule, (1, 60, 120), (1, 300, None)))
    assert (found["alerts"], found["messages"]) == (1, 1)
    assert (found["kept_back"], found["waited"]) == ({"off_schedule": 1}, {"off_schedule": 1})


def test_what_a_silence_matches_waits_until_it_ends() -> None:
    silence = StoredSilence(1, None, "ab*", None, 1, None, None, (), {}, START - minutes(5), START + minutes(100))
    made = report(ABOVE, (1, 0, 50), (1, 60, None), (4, 700, None))
    found = line(made, silences=(silence,))
    assert (found["alerts"], found["kept_back"], found["waited"]) == (2, {"silenced": 1}, {"silenced": 1})
    other = silence._replace(rule="other")
    assert line(made, silences=(other,))["alerts"] == 3


def test_silence_within_a_planned_interruption_is_told_if_it_outlasts_it() -> None:
    site = report(SILENT, (1, 0, 1)).findings[0].target.site_id
    assert site is not None
    cut = Interruption(id=7, begins_at=START - minutes(5), ends_at=START + minutes(90), sites=frozenset({int(site)}))
    back = line(report(SILENT, (1, 0, 60)), interruptions=(cut,))
    assert (back["alerts"], back["kept_back"]) == (0, {"inhibited": 1})
    gone = line(report(SILENT, (1, 0, None)), interruptions=(cut,))
    assert (gone["alerts"], gone["waited"]) == (1, {"inhibited": 1})


def test_what_begins_together_at_one_place_is_one_message() -> None:
    found = line(report(ABOVE, (1, 0, None), (2, 0, None), (3, 0, None)))
    assert (found["alerts"], found["messages"]) == (3, 1)
    apart = line(report(ABOVE, (1, 0, None), (2, 500, None)))
    assert (apart["alerts"], apart["messages"]) == (2, 2)


def test_both_versions_are_told_side_by_side() -> None:
    made, present = report(ABOVE, (1, 0, 5), (1, 600, 700)), report(ABOVE, (1, 0, 5))
    [found] = told([DESK], made, present)
    assert (found["alerts"], found["present_alerts"], found["messages"], found["present_messages"]) == (2, 1, 2, 1)
