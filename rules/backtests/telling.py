"""What a receiver would have been told: alerts of a back-test through the same pure decisions as real notifications.

News goes through `rules.notify.stages` at the moments at which it would have been looked at: its rule's schedule, the
silences and planned interruptions that are stored, what belongs to one incident. What lets it wait is looked at again
when it is over; what is sent at once and belongs together is one message. Pure; time is that of the alerts.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID, uuid5

from rules.backtest import Finding
from rules.notify.grouping import bundles
from rules.notify.stages import Pacing, run_stages
from veldwatch.model.conditions.kinds import kind_of, own_time
from veldwatch.model.explanation import (
    DEFAULT_PATIENCE,
    SIGNS,
    Explanation,
    Happening,
    Interruption,
    Sign,
    explain,
)
from veldwatch.model.incident import DEFAULT_NEARNESS, Head, gather, incident_of_head, incident_of_interruption
from veldwatch.model.notifications import SEVERITIES, Hold
from veldwatch.model.rule import Rule
from veldwatch.storage.backtests import Standing, StoredSilence
from veldwatch.storage.outbox_due import Due

PACING = Pacing(settling=timedelta(seconds=60), group_wait=timedelta(seconds=5))
"""Assumed: the defaults of `VELDWATCH_SETTLING_SECONDS` and `VELDWATCH_GROUP_WAIT_SECONDS`."""
_LOOK = timedelta(seconds=1)
"""What becomes due within this is looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is stored of a receiver's world.

    Attributes:
        devices: by id.
        paths: of sites by id: its own id and those above it, outermost first.
    """

    silences: tuple[StoredSilence, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    devices: Mapping[int, Standing] = field(default_factory=dict[int, Standing])
    paths: Mapping[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])


@dataclass(slots=True)
class Telling:
    """What came of the news for receivers of one minimum severity.

    Attributes:
        alerts: that are told of.
        messages: when each was sent.
        kept_back: news that was told to nobody, by the reason.
        waited: alerts that were told later, or were not yet at the end, by the reason.
    """

    alerts: set[UUID] = field(default_factory=set[UUID])
    messages: list[datetime] = field(default_factory=list[datetime])
    kept_back: Counter[str] = field(default_factory=Counter[str])
    waited: Counter[str] = field(default_factory=Counter[str])


class _News(NamedTuple):
    """News of an alert that waits to be looked at."""

    at: datetime
    number: int
    due: Due


class Told:
    """Alerts of a rule, with what explains each and what belongs together: the same for every receiver."""

    def __init__(self, rule: Rule, findings: Sequence[Finding], around: Surroundings, until: datetime) -> None:
        self._rule = rule
        self._findings: dict[UUID, Finding] = {finding.alert.id: finding for finding in findings}
        self._around = around
        self._until = until
        self._numbers = count()
        happenings = [self._happening(finding) for finding in findings]
        causes = [one for one in happenings if one.explains is not None]
        self._explained = explain(happenings, causes, around.interruptions, DEFAULT_PATIENCE)
        heads = [self._head(finding) for finding in findings if self._explained.get(finding.alert.id) is None]
        self._founders = gather(heads, DEFAULT_NEARNESS)

    def tell(self, organisation: str | None, minimum_severity: str) -> Telling:
        """Say what a receiver hears of.

        Args:
            organisation: slug; None: alerts of every organisation.
        """
        told = Telling()
        lowest = SEVERITIES.index(minimum_severity)
        waiting = [
            news
            for finding in self._findings.values()
            if organisation in (None, finding.place[0])
            for news in self._news(finding, lowest)
        ]
        heapq.heapify(waiting)
        by_incident: dict[UUID, list[tuple[UUID, int, frozenset[int]]]] = {}
        held: dict[UUID, Hold] = {}
        while waiting and waiting[0].at < self._until:
            now = waiting[0].at + _LOOK
            batch: list[Due] = []
            while waiting and waiting[0].at <= now:
                batch.append(self._looked_at(heapq.heappop(waiting).due, now, told, by_incident))
            passed = run_stages(batch, now, PACING)
            known = {due.id: due for due in batch}
            for wait in passed.held:
                if wait.reason is not Hold.SETTLING:
                    held[known[wait.id].alert_id] = wait.reason
                again = replace(known[wait.id], reason=wait.reason.value)
                heapq.heappush(waiting, _News(max(wait.until, now), next(self._numbers), again))
            told.kept_back.update(reason.value for _, reason in passed.dropped)
            for message in bundles(passed.kept):
                self._sent(message, now, told, by_incident)
        waiters = {news.due.alert_id for news in waiting}
        told.waited.update(reason.value for alert, reason in held.items() if alert in told.alerts | waiters)
        return told

    def _sent(
        self,
        message: Sequence[Due],
        now: datetime,
        told: Telling,
        by_incident: dict[UUID, list[tuple[UUID, int, frozenset[int]]]],
    ) -> None:
        told.messages.append(now)
        told.alerts.update(due.alert_id for due in message)
        leader = message[0]
        if leader.incident is not None:
            rank = max(SEVERITIES.index(due.severity) for due in message)
            by_incident.setdefault(leader.incident, []).append((leader.id, rank, leader.branch))

    def _news(self, finding: Finding, lowest: int) -> Iterable[_News]:
        """List what a receiver may hear of an alert: its beginning, or the raise that is severe enough, and on."""
        alert, severity = finding.alert, self._rule.severity.value
        steps = [(alert.fired_at or alert.opened_at, "firing", severity)]
        steps += [(step.at, "raised", step.severity) for step in alert.raises]
        for number, (at, kind, rank) in enumerate(steps):
            if SEVERITIES.index(rank) < lowest:
                continue
            identity = uuid5(alert.id, f"{number}")
            due = Due(
                id=identity, alert_id=alert.id, kind=kind, attempts=0, created_at=at, severity=rank,
                opened_at=alert.opened_at, resolved_at=alert.resolved_at, schedule=self._rule.schedule,
                is_silence=kind_of(self._rule.condition) in SIGNS, is_cause=self._rule.explains is not None,
                branch=frozenset(self._path(finding)[:-1]), incident=self._incident(alert.id),
            )  # fmt: skip
            yield _News(at, next(self._numbers), self._with_cause(due))

    def _looked_at(
        self,
        due: Due,
        now: datetime,
        told: Telling,
        by_incident: Mapping[UUID, Sequence[tuple[UUID, int, frozenset[int]]]],
    ) -> Due:
        """Bring news to what is known at a moment."""
        silence = self._silence(self._findings[due.alert_id], due.severity, now)
        joined = None
        if due.is_silence and due.incident is not None:
            rank = SEVERITIES.index(due.severity)
            fitting = (
                message
                for message, severity, branch in by_incident.get(due.incident, ())
                if severity >= rank and branch & due.branch
            )
            joined = next(fitting, None)
        return replace(
            due,
            told=due.alert_id in told.alerts,
            over=due.resolved_at is not None and due.resolved_at <= now,
            silence_id=None if silence is None else silence.id,
            silence_ends_at=None if silence is None else silence.ends_at,
            joined=joined,
        )

    def _with_cause(self, due: Due) -> Due:
        explanation: Explanation | None = self._explained.get(due.alert_id)
        if explanation is None:
            return due
        cause = f"alert:{explanation.alert}" if explanation.alert else f"interruption:{explanation.interruption}"
        return replace(due, cause=cause, explained_until=explanation.until)

    def _incident(self, alert: UUID) -> UUID | None:
        explanation = self._explained.get(alert)
        if explanation is None:
            return incident_of_head(self._founders[alert])
        if explanation.interruption is not None:
            return incident_of_interruption(explanation.interruption)
        founder = None if explanation.alert is None else self._founders.get(explanation.alert)
        return None if founder is None else incident_of_head(founder)

    def _silence(self, finding: Finding, severity: str, now: datetime) -> StoredSilence | None:
        fitting = (
            silence
            for silence in self._around.silences
            if silence.starts_at <= now < silence.ends_at and self._matches(silence, finding, severity)
        )
        return max(fitting, key=lambda silence: (silence.ends_at, -silence.id), default=None)

    def _matches(self, silence: StoredSilence, finding: Finding, severity: str) -> bool:
        target = finding.target
        device = target.device
        wanted = silence.rule
        return (
            silence.organisation_id in (None, target.place.organisation_id)
            and (
                wanted is None
                or self._rule.id == wanted
                or (wanted[-1] == "*" and self._rule.id.startswith(wanted[:-1]))
            )
            and (silence.device_id is None or (device is not None and device.id == silence.device_id))
            and (silence.tag is None or (device is not None and silence.tag in device.tags))
            and (silence.profile is None or (device is not None and silence.profile == device.profile))
            and (not silence.severities or severity in silence.severities)
            and silence.labels.items() <= self._rule.labels.items()
            and (silence.site_id is None or silence.site_id in self._path(finding))
        )

    def _happening(self, finding: Finding) -> Happening:
        device = finding.target.device
        standing = self._around.devices.get(device.id) if device else None
        kind = kind_of(self._rule.condition)
        return Happening(
            id=finding.alert.id,
            opened_at=finding.alert.opened_at,
            resolved_at=finding.alert.resolved_at,
            sites=self._path(finding),
            device=device.id if device else None,
            gateway=standing.gateway if standing else None,
            sign=SIGNS.get(kind, Sign.MEASURED),
            explains=self._rule.explains,
            silent_for=(own_time(self._rule.condition) or timedelta(0)) if kind in SIGNS else timedelta(0),
            interval=standing.interval if standing else None,
        )

    def _head(self, finding: Finding) -> Head:
        device = finding.target.device
        standing = self._around.devices.get(device.id) if device else None
        return Head(
            id=finding.alert.id,
            opened_at=finding.alert.opened_at,
            resolved_at=finding.alert.resolved_at,
            path=self._path(finding),
            device=device.id if device else None,
            place=standing.place if standing else None,
        )

    def _path(self, finding: Finding) -> tuple[int, ...]:
        site = finding.target.site_id
        return () if site is None else self._around.paths.get(site, (site,))
