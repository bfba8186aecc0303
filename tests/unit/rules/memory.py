"""A database for the engine in dictionaries: what `rules.postgres_store` does, without the server.

`put` stores observations as intake would and gives the log batch of what was new. `commit` and `rollback` stand for
the transaction that the driver opens.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from rules.conditions.span import Contact, Fix, Happening, Instant, Observation, Reading
from rules.conditions.watch import Watch, watch_of
from rules.grids.grid import Seen, seen_of
from rules.grids.pages import bucket_pages
from rules.happenings import happenings_of
from rules.instants import to_datetime
from rules.lifecycle import AlertStretch, Change, Revision, Transition
from rules.samples import Rows, others_of, page_of_samples, samples_of
from rules.sources import Source
from rules.store import ActiveRule, Entry, FoldUpdate, Page, StoredFold, Wanted
from rules.targets import FoldKey
from veldwatch.model.alert import Alert, AlertState, Raise
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.identifiers import AlertId, RuleVersionId
from veldwatch.model.watched import Watched
from veldwatch.storage.folds import LogRead
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogBatch, LogCursor, LogEvent

_PAGE = 7
_EMPTY = np.iinfo(np.int64).min


@dataclass(slots=True)
class _Contents:
    """All that a transaction may change."""

    folds: dict[FoldKey, StoredFold] = field(default_factory=dict[FoldKey, StoredFold])
    checkpoints: dict[FoldKey, dict[Instant, Any]] = field(default_factory=dict[FoldKey, dict[Instant, Any]])
    reads: dict[FoldKey, LogRead] = field(default_factory=dict[FoldKey, LogRead])
    alerts: dict[AlertId, tuple[FoldKey, Alert]] = field(default_factory=dict[AlertId, tuple[FoldKey, Alert]])
    history: list[tuple[AlertId, Transition]] = field(default_factory=list[tuple[AlertId, Transition]])
    told: list[tuple[AlertId, Mapping[str, object]]] = field(default_factory=list[tuple[AlertId, Mapping[str, object]]])
    activated: set[RuleVersionId] = field(default_factory=set[RuleVersionId])


Stands = tuple[str, str, str, datetime, datetime | None, datetime | None, tuple[Raise, ...]]
"""An alert that was not retracted: version, subject, state, three times, how its severity rose."""


class MemoryStore:
    """`rules.store.Store` in memory."""

    def __init__(self, rules: Iterable[ActiveRule], watched: Watched) -> None:
        self._rules = list(rules)
        self._watched = watched
        self._changes = 0
        self._stored: dict[tuple[Input, int], dict[Instant, Observation]] = {}
        self._xid = 0
        self._contents = _Contents(activated={active.version for active in self._rules if active.activated})
        self._committed = copy.deepcopy(self._contents)
        self.newest_kept = 1000
        self.spans: list[tuple[Instant, Instant]] = []
        self._rule_ids = {active.version: active.rule.id for active in self._rules}

    # What intake does.

    def put(self, observations: Sequence[tuple[int, Observation]]) -> tuple[LogCursor, LogBatch]:
        """Store observations of sources; what is stored already is not in the batch."""
        new: dict[type[Observation], list[tuple[int, Observation]]] = {Reading: [], Fix: [], Contact: [], Happening: []}
        for source, seen in observations:
            stored = self._stored.setdefault((_INPUT[type(seen)], source), {})
            if isinstance(seen, Happening):
                known = stored.get(seen.at, Happening(seen.at, ()))
                assert isinstance(known, Happening)
                fresh = tuple(event for event in seen.events if event not in known.events)
                stored[seen.at] = Happening(seen.at, (*known.events, *fresh))
                new[Happening] += [(source, Happening(seen.at, fresh))] if fresh else []
                continue
            if seen.at not in stored:
                stored[seen.at] = seen
                new[type(seen)].append((source, seen))
        self._xid += 1
        batch = LogBatch(
            readings=np.array([_reading_row(*pair) for pair in new[Reading]], READINGS),
            positions=np.array([_fix_row(*pair) for pair in new[Fix]], POSITIONS),
            contacts=np.array([_contact_row(*pair) for pair in new[Contact]], CONTACTS),
            events=tuple(row for source, seen in new[Happening] for row in _event_rows(source, seen)),
        )
        return LogCursor(self._xid, self._xid), batch

    # What the driver does.

    def commit(self) -> None:
        self._committed = copy.deepcopy(self._contents)

    def rollback(self) -> None:
        self._contents = copy.deepcopy(self._committed)

    # What tests look at.

    @property
    def history(self) -> list[tuple[AlertId, Transition]]:
        return self._contents.history

    @property
    def told(self) -> list[tuple[AlertId, Mapping[str, object]]]:
        return self._contents.told

    def final(self) -> set[Stands]:
        """Give what stands in the end: everything but what was retracted."""
        return {
            (str(key.version), key.subject, a.state.value, a.opened_at, a.fired_at, a.resolved_at, a.raises)
            for key, a in self._contents.alerts.values()
            if a.state is not AlertState.RETRACTED
        }

    def all_alerts(self) -> list[Alert]:
        return [alert for _, alert in self._contents.alerts.values()]

    def keys(self) -> dict[AlertId, FoldKey]:
        return {identity: key for identity, (key, _) in self._contents.alerts.items()}

    def forget_activation(self, version: RuleVersionId) -> None:
        self._changes += 1
        self._contents.activated.discard(version)

    def saved_keys(self) -> list[FoldKey]:
        return list(self._contents.folds)

    # rules.store.Store

    def look(self, seen: str | None) -> str | None:
        mark = str(self._changes)
        return None if mark == seen else mark

    def rules(self) -> list[ActiveRule]:
        return [active._replace(activated=active.version in self._contents.activated) for active in self._rules]

    def replace_rules(self, rules: Iterable[ActiveRule]) -> None:
        self._changes += 1
        self._rules = list(rules)
        self._rule_ids |= {active.version: active.rule.id for active in self._rules}

    def replace_watched(self, watched: Watched) -> None:
        self._changes += 1
        self._watched = watched

    def watched(self) -> Watched:
        return self._watched

    def watch(self, known: Watch) -> Watch:  # noqa: ARG002  # always made anew
        return watch_of(self.spans, len(self.spans))

    def answered(self, keys: Sequence[FoldKey]) -> dict[FoldKey, list[AlertStretch]]:
        withdrawn = {i for i, t in self._contents.history if t.detail.get("reason") == Change.RULE_WITHDRAWN.value}
        over = [
            (key, AlertStretch(alert.opened_at, alert.resolved_at))
            for key, alert in self._contents.alerts.values()
            if alert.state is AlertState.RESOLVED and alert.resolved_at is not None and alert.id not in withdrawn
        ]
        return {wanted: [stretch for key, stretch in over if self._are_versions(key, wanted)] for wanted in keys}

    def _are_versions(self, key: FoldKey, other: FoldKey) -> bool:
        """Tell whether two folds are of different versions of one rule, for the same subject."""
        same_rule = self._rule_ids[key.version] == self._rule_ids[other.version]
        return same_rule and key.version != other.version and key.subject == other.subject

    def visible_before(self) -> int:
        return self._xid + 1

    def folds(self, keys: Sequence[FoldKey]) -> dict[FoldKey, StoredFold]:
        return {key: self._contents.folds[key] for key in keys if key in self._contents.folds}

    def read_folds(self) -> Iterator[tuple[FoldKey, StoredFold, LogRead]]:
        for key, read in self._contents.reads.items():
            yield key, self._contents.folds[key], read

    def forget_read(self, keys: Sequence[FoldKey] | None) -> None:
        for key in list(self._contents.reads) if keys is None else keys:
            self._contents.reads.pop(key, None)

    def unsettled(self) -> set[FoldKey]:
        kept = self._contents.alerts.values()
        return {key for key, a in kept if a.settled_at is None and a.state is not AlertState.RETRACTED}

    def checkpoints(self, keys: Sequence[FoldKey]) -> dict[FoldKey, list[Instant]]:
        return {key: sorted(self._contents.checkpoints.get(key, {})) for key in keys}

    def checkpoint(self, key: FoldKey, before: Instant) -> tuple[Instant, Any] | None:
        kept = self._contents.checkpoints.get(key, {})
        position = max((at for at in kept if at < before), default=None)
        return None if position is None else (position, kept[position])

    def floor_of_history(self, source: Source, since: Instant) -> Instant | None:
        times = sorted((at for member in source.members() for at in self._stored.get(member, {})), reverse=True)
        return min(times[self.newest_kept], since) if len(times) > self.newest_kept else None

    def observations(self, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        return [self._page(source, position, until) for source, position in after]

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        return min((at for member in members for at in self._stored.get((kind, member), {})), default=None)

    def seen(self, kind: Input, members: Sequence[int], since: Instant, until: Instant) -> Seen:
        rows = [
            (member, *_row(seen))
            for member in members
            for at, seen in self._stored.get((kind, member), {}).items()
            if since < at <= until
        ]
        return seen_of(sorted(rows, key=lambda row: row[1]))

    def _page(self, source: Source, position: Instant | None, until: Instant) -> Page:
        if source.input is Input.BUCKETS:
            (page,) = bucket_pages(self, [(source, position)], until)
            return Page([*page.buckets], page.more)
        if source.input is Input.SAMPLES:
            rows = [
                (series, seen.at, seen.value)
                for series in source.slots
                for seen in self._stored.get((Input.READINGS, series), {}).values()
                if isinstance(seen, Reading) and (position is None or seen.at > position)
            ]
            rows = sorted(rows, key=lambda row: row[1])[:_PAGE]
            pages = [Rows(samples_of(rows, source), len(rows) == _PAGE)]
            for slot, other in enumerate(source.others, start=len(source.slots)):
                page = self._page(replace(source, input=other), position, until)
                pages.append(Rows(others_of(page.observations, slot, source), page.more))
            samples, more = page_of_samples(pages)
            return Page([*samples], more)
        if source.input is Input.EVENTS:
            rows = [row for seen in self._plain(source, position) for row in _rows_of(seen)]
            # A page ends between instants here.
            happened = happenings_of(rows, source.kinds)
            return Page([*happened[:_PAGE]], len(happened) > _PAGE)
        return self._plain_page(source, position)

    def _plain(self, source: Source, position: Instant | None) -> list[Observation]:
        stored = self._stored.get((source.input, source.id), {})
        return [stored[at] for at in sorted(stored) if position is None or at > position]

    def _plain_page(self, source: Source, position: Instant | None) -> Page:
        found = self._plain(source, position)
        return Page(found[:_PAGE], len(found) > _PAGE)

    def alerts(self, wanted: Mapping[FoldKey, Wanted]) -> dict[FoldKey, list[Alert]]:
        found: dict[FoldKey, list[Alert]] = {}
        for key, alert in self._contents.alerts.values():
            if key in wanted and (alert.id in wanted[key].ids or _unsettled(alert, wanted[key].after)):
                found.setdefault(key, []).append(alert)
        return found

    def open_alerts(self) -> list[tuple[FoldKey, Alert]]:
        is_open = (AlertState.PENDING, AlertState.FIRING)
        return [(key, alert) for key, alert in self._contents.alerts.values() if alert.state in is_open]

    def due(self, now: Instant, limit: int) -> list[FoldKey]:
        due = [
            (f.wake_at, key) for key, f in self._contents.folds.items() if f.wake_at is not None and f.wake_at <= now
        ]
        return [key for _, key in sorted(due)][:limit]

    def save_folds(self, updates: Sequence[FoldUpdate]) -> None:
        for update in updates:
            self._contents.folds[update.key] = StoredFold(
                state=json.loads(update.state),
                position=update.position,
                floor=update.floor,
                wake_at=update.wake_at,
                viewed_at=update.viewed_at,
            )
            self._contents.reads.pop(update.key, None)
            if update.read is not None:
                self._contents.reads[update.key] = update.read
            kept = self._contents.checkpoints.setdefault(update.key, {})
            if update.rewound_to is not None:
                for position in [at for at in kept if at >= update.rewound_to]:
                    del kept[position]
            for position in update.superfluous:
                kept.pop(position, None)
            kept.update({at: json.loads(state) for at, state in update.checkpoints.items()})

    def forget_wakes(self, keys: Sequence[FoldKey]) -> None:
        for key in keys:
            self._contents.folds[key] = replace(self._contents.folds[key], wake_at=None)

    def set_activated(self, version: RuleVersionId, now: datetime) -> None:  # noqa: ARG002  # kept by the real one
        self._contents.activated.add(version)

    def record(self, entries: Sequence[Entry], now: datetime) -> None:  # noqa: ARG002  # in the messages already
        for entry in entries:
            revision = entry.revision
            self._contents.alerts[revision.alert.id] = (
                entry.target.key,
                replace(revision.alert, evidence=entry.evidence),
            )
            self._contents.history.extend((revision.alert.id, transition) for transition in revision.transitions)
            self._contents.told.extend(
                (revision.alert.id, telling.message)
                for telling in entry.tellings
                if revision.transitions[telling.transition].suppressed is None
            )

    def close(self, withdrawn: Sequence[tuple[FoldKey, Revision]], now: datetime) -> None:  # noqa: ARG002
        for key, revision in withdrawn:
            self._contents.alerts[revision.alert.id] = (key, revision.alert)
            self._contents.history.extend((revision.alert.id, transition) for transition in revision.transitions)


_INPUT: dict[type[Observation], Input] = {
    Reading: Input.READINGS,
    Fix: Input.POSITIONS,
    Contact: Input.CONTACTS,
    Happening: Input.EVENTS,
}


def _row(seen: Observation) -> tuple[Any, ...]:
    """Give an observation as a grid reads it: time and values, no accuracy."""
    return (seen.at, seen.longitude, seen.latitude) if isinstance(seen, Fix) else tuple(seen)


def _unsettled(alert: Alert, after: Instant | None) -> bool:
    if alert.state is AlertState.RETRACTED:
        return False
    return alert.settled_at is None or after is None or alert.settled_at > to_datetime(after)


def _reading_row(source: int, seen: Observation) -> tuple[Any, ...]:
    assert isinstance(seen, Reading)
    return source, seen.at, seen.at, seen.value, 0


def _fix_row(source: int, seen: Observation) -> tuple[Any, ...]:
    assert isinstance(seen, Fix)
    accuracy = np.nan if seen.accuracy is None else seen.accuracy
    return source, seen.at, seen.at, seen.longitude, seen.latitude, np.nan, accuracy, np.nan, np.nan, 0


def _contact_row(source: int, seen: Observation) -> tuple[Any, ...]:
    return source, seen.at, 1, _EMPTY, _EMPTY, True


def _rows_of(seen: Observation) -> list[tuple[Instant, str, str]]:
    assert isinstance(seen, Happening)
    return [(seen.at, kind, attributes) for kind, attributes in seen.events]


def _event_rows(source: int, seen: Observation) -> list[LogEvent]:
    return [LogEvent(source, at, at, kind, attributes) for at, kind, attributes in _rows_of(seen)]
