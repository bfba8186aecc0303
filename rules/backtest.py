"""Back-test: what a rule would have raised over stored history.

The same fold as the engine's over the same observations, so that a back-test of a stretch equals the live record of
it, alert for alert. It begins at the saved state of the live fold nearest before the stretch, where the rule version is
live, else at the first stored observation. Nothing is written.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.backtests.folding import MOST_ALERTS, Folding, Step, fold_history, nothing
from rules.backtests.stretch import Stretch
from rules.conditions.span import Span
from rules.instants import to_datetime
from rules.lifecycle import Recording, reconcile
from rules.store import Store
from rules.targets import Target, find_targets
from rules.wording import evidence_of, summary_of
from veldwatch.errors import BacktestTooLarge, RuleInvalid
from veldwatch.model.alert import Alert
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched
from veldwatch.wire.rule_document import version_id

_NIGHT = (22, 6)
"""Hours of the local day in which a message wakes people: from ten in the evening to six."""


Fold = Callable[[Sequence[Target], Stretch, Step], Iterator[Folding]]
"""How history is folded; all ways come to the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One alert that would have been raised."""

    target: Target
    alert: Alert

    @property
    def place(self) -> tuple[str, str]:
        """Name the organisation, and the device or site that it is about."""
        return self.target.place.organisation, _place_of(self.target)

    @property
    def order(self) -> tuple[datetime, str]:
        """Give what findings are sorted by: when they fired."""
        return self.alert.fired_at or self.alert.opened_at, str(self.alert.id)

    def document(self) -> dict[str, Any]:
        """Write it as JSON, with the readings that made it so."""
        alert = self.alert
        return {
            "id": str(alert.id),
            "device": self.target.device.external_id if self.target.device else None,
            "site": self.target.site_slug,
            "organisation": self.target.place.organisation,
            "metric": self.target.series.metric if self.target.series else None,
            "state": alert.state.value,
            "opened_at": _stamp(alert.opened_at),
            "fired_at": _stamp(alert.fired_at),
            "resolved_at": _stamp(alert.resolved_at),
            "severity": alert.raises[-1].severity if alert.raises else self.target.rule.severity.value,
            "raises": [{"at": _stamp(step.at), "severity": step.severity} for step in alert.raises],
            "value": alert.value,
            "summary": summary_of(self.target, alert),
            "evidence": evidence_of(self.target, alert),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """What a rule would have raised.

    Attributes:
        subjects: how many series or devices it looked at.
        findings: in the order in which they fired.
    """

    rule: Rule
    stretch: Stretch
    subjects: int
    observations: int
    findings: tuple[Finding, ...]

    def document(self, zone: ZoneInfo) -> dict[str, Any]:
        """Write it as JSON.

        Args:
            zone: where night is night.
        """
        return {**self.figures(zone), "alerts": [finding.document() for finding in self.findings]}

    def figures(self, zone: ZoneInfo) -> dict[str, Any]:
        """Write what is counted, without the alerts."""
        weeks = (self.stretch.until - self.stretch.since).total_seconds() / (7 * 86400)
        at_night = sum(_is_night(finding.alert, zone) for finding in self.findings)
        return {
            "rule": self.rule.id,
            "version": str(version_id(self.rule)),
            "severity": self.rule.severity.value,
            "from": _stamp(self.stretch.since),
            "to": _stamp(self.stretch.until),
            "subjects": self.subjects,
            "observations": self.observations,
            "count": len(self.findings),
            "per_week": round(len(self.findings) / weeks, 3) if weeks > 0 else None,
            "risen": dict(Counter(f.alert.raises[-1].severity for f in self.findings if f.alert.raises)),
            "at_night": at_night,
            "share_at_night": round(at_night / len(self.findings), 3) if self.findings else None,
            "devices": dict(Counter(_place_of(f.target) for f in self.findings).most_common()),
        }


def _place_of(target: Target) -> str:
    return target.device.external_id if target.device else target.site_slug or ""


def run_backtest(store: Store, rule: Rule, stretch: Stretch) -> BacktestReport:
    """Fold a rule over history.

    Args:
        store: shows observations before `stretch.until` only.

    Raises:
        RuleInvalid: the rule cannot be carried out.
        BacktestTooLarge: too many alerts come of it.
    """
    return run_backtests(store, [rule], stretch)[0]


def run_backtests(
    store: Store,
    rules: Sequence[Rule],
    stretch: Stretch,
    *,
    watched: Watched | None = None,
    fold: Fold | None = None,
    step: Step = nothing,
) -> list[BacktestReport]:
    """Fold several rules over the same history.

    Args:
        store: shows observations before `stretch.until` only.
        watched: what they may look at; None: all that is registered.
        fold: how; None: page by page.

    Returns:
        A report for each rule, in their order.

    Raises:
        RuleInvalid: a rule cannot be carried out.
        BacktestTooLarge: too many alerts come of it.
    """
    targets, refusals = find_targets(
        [(version_id(rule), rule) for rule in rules], store.watched() if watched is None else watched
    )
    if refusals and not targets:
        raise RuleInvalid(refusals[0].reason)
    versions = [version_id(rule) for rule in rules]
    findings: dict[object, list[Finding]] = {version: [] for version in versions}
    observations: Counter[object] = Counter()
    folded = fold_history(store, targets, stretch, step) if fold is None else fold(targets, stretch, step)
    for folding in folded:
        found = findings[folding.target.key.version]
        observations[folding.target.key.version] += folding.observations
        found.extend(_findings(folding, stretch))
        if len(found) > MOST_ALERTS:
            raise BacktestTooLarge(
                f"more than {MOST_ALERTS} alerts of rule {folding.target.rule.id!r}"
                " (choose a shorter stretch, fewer devices, or a stricter condition)"
            )
    subjects = Counter(target.key.version for target in targets)
    return [
        BacktestReport(
            rule=rule,
            stretch=stretch,
            subjects=subjects[version],
            observations=observations[version],
            findings=tuple(sorted(findings[version], key=lambda finding: finding.order)),
        )
        for rule, version in zip(rules, versions, strict=True)
    ]


def _findings(folding: Folding, stretch: Stretch) -> Iterator[Finding]:
    key = folding.target.key
    recording = Recording(
        version=key.version, subject=key.subject, now=stretch.until, news_age=stretch.until - stretch.since
    )
    fired = [episode for episode in folding.episodes if _fired_within(episode.span, stretch)]
    for revision in reconcile([], fired, recording):
        yield Finding(target=folding.target, alert=replace(revision.alert, late=False))


def _fired_within(span: Span, stretch: Stretch) -> bool:
    if span.reached_at is None:
        return False
    return stretch.since <= to_datetime(span.reached_at) < stretch.until


def _is_night(alert: Alert, zone: ZoneInfo) -> bool:
    if alert.fired_at is None:
        return False
    hour = alert.fired_at.astimezone(zone).hour
    return hour >= _NIGHT[0] or hour < _NIGHT[1]


def _stamp(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Write a report for a person."""
    yield f"{document['rule']} from {document['from']} to {document['to']}"
    yield f"{document['subjects']} subjects, {document['observations']} observations"
    for alert in document["alerts"]:
        end = alert["resolved_at"] or "no end"
        place = alert["device"] or alert["site"]
        yield f"  {place:<20} {alert['opened_at']} fired {alert['fired_at']} until {end}  {alert['summary']}"
        yield from (f"  {'':<20} {step['at']} rose to {step['severity']}" for step in alert["raises"])
    yield f"{document['count']} alerts, {document['per_week']} a week, {document['at_night']} at night"
