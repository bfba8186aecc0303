"""The engine's memory in PostgreSQL: `rules.store.Store` over `veldwatch.storage`, on one connection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from rules.conditions.span import Contact, Fix, Instant, Observation, Reading
from rules.conditions.watch import ALWAYS, Watch, watch_of
from rules.correlation.order import correlate
from rules.grids.grid import Seen, seen_of
from rules.grids.pages import bucket_pages
from rules.happenings import happenings_of
from rules.instants import to_datetime, to_instant
from rules.lifecycle import AlertStretch, Revision
from rules.samples import Rows, others_of, page_of_samples, samples_of
from rules.sources import Source
from rules.store import ActiveRule, Entry, FoldUpdate, Page, StoredFold, Wanted
from rules.targets import FoldKey
from rules.wording import farewell
from veldwatch.model.alert import Alert
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.explanation import DEFAULT_PATIENCE, Patience
from veldwatch.model.identifiers import RuleVersionId
from veldwatch.model.places import EVERYTHING, Place
from veldwatch.model.watched import Watched
from veldwatch.storage import alert_history, folds, watch
from veldwatch.storage import rules as stored_rules
from veldwatch.storage.alert_history import AlertSubject, TransitionRow
from veldwatch.storage.connection import Connection
from veldwatch.storage.folds import LogRead
from veldwatch.storage.strips import Strip, read_strips

_PAGE = 2000
"""Observations of one source read at once: a hundred sources are 200,000 rows, some 60 MB."""

_NEWEST_KEPT = 2000
"""A new rule looks at least at so many of a source's newest observations, however old they are."""

_FOREVER: Instant = 2**62

_KINDS: Mapping[Input, Literal["readings", "positions", "contacts"]] = {
    Input.READINGS: "readings",
    Input.POSITIONS: "positions",
    Input.CONTACTS: "contacts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresStore:
    """Reads and writes in whatever transaction the connection is in.

    Attributes:
        until: observations from this time on are not seen (for back-tests); None: all are.
        patience: how exact times are taken to be where one alert explains another.
        place: whose subjects are told of.
    """

    connection: Connection
    until: datetime | None = None
    patience: Patience = DEFAULT_PATIENCE
    place: Place = EVERYTHING

    def look(self, seen: str | None) -> str | None:
        """Give the snapshot that rules and register are read after; None: nothing has changed since the last one."""
        if seen is not None and not folds.has_register_changed(self.connection, seen):
            return None
        return folds.snapshot(self.connection)

    def rules(self) -> list[ActiveRule]:
        """List the active versions of enabled rules."""
        done = stored_rules.activated_by(self.connection, self.place)
        return [
            ActiveRule(stored.version_id, stored.rule, stored.activated_at is not None or stored.version_id in done)
            for stored in stored_rules.list_rules(self.connection)
            if stored.enabled
        ]

    def watched(self) -> Watched:
        """Read the register."""
        return folds.read_watched(self.connection)

    def watch(self, known: Watch) -> Watch:
        """Read who listened when."""
        newest = watch.newest(self.connection)
        if newest.seen_at is None:
            return ALWAYS
        if newest.spans == known.count:
            return replace(known, until=to_instant(newest.seen_at))
        spans = watch.spans(self.connection)
        return watch_of([(to_instant(began_at), to_instant(seen_at)) for began_at, seen_at in spans], newest.spans)

    def answered(self, keys: Sequence[FoldKey]) -> dict[FoldKey, list[AlertStretch]]:
        """List what other versions of the same rules recorded and is over."""
        found: dict[FoldKey, list[AlertStretch]] = {}
        for version, subject, began_at, ended_at in alert_history.answered_stretches(self.connection, keys):
            found.setdefault(FoldKey(RuleVersionId(version), subject), []).append(AlertStretch(began_at, ended_at))
        return found

    def visible_before(self) -> int:
        """Give the transaction id before which all is over."""
        return folds.visible_before(self.connection)

    def folds(self, keys: Sequence[FoldKey]) -> dict[FoldKey, StoredFold]:
        """Load folds."""
        return {
            FoldKey(RuleVersionId(row.version), row.subject): StoredFold(
                state=row.state,
                position=row.position,
                floor=row.floor,
                wake_at=row.wake_at,
                viewed_at=row.viewed_at,
            )
            for row in folds.load_folds(self.connection, keys)
        }

    def read_folds(self) -> Iterator[tuple[FoldKey, StoredFold, LogRead]]:
        """Load all folds of the share of which it is known what of the log is in them."""
        for (version, subject, *columns), read in folds.read_folds(self.connection, self.place):
            state, position, floor, wake_at, viewed_at = columns
            stored = StoredFold(state=state, position=position, floor=floor, wake_at=wake_at, viewed_at=viewed_at)
            yield FoldKey(RuleVersionId(version), subject), stored, read

    def forget_read(self, keys: Sequence[FoldKey] | None) -> None:
        """Let it be unknown what of the log is in folds; None: in any of the share."""
        if keys is None:
            folds.forget_all_read(self.connection, self.place)
        else:
            folds.forget_read(self.connection, keys)

    def unsettled(self) -> set[FoldKey]:
        """List folds with an alert that the next observation may still change."""
        return {
            FoldKey(RuleVersionId(version), subject) for version, subject in alert_history.unsettled(self.connection)
        }

    def checkpoints(self, keys: Sequence[FoldKey]) -> dict[FoldKey, list[Instant]]:
        """List the positions of the earlier states that are kept."""
        found = folds.load_checkpoints(self.connection, keys)
        return {FoldKey(RuleVersionId(version), subject): positions for (version, subject), positions in found.items()}

    def checkpoint(self, key: FoldKey, before: Instant) -> tuple[Instant, Any] | None:
        """Load the newest state from before an instant."""
        return folds.load_checkpoint(self.connection, key, before)

    def floor_of_history(self, source: Source, since: Instant) -> Instant | None:
        """Tell up to where history is too old for a new rule."""
        if source.grid is not None:
            first = [self.first(kind, members) for kind, members in source.grid.members.items() if members]
            return since if any(at is not None and at < since for at in first) else None
        kind, number = next(source.members())
        if kind is Input.EVENTS:
            return folds.floor_of_events(self.connection, number, source.kinds, to_datetime(since), least=_NEWEST_KEPT)
        return folds.floor_of_history(self.connection, _KINDS[kind], number, to_datetime(since), least=_NEWEST_KEPT)

    def observations(self, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        """Read a page of each source."""
        pages: dict[int, Page] = {}
        for kind in dict.fromkeys(source.input for source, _ in after):
            numbers = [number for number, (source, _) in enumerate(after) if source.input is kind]
            found = self._pages(kind, [after[number] for number in numbers], until)
            pages |= dict(zip(numbers, found, strict=True))
        return [pages[number] for number in range(len(after))]

    def first(self, kind: Input, members: Sequence[int]) -> Instant | None:
        """Tell when the first of many sources was observed first."""
        return folds.first_of_members(self.connection, _KINDS[kind], members)

    def strips(
        self, kind: Input, sources: Sequence[int], after: Instant, until: Instant, most: int
    ) -> dict[int, Strip] | None:
        """Read what sources observed within (after, until]; None: that is more than `most`."""
        return read_strips(
            self.connection, "readings" if kind is Input.READINGS else "contacts", sources, after, until, most=most
        )

    def seen(self, kind: Input, members: Sequence[int], since: Instant, until: Instant) -> Seen:
        """Read the observations of many sources."""
        return seen_of(folds.read_members(self.connection, _KINDS[kind], members, since, until))

    def _pages(self, kind: Input, after: Sequence[tuple[Source, Instant | None]], until: Instant) -> list[Page]:
        if kind is Input.BUCKETS:
            ended = until if self.until is None else min(until, to_instant(self.until))
            return [Page([*page.buckets], page.more) for page in bucket_pages(self, after, ended)]
        if kind is Input.SAMPLES:
            return [self._samples(source, position) for source, position in after]
        if kind is Input.EVENTS:
            return [self._happenings(source, position) for source, position in after]
        wanted = [(source.id, position) for source, position in after]
        pages = folds.read_observations(self.connection, _KINDS[kind], wanted, limit=_PAGE, until=self.until)
        return [Page([_observation(kind, row) for row in rows], len(rows) == _PAGE) for rows in pages]

    def _samples(self, source: Source, position: Instant | None) -> Page:
        pages: list[Rows] = []
        if series := [number for number in source.slots if number]:
            rows = folds.read_samples(self.connection, series, position, limit=_PAGE, until=self.until)
            pages.append(Rows(samples_of(rows, source), len(rows) == _PAGE))
        for slot, other in enumerate(source.others, start=len(source.slots)):
            page = self._other(other, source, position)
            pages.append(Rows(others_of(page.observations, slot, source), page.more))
        samples, more = page_of_samples(pages)
        return Page([*samples], more)

    def _other(self, other: Input, source: Source, position: Instant | None) -> Page:
        (page,) = self._pages(other, [(replace(source, input=other), position)], _FOREVER)
        return page

    def _happenings(self, source: Source, position: Instant | None) -> Page:
        rows = folds.read_events(self.connection, source.id, source.kinds, position, limit=_PAGE, until=self.until)
        more = len(rows) == _PAGE
        # A full page may have cut its last instant: that is left to the next one.
        whole = [row for row in rows if row[0] != rows[-1][0]] if more else rows
        return Page([*happenings_of(whole, source.kinds)], more)

    def alerts(self, wanted: Mapping[FoldKey, Wanted]) -> dict[FoldKey, list[Alert]]:
        """Load recorded alerts."""
        found = alert_history.load_alerts(self.connection, {key: (after, ids) for key, (after, ids) in wanted.items()})
        return {FoldKey(RuleVersionId(version), subject): alerts for (version, subject), alerts in found.items()}

    def open_alerts(self) -> list[tuple[FoldKey, Alert]]:
        """List alerts that are pending or firing."""
        return [
            (FoldKey(RuleVersionId(version), subject), alert)
            for (version, subject), alert in alert_history.open_alerts(self.connection, self.place)
        ]

    def due(self, now: Instant, limit: int) -> list[FoldKey]:
        """List folds whose time to wake has come."""
        keys = folds.due_folds(self.connection, self.place, now, limit)
        return [FoldKey(RuleVersionId(version), subject) for version, subject in keys]

    def save_folds(self, updates: Sequence[FoldUpdate]) -> None:
        """Save folds and their checkpoints."""
        changes = [
            folds.FoldChange(
                update.key.version,
                update.key.subject,
                update.state,
                update.position,
                update.floor,
                update.wake_at,
                update.viewed_at,
                update.rewound_to,
                update.checkpoints,
                update.superfluous,
                update.read,
            )
            for update in updates
        ]
        folds.save_folds(self.connection, changes)

    def forget_wakes(self, keys: Sequence[FoldKey]) -> None:
        """Let folds sleep that nobody follows any more."""
        folds.forget_wakes(self.connection, keys)

    def set_activated(self, version: RuleVersionId, now: datetime) -> None:
        """Note that the share's part of the history before a rule version was folded."""
        stored_rules.set_activated(self.connection, version, self.place, now)

    def record(self, entries: Sequence[Entry], now: datetime) -> None:
        """Write alerts, transitions and outbox rows."""
        if not entries:
            return
        alert_history.take_turn(self.connection)
        for entry in entries:
            messages = {telling.transition: telling.message for telling in entry.tellings}
            transitions = _rows(entry.revision, messages)
            alert = replace(entry.revision.alert, evidence=entry.evidence)
            alert_history.record_alert(self.connection, _about(entry), alert, entry.summary, transitions, now)
        superseded = [entry.revision.alert.id for entry in entries if entry.revision.alert.superseded_by is not None]
        alert_history.inherit_handling(self.connection, superseded)
        changed = [entry.revision.alert.id for entry in entries if entry.revision.transitions]
        alert_history.wake_listeners(self.connection, correlate(self.connection, changed, self.patience, now))

    def close(self, withdrawn: Sequence[tuple[FoldKey, Revision]], now: datetime) -> None:
        """Write the end of alerts whose rule is gone."""
        if not withdrawn:
            return
        alert_history.take_turn(self.connection)
        for _, revision in withdrawn:
            last = alert_history.last_message(self.connection, revision.alert.id)
            messages = {
                number: farewell(last, revision.alert, now)
                for number, transition in enumerate(revision.transitions)
                if transition.tell and last is not None
            }
            alert_history.close_alert(self.connection, revision.alert, _rows(revision, messages), now)
        changed = [revision.alert.id for _, revision in withdrawn]
        alert_history.wake_listeners(self.connection, correlate(self.connection, changed, self.patience, now))


def _observation(kind: Input, row: tuple[Any, ...]) -> Observation:
    match kind:
        case Input.READINGS:
            return Reading(*row)
        case Input.POSITIONS:
            return Fix(*row)
        case Input.CONTACTS:
            return Contact(*row)
        case Input.EVENTS | Input.SAMPLES | Input.BUCKETS:
            raise AssertionError(f"{kind} are put together from others")


def _about(entry: Entry) -> AlertSubject:
    target = entry.target
    return AlertSubject(
        version=target.key.version,
        subject=target.key.subject,
        organisation_id=target.place.organisation_id,
        device_id=target.device.id if target.device else None,
        site_id=target.site_id,
        series_id=target.series.id if target.series else None,
        severity=target.rule.severity.value,
    )


def _rows(revision: Revision, messages: Mapping[int, Mapping[str, object]]) -> list[TransitionRow]:
    return [
        TransitionRow(
            kind=transition.kind,
            at=transition.at,
            detail=transition.detail,
            message=messages.get(number),
            suppressed=transition.suppressed,
            severity=transition.severity,
        )
        for number, transition in enumerate(revision.transitions)
    ]
