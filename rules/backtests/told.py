"""Who would have been told of alerts: receivers as they are today, with their channels and minimum severities. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rules.backtest import BacktestReport
from veldwatch.model.notifications import SEVERITIES
from veldwatch.storage.backtests import Told


def told(receivers: Iterable[Told], draft: BacktestReport, present: BacktestReport | None) -> list[dict[str, Any]]:
    """Count, for each receiver, the alerts that it would be told of, and why of none."""
    return [_line(receiver, draft, present) for receiver in receivers]


def _line(receiver: Told, draft: BacktestReport, present: BacktestReport | None) -> dict[str, Any]:
    return {
        "receiver": receiver.slug,
        "organisation": receiver.organisation,
        "channel": receiver.channel,
        "minimum_severity": receiver.minimum_severity,
        "alerts": _count(receiver, draft),
        "present_alerts": None if present is None else _count(receiver, present),
        "why_not": _why_not(receiver, draft),
    }


def _count(receiver: Told, report: BacktestReport) -> int:
    if _why_not(receiver, report) is not None:
        return 0
    by_organisation = Counter(finding.target.place.organisation for finding in report.findings)
    if receiver.organisation is None:
        return len(report.findings)
    return by_organisation[receiver.organisation]


def _why_not(receiver: Told, report: BacktestReport) -> str | None:
    severities: Sequence[str] = SEVERITIES
    if not receiver.enabled:
        return "disabled"
    if severities.index(report.rule.severity.value) < severities.index(receiver.minimum_severity):
        return "severity"
    return None
