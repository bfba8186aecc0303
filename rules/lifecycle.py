"""The lifecycle: what a fold says now against what was recorded before -> transitions, and what people are told.

Pure. In order, an alert goes pending, firing, resolved; while it fires, its severity may rise (`raised`). Data that
came late makes corrections of what was recorded:

- the end or the firing moved, a severity had not risen, or the alert goes on after all: `corrected`;
- it never was: `retracted`;
- its beginning moved, so that its id is another one: the old alert is `retracted` with a pointer to the new one, which
  begins with a `corrected` and inherits the acknowledgement (docs/decisions/0020-late-data-and-alert-ids.md);
- two became one: the earlier is corrected, the later retracted in its favour; one became two: the first is corrected,
  the second begins with a `corrected`.

Who was told that an alert fires is told once of each such change, as a correction; never of the same thing as if it
were new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.conditions.span import Instant, Span
from rules.instants import to_datetime
from veldwatch.model.alert import Alert, AlertState, Raise, TransitionKind, alert_id
from veldwatch.model.identifiers import AlertId, RuleVersionId
from veldwatch.model.notifications import SEVERITIES, Suppression


class Change(StrEnum):
    """Why a transition happened, where it is not the ordinary course."""

    LATE_DATA = "late_data"
    """An observation arrived after later ones had been folded."""
    NOT_REACHED = "not_reached"
    """A pending alert ended before it had lasted long enough."""
    RULE_WITHDRAWN = "rule_withdrawn"
    """The rule was changed or disabled, or is no longer for this device."""


class AlertStretch(NamedTuple):
    """From when to when an alert that is over held."""

    began_at: datetime
    ended_at: datetime


class Episode(NamedTuple):
    """A span that counts or is pending, and the observation that decided its end, if one did."""

    span: Span
    settled_at: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One entry in an alert's history.

    Attributes:
        at: event time of the change.
        detail: what else to keep: reason, times before, pointers.
        tell: people are to be told; not for pending, nor of what they never heard of.
        suppressed: it is written for the record, and not sent.
        severity: to whom it is told, by their minimum; None: the rule's.
    """

    kind: TransitionKind
    at: datetime
    detail: Mapping[str, str | None]
    tell: bool = False
    suppressed: Suppression | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """An alert as it is now to be recorded, and how it came to be so; no transitions: its times are as they were."""

    alert: Alert
    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """For whom and when alerts are recorded.

    Attributes:
        head: the last observation that was folded before this time; None: none was.
        news_age: what fired longer ago is history.
        history: the rule is new and this was before it: what is over is told to nobody.
        answered: what other versions of the rule recorded; what is over and shares time with it is not recorded again.
    """

    version: RuleVersionId
    subject: str
    now: datetime
    news_age: timedelta
    head: datetime | None = None
    history: bool = False
    answered: Sequence[AlertStretch] = ()


def reconcile(recorded: Sequence[Alert], episodes: Sequence[Episode], recording: Recording) -> list[Revision]:
    """Compare what was recorded with what the fold says.

    Args:
        recorded: every alert of this subject that was not settled before the stretch that was folded, and every one,
            even retracted, that has the id of an episode.
        episodes: what that stretch and the time after it hold, oldest first.

    Returns:
        What is to be written: retractions first, so that a correction follows what it corrects.
    """
    stored = {alert.id: alert for alert in recorded}
    found = {_id(recording, episode): episode for episode in episodes}
    vanished = [a for a in recorded if a.id not in found and a.state is not AlertState.RETRACTED]
    revisions = [_retracted(alert, found) for alert in vanished]
    for identity, episode in found.items():
        before = stored.get(identity)
        if before is None or before.state is AlertState.RETRACTED:
            predecessor = (
                before if before and before.told else _predecessor(episode, vanished, stored, found, recording)
            )
            if predecessor is not None or not _is_answered(episode, recording.answered):
                revisions.append(_begun(identity, episode, predecessor, recording))
        else:
            told = before.told or any(alert.told and _overlap(alert, episode, None) for alert in vanished)
            revisions.extend(_continued(replace(before, told=told), episode, recording))
    return revisions


def withdraw(alert: Alert, now: datetime) -> Revision:
    """End an alert whose rule is gone: it is no longer watched, which says nothing of the thing itself."""
    detail = {"reason": Change.RULE_WITHDRAWN.value}
    if alert.state is AlertState.PENDING:
        ended = replace(alert, state=AlertState.RETRACTED)
        return Revision(alert=ended, transitions=(Transition(kind=TransitionKind.RETRACTED, at=now, detail=detail),))
    resolved_at = max(now, alert.fired_at or alert.opened_at)
    ended = replace(alert, state=AlertState.RESOLVED, resolved_at=resolved_at, settled_at=resolved_at)
    transition = Transition(
        kind=TransitionKind.RESOLVED, at=resolved_at, detail=detail, tell=alert.told, severity=_severity(alert)
    )
    return Revision(alert=ended, transitions=(transition,))


def _begun(identity: AlertId, episode: Episode, predecessor: Alert | None, recording: Recording) -> Revision:
    alert = _alert(identity, episode, predecessor, recording)
    if predecessor is not None and predecessor.told and alert.state is not AlertState.PENDING:
        detail = {"reason": Change.LATE_DATA.value, "supersedes": str(predecessor.id), **_times(predecessor)}
        kind = TransitionKind.CORRECTED
        return Revision(
            alert=replace(alert, told=True),
            transitions=(
                Transition(
                    kind=kind, at=_latest(alert), detail=detail, tell=True, severity=_severity(alert, predecessor)
                ),
                *_raised(alert, predecessor.raises, None),
            ),
        )
    return _announced(alert, recording)


def _announced(alert: Alert, recording: Recording) -> Revision:
    """Record an alert that nobody was told of."""
    if alert.fired_at is None:
        pending = Transition(kind=TransitionKind.PENDING, at=alert.opened_at, detail={})
        return Revision(alert=alert, transitions=(pending,))
    history = alert.resolved_at is not None and (alert.late or recording.history)
    suppressed = Suppression.HISTORY if history else None
    transitions = [
        Transition(kind=TransitionKind.FIRING, at=alert.fired_at, detail={}, tell=True, suppressed=suppressed)
    ]
    transitions += _raised(alert, (), suppressed)
    if alert.resolved_at is not None:
        transitions.append(_resolved(alert, alert.resolved_at, suppressed))
    return Revision(alert=replace(alert, told=not history, late=alert.late or history), transitions=tuple(transitions))


def _continued(before: Alert, episode: Episode, recording: Recording) -> list[Revision]:
    after = _alert(before.id, episode, before, recording)
    if _course(after) == _course(before):
        same = (after.settled_at, after.value) == (before.settled_at, before.value)
        return [] if same else [Revision(alert=after, transitions=())]
    # One that people were told of, and then that it was too early, is no news when it fires after all.
    if before.state is AlertState.PENDING and not before.told:
        return [_announced(after, recording)]
    if _goes_on(before, after) and (before.told or after.resolved_at is not None):
        suppressed = None if before.told else Suppression.HISTORY
        steps = _raised(after, before.raises, suppressed)
        if after.resolved_at is not None:
            steps.append(_resolved(after, after.resolved_at, suppressed))
        return [Revision(alert=after, transitions=tuple(steps))]
    if not before.told and after.state is AlertState.FIRING:
        return [_announced(after, recording)]
    corrected = Transition(
        kind=TransitionKind.CORRECTED,
        at=_latest(after),
        detail={"reason": Change.LATE_DATA.value, **_times(before)},
        tell=before.told,
        severity=_severity(before, after),
    )
    worse = [step for step in _raised(after, before.raises, None) if before.told]
    return [Revision(alert=after, transitions=(corrected, *worse))]


def _goes_on(before: Alert, after: Alert) -> bool:
    """Tell whether an alert came by what it is now in the ordinary course: it was firing, and what was told stands."""
    return (
        before.state is AlertState.FIRING
        and after.fired_at == before.fired_at
        and after.raises[: len(before.raises)] == before.raises
    )


def _resolved(alert: Alert, at: datetime, suppressed: Suppression | None) -> Transition:
    kind, severity = TransitionKind.RESOLVED, _severity(alert)
    return Transition(kind=kind, at=at, detail={}, tell=True, suppressed=suppressed, severity=severity)


def _raised(alert: Alert, before: Sequence[Raise], suppressed: Suppression | None) -> list[Transition]:
    """Tell of the raises that are worse than all before."""
    worst = max((SEVERITIES.index(step.severity) for step in before), default=-1)
    found: list[Transition] = []
    for number, step in enumerate(alert.raises):
        if SEVERITIES.index(step.severity) <= worst:
            continue
        was = alert.raises[number - 1].severity if number else None
        detail = {"severity": step.severity, "severity_before": was}
        found.append(
            Transition(
                kind=TransitionKind.RAISED,
                at=step.at,
                detail=detail,
                tell=True,
                suppressed=suppressed,
                severity=step.severity,
            )
        )
    return found


def _severity(*alerts: Alert) -> str | None:
    """Give the worst that alerts rose to; None: none rose."""
    ranks = [SEVERITIES.index(step.severity) for alert in alerts for step in alert.raises]
    return SEVERITIES[max(ranks)] if ranks else None


def _course(alert: Alert) -> tuple[object, ...]:
    return alert.state, alert.fired_at, alert.resolved_at, alert.raises


def _retracted(alert: Alert, found: Mapping[AlertId, Episode]) -> Revision:
    successor = next((identity for identity, episode in found.items() if _overlap(alert, episode, None)), None)
    reason = Change.NOT_REACHED if alert.state is AlertState.PENDING else Change.LATE_DATA
    detail = {"reason": reason.value, "superseded_by": str(successor) if successor else None, **_times(alert)}
    retracted = replace(
        alert, state=AlertState.RETRACTED, superseded_by=successor, told=alert.told and successor is None
    )
    transition = Transition(
        kind=TransitionKind.RETRACTED,
        at=_latest(alert),
        detail=detail,
        # With a successor, its correction says it all.
        tell=alert.told and successor is None,
        severity=_severity(alert),
    )
    return Revision(alert=retracted, transitions=(transition,))


def _predecessor(
    episode: Episode,
    vanished: Sequence[Alert],
    stored: Mapping[AlertId, Alert],
    found: Mapping[AlertId, Episode],
    recording: Recording,
) -> Alert | None:
    """Find what people were told in place of this episode: an alert that is gone, or one that covered this time too."""
    gone = [alert for alert in vanished if _overlap(alert, episode, None)]
    if recording.head is None:
        kept = []
    else:
        # Whose times are as they were told gave no time to another, though the two may share some.
        changed = [stored[i] for i, now in found.items() if i in stored and not _stands(stored[i], now)]
        kept = [alert for alert in changed if _overlap(alert, episode, recording.head)]
    return next((alert for alert in (*gone, *kept) if alert.told), None) or next(iter(gone), None)


def _stands(alert: Alert, episode: Episode) -> bool:
    """Tell whether an alert ends as it was recorded to."""
    ended = episode.span.ended_at
    return alert.resolved_at == (None if ended is None else to_datetime(ended))


def _overlap(alert: Alert, episode: Episode, known_until: datetime | None) -> bool:
    """Tell whether an alert as recorded and an episode share time.

    Args:
        known_until: an alert that still held was known to hold so far; None: for ever.
    """
    if alert.state in (AlertState.RETRACTED, AlertState.PENDING):
        return False
    began, ended = to_datetime(episode.span.opened_at), episode.span.ended_at
    if alert.resolved_at is None:
        begins_within = known_until is None or began <= known_until
    else:
        begins_within = began < alert.resolved_at or began == alert.opened_at
    return begins_within and (ended is None or alert.opened_at <= to_datetime(ended))


def _is_answered(episode: Episode, answered: Sequence[AlertStretch]) -> bool:
    if episode.span.ended_at is None:
        return False
    began_at, ended_at = to_datetime(episode.span.opened_at), to_datetime(episode.span.ended_at)
    return any(began_at <= stretch.ended_at and stretch.began_at <= ended_at for stretch in answered)


def _alert(identity: AlertId, episode: Episode, before: Alert | None, recording: Recording) -> Alert:
    span = episode.span
    fired_at = None if span.reached_at is None else to_datetime(span.reached_at)
    known = before is not None and before.state is not AlertState.PENDING
    recorded_at = before.recorded_at if before is not None and known else recording.now
    return Alert(
        id=identity,
        state=_state(span),
        opened_at=to_datetime(span.opened_at),
        fired_at=fired_at,
        resolved_at=None if span.ended_at is None else to_datetime(span.ended_at),
        settled_at=None if episode.settled_at is None else to_datetime(episode.settled_at),
        recorded_at=recorded_at,
        late=fired_at is not None and recorded_at - fired_at > recording.news_age,
        told=before is not None and before.told,
        value=span.value,
        evidence={"observations": span.evidence},
        raises=tuple(Raise(at=to_datetime(at), severity=SEVERITIES[rank]) for at, rank in span.raises),
        acknowledged_at=before.acknowledged_at if before else None,
        acknowledged_by=before.acknowledged_by if before else None,
    )


def _state(span: Span) -> AlertState:
    if span.reached_at is None:
        return AlertState.PENDING
    return AlertState.FIRING if span.ended_at is None else AlertState.RESOLVED


def _id(recording: Recording, episode: Episode) -> AlertId:
    return alert_id(recording.version, recording.subject, to_datetime(episode.span.opened_at))


def _latest(alert: Alert) -> datetime:
    return alert.resolved_at or alert.fired_at or alert.opened_at


def _times(alert: Alert) -> dict[str, str | None]:
    return {
        "opened_at_before": alert.opened_at.isoformat(),
        "fired_at_before": alert.fired_at.isoformat() if alert.fired_at else None,
        "resolved_at_before": alert.resolved_at.isoformat() if alert.resolved_at else None,
        **({"severity_before": alert.raises[-1].severity} if alert.raises else {}),
    }
