"""What is scored, from the database: the alerts that were recorded, or those that rules would have raised.

A back-test folds history as the engine does (`rules.backtest`), so both give the same; nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch as Asked
from rules.conditions.span import Contact, Instant
from rules.conditions.watch import ALWAYS, Watch
from rules.correlation.findings import explain_findings
from rules.grids.grid import Seen, seen_of
from rules.instants import to_datetime
from rules.postgres_store import PostgresStore
from rules.scorecard.occurrences import Detector, Firing, Occurrence, Place, Spot, Stretch
from rules.sources import Source
from rules.store import Page, StoredFold
from rules.targets import FoldKey, Target, find_targets
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.explanation import DEFAULT_PATIENCE, Explanation, Patience
from veldwatch.model.faults import FAULTS
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSite
from veldwatch.storage import folds, simulation
from veldwatch.storage import rules as stored_rules
from veldwatch.storage.connection import Connection
from veldwatch.storage.scorecard import fired_alerts, observed_moments
from veldwatch.wire.rule_document import version_id

_PAGE = 2000
_EVERY = 1_000_000_000
"""More moments than any device has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which devices are scored.

    Attributes:
        organisation: slug; None: every one.
        devices: external ids; empty: every one.
    """

    organisation: str | None = None
    devices: frozenset[str] = frozenset()

    def holds(self, organisation: str, device: str | None) -> bool:
        """Say whether alerts at a device are scored; one about a site has none."""
        return self.organisation in (None, organisation) and (not self.devices or device in self.devices)

    def within(self, watched: Watched) -> Watched:
        """Leave out what is not scored."""
        devices = tuple(device for device in watched.devices if self.holds(device.organisation, device.external_id))
        ids = {device.id for device in devices}
        return replace(watched, devices=devices, series=tuple(s for s in watched.series if s.device_id in ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Rules with what they raised.

    Attributes:
        targets: what each rule looks at, by the rule's id.
        refused: rules that cannot be carried out for some devices, with the reason.
    """

    detectors: Sequence[Detector]
    firings: Sequence[Firing]
    targets: Mapping[str, Sequence[Target]]
    refused: Mapping[str, str]


def read_scope(connection: Connection, scope: Scope) -> Watched:
    """Read what of the register is scored."""
    return scope.within(folds.read_watched(connection))


def recorded(connection: Connection, watched: Watched, scope: Scope, stretch: Stretch) -> Gathered:
    """Give the alerts that the engine recorded, of the enabled rules and of those that fired in the stretch."""
    fired = fired_alerts(connection, stretch.since, stretch.until)
    firings = [
        _told(
            Firing(alert.rule, alert.fired_at, Spot(alert.organisation, alert.device, alert.sites)),
            Explanation(until=alert.explained_until) if alert.explained else None,
            alert.resolved_at,
            stretch,
        )
        for alert in fired
        if scope.holds(alert.organisation, alert.device)
    ]
    raised = {firing.rule for firing in firings}
    listed = [one for one in stored_rules.list_rules(connection) if one.enabled or one.slug in raised]
    rules = [one.rule for one in listed]
    targets, refused = _targets(rules, watched)
    return Gathered(
        detectors=[_detector(rule, targets[rule.id]) for rule in rules],
        firings=firings,
        targets=targets,
        refused=refused,
    )


def backtested(
    connection: Connection,
    watched: Watched,
    rules: Sequence[Rule],
    stretch: Stretch,
    *,
    contacts_as_observed: bool = False,
    patience: Patience = DEFAULT_PATIENCE,
) -> Gathered:
    """Give what rules would have raised.

    Args:
        contacts_as_observed: rules of silence take each observation as heard at its own time, as if all had arrived at
            once and somebody had always listened.
    """
    kind = _AsObserved if contacts_as_observed else _Picture
    store = kind(connection=connection, until=stretch.until, picture=watched)
    targets, refused = _targets(rules, watched)
    findings = [
        finding
        for rule in rules
        if targets[rule.id]
        for finding in run_backtest(store, rule, Asked(since=stretch.since, until=stretch.until)).findings
    ]
    explained = explain_findings(connection, findings, patience)
    firings = [
        _told(
            Firing(finding.target.rule.id, finding.alert.fired_at, spot_of(finding.target.place)),
            explained.get(finding.alert.id),
            finding.alert.resolved_at,
            stretch,
        )
        for finding in findings
        if finding.alert.fired_at is not None
    ]
    return Gathered(
        detectors=[_detector(rule, targets[rule.id]) for rule in rules],
        firings=firings,
        targets=targets,
        refused=refused,
    )


def _told(firing: Firing, explanation: Explanation | None, resolved_at: datetime | None, stretch: Stretch) -> Firing:
    """Say whether an alert is told, and when: one that outlasts what explains it is told then."""
    if explanation is None:
        return firing
    until = explanation.until
    if until is None or until >= stretch.until or (resolved_at is not None and resolved_at <= until):
        return firing._replace(explained=True)
    return firing._replace(fired_at=max(firing.fired_at, until))


def simulated_truth(
    connection: Connection, organisation: str | None, since: datetime, until: datetime, run_id: int | None = None
) -> list[Occurrence]:
    """Give the faults that the simulators injected."""
    found = simulation.truth(connection, None, since=since, until=until, run_id=run_id)
    above = _sites_above(connection) if any(FAULTS[fault.kind].felt_beyond for fault in found) else {}
    return [
        Occurrence(
            kind=fault.kind,
            place=Place(organisation=fault.organisation, device=fault.device, site=fault.site),
            begins_at=fault.started_at,
            ends_at=fault.stopped_at or fault.ends_at,
            size=fault.size,
            unit=fault.size_unit,
            felt_at=above.get((fault.organisation, fault.device)) if FAULTS[fault.kind].felt_beyond else None,
        )
        for fault in found
        if fault.started_at is not None and organisation in (None, fault.organisation)
    ]


def _sites_above(connection: Connection) -> dict[tuple[str, str | None], Place]:
    """Give the site above that of each device, where there is one."""
    return {
        (device.organisation, device.external_id): Place(organisation=device.organisation, site=device.site_path[-2])
        for device in folds.read_watched(connection).devices
        if len(device.site_path) > 1
    }


def spot_of(place: WatchedDevice | WatchedSite) -> Spot:
    """Give the place of a device or a site."""
    if isinstance(place, WatchedSite):
        return Spot(place.organisation, None, place.path)
    return Spot(place.organisation, place.external_id, place.site_path)


def _targets(rules: Sequence[Rule], watched: Watched) -> tuple[dict[str, list[Target]], dict[str, str]]:
    found, refusals = find_targets([(version_id(rule), rule) for rule in rules], watched)
    targets: dict[str, list[Target]] = {rule.id: [] for rule in rules}
    for target in found:
        targets[target.rule.id].append(target)
    return targets, {refusal.rule: refusal.reason for refusal in refusals}


def _detector(rule: Rule, targets: Sequence[Target]) -> Detector:
    spots = dict.fromkeys(spot_of(target.place) for target in targets)
    return Detector(name=rule.id, detects=rule.detects, watched=list(spots))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picture(PostgresStore):
    """A store that shows a part of the register."""

    picture: Watched

    def watched(self) -> Watched:
        """Give that part."""
        return self.picture


@dataclass(frozen=True, slots=True, kw_only=True)
class _AsObserved(_Picture):
    """A store in which devices are heard when they observe; what the engine keeps of what really was is left out."""

    def watch(self, known: Watch) -> Watch:
        """Tell that somebody listened."""
        del known
        return ALWAYS

    def folds(self, keys: Sequence[FoldKey]) -> dict[FoldKey, StoredFold]:
        """Load nothing."""
        del keys
        return {}

    def checkpoint(self, key: FoldKey, before: Instant) -> tuple[Instant, Any] | None:
        """Load nothing."""
        del key, before

    def seen(self, kind: Input, members: Sequence[int], since: Instant, until: Instant) -> Seen:
        """Read the observations of many sources; of contacts, the moments of observation."""
        if kind is not Input.CONTACTS:
            return PostgresStore.seen(self, kind, members, since, until)
        after, ended = to_datetime(since), to_datetime(until + 1)
        rows = [
            (device, moment)
            for device in members
            for moment in observed_moments(self.connection, device, after, ended, _EVERY)
        ]
        return seen_of(sorted(rows, key=lambda row: row[1]))

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        """Tell when the first of many sources was observed first."""
        if kind is not Input.CONTACTS or self.until is None:
            return PostgresStore.first(self, kind, members)
        firsts = [observed_moments(self.connection, device, None, self.until, 1) for device in members]
        return min((moment for found in firsts for moment in found), default=None)

    def observations(self, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        """Read a page of each source; of contacts, the moments of observation."""
        return [
            self._heard(source.id, position)
            if source.input is Input.CONTACTS
            else PostgresStore.observations(self, [(source, position)], until)[0]
            for source, position in after
        ]

    def _heard(self, device_id: int, position: Instant | None) -> Page:
        since = None if position is None else to_datetime(position)
        until = datetime.max.replace(tzinfo=UTC) if self.until is None else self.until
        moments = observed_moments(self.connection, device_id, since, until, _PAGE)
        return Page([Contact(moment) for moment in moments], len(moments) == _PAGE)
