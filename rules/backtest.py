"""Back-test: what a rule would have raised over stored history.

The same fold as the engine's over the same observations, so that a back-test of a stretch equals the live record of
it, alert for alert. It begins at the saved state of the live fold nearest before the stretch, where the rule version is
live, else at the first stored observation. Nothing is written.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.conditions.span import Span
from rules.conditions.watch import ALWAYS
from rules.fold import Fold, FoldState
from rules.instants import to_datetime, to_instant
from rules.lifecycle import Episode, Recording, reconcile
from rules.store import Store
from rules.targets import Target, find_targets
from rules.wording import summary_of
from veldwatch.errors import RuleInvalid
from veldwatch.model.alert import Alert
from veldwatch.model.identifiers import RuleVersionId
from veldwatch.model.rule import Rule
from veldwatch.wire.rule_document import version_id

_NIGHT = (22, 6)
"""Hours of the local day in which a message wakes people: from ten in the evening to six."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The part of history that is asked about: alerts that fired in it, as they stood at its end."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One alert that would have been raised."""

    target: Target
    alert: Alert

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
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
            "value": alert.value,
            "summary": summary_of(self.target, alert),
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
        weeks = (self.stretch.until - self.stretch.since).total_seconds() / (7 * 86400)
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
            "at_night": sum(_is_night(finding.alert, zone) for finding in self.findings),
            "devices": dict(Counter(_place_of(f.target) for f in self.findings).most_common()),
            "alerts": [finding.document() for finding in self.findings],
        }


def _place_of(target: Target) -> str:
    return target.device.external_id if target.device else target.site_slug or ""


def run_backtest(store: Store, rule: Rule, stretch: Stretch) -> BacktestReport:
    """Fold a rule over history.

    Args:
        store: shows observations before `stretch.until` only.

    Raises:
        RuleInvalid: the rule cannot be carried out.
    """
    version = version_id(rule)
    targets, refusals = find_targets([(version, rule)], store.watched())
    if refusals and not targets:
        raise RuleInvalid(refusals[0].reason)
    watch = store.watch(ALWAYS)
    findings: list[Finding] = []
    seen = 0
    for target in targets:
        episodes, count = _folded(store, target, target.fold_under(watch), stretch)
        seen += count
        findings.extend(_findings(target, episodes, version, stretch))
    findings.sort(key=lambda finding: (finding.alert.fired_at or finding.alert.opened_at, str(finding.alert.id)))
    return BacktestReport(
        rule=rule, stretch=stretch, subjects=len(targets), observations=seen, findings=tuple(findings)
    )


def _folded(store: Store, target: Target, fold: Fold, stretch: Stretch) -> tuple[list[Episode], int]:
    state, position = _beginning(store, fold, target, stretch)
    episodes: list[Episode] = []
    count = 0
    more = True
    while more:
        (page,) = store.observations([(target.source, position)], to_instant(stretch.until))
        state, settled = fold.advance(state, page.observations)
        episodes.extend(Episode(span, at) for span, at in settled)
        count += len(page.observations)
        position, more = (page.observations[-1].at if page.observations else position), page.more
    episodes.extend(Episode(span) for span in fold.spans_at(state, to_instant(stretch.until)))
    return episodes, count


def _beginning(store: Store, fold: Fold, target: Target, stretch: Stretch) -> tuple[FoldState, int | None]:
    kept = store.checkpoint(target.key, to_instant(stretch.since))
    if kept is not None:
        return fold.load(kept[1]), kept[0]
    saved = store.folds([target.key]).get(target.key)
    if saved is not None and saved.floor is not None:
        return fold.initial(truncated=True), saved.floor
    return fold.initial(), None


def _findings(target: Target, episodes: list[Episode], version: RuleVersionId, stretch: Stretch) -> Iterator[Finding]:
    recording = Recording(
        version=version, subject=target.key.subject, now=stretch.until, news_age=stretch.until - stretch.since
    )
    fired = [episode for episode in episodes if _fired_within(episode.span, stretch)]
    for revision in reconcile([], fired, recording):
        yield Finding(target=target, alert=replace(revision.alert, late=False))


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
    yield f"{document['count']} alerts, {document['per_week']} a week, {document['at_night']} at night"
