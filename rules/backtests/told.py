"""Who would have been told of alerts: receivers as they are today, each with what it would have heard. Pure."""

from collections.abc import Iterable
from typing import Any

from rules.backtest import BacktestReport
from rules.backtests.telling import Surroundings, Telling, Told
from veldwatch.model.notifications import SEVERITIES
from veldwatch.storage.backtests import StoredReceiver

NOT_REGARDED = ("arrival", "other_rules", "people", "today")
"""What a back-test cannot know of who is told: when data came, the alerts of other rules, what people did to alerts
meanwhile, and how receivers, silences, the calendar and places were then: it takes what is stored today."""


class _Heard:
    """What receivers would have heard of a report; those of the same organisation and severity hear the same."""

    def __init__(self, report: BacktestReport, around: Surroundings) -> None:
        self._told = Told(report.rule, report.findings, around, report.stretch.until)
        self._known: dict[tuple[str | None, str], Telling] = {}

    def by(self, receiver: StoredReceiver) -> Telling:
        if not receiver.enabled:
            return Telling()
        key = receiver.organisation, receiver.minimum_severity
        if key not in self._known:
            self._known[key] = self._told.tell(*key)
        return self._known[key]


def told(
    receivers: Iterable[StoredReceiver],
    draft: BacktestReport,
    present: BacktestReport | None,
    around: Surroundings | None = None,
) -> list[dict[str, Any]]:
    """Say, for each receiver, of how many alerts it would be told in how many messages, and what kept others back."""
    heard = _Heard(draft, around or Surroundings())
    heard_now = None if present is None else _Heard(present, around or Surroundings())
    return [_line(receiver, draft, heard.by(receiver), heard_now and heard_now.by(receiver)) for receiver in receivers]


def _line(
    receiver: StoredReceiver, draft: BacktestReport, telling: Telling, telling_now: Telling | None
) -> dict[str, Any]:
    return {
        "receiver": receiver.slug,
        "organisation": receiver.organisation,
        "channel": receiver.channel,
        "minimum_severity": receiver.minimum_severity,
        "alerts": len(telling.alerts),
        "present_alerts": None if telling_now is None else len(telling_now.alerts),
        "messages": len(telling.messages),
        "present_messages": None if telling_now is None else len(telling_now.messages),
        "kept_back": dict(sorted(telling.kept_back.items())),
        "waited": dict(sorted(telling.waited.items())),
        "why_not": _why_not(receiver, draft, telling),
    }


def _why_not(receiver: StoredReceiver, report: BacktestReport, telling: Telling) -> str | None:
    if not receiver.enabled:
        return "disabled"
    rule = report.rule
    worst = max(SEVERITIES.index(severity.value) for severity in (rule.severity, *(s.severity for s in rule.escalate)))
    reaches = worst >= SEVERITIES.index(receiver.minimum_severity)
    heard = bool(telling.alerts or telling.kept_back or telling.waited)
    return None if heard or reaches else "severity"
