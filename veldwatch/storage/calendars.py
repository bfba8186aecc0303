"""Calendars: files of planned interruptions, imported again and again.

Contract: an import is one transaction with everything that follows from it. The same file again changes nothing; an
older revision of an event (RFC 5545: SEQUENCE, then DTSTAMP) is left out. Repetitions without an end are stored up to
a time, and further as it comes nearer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.explanation import Patience
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.interruptions import (
    Place,
    PlaceNames,
    check_kind,
    explain_again,
    find_organisation,
    put_at,
)
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.calendar_file import CalendarEvent, CalendarFile, Skipped, call_off, merge, occurrences

AHEAD = timedelta(days=400)
"""So far ahead repetitions are stored."""
BEHIND = timedelta(days=400)
"""And so far back, when an event is imported after its time."""
_SPREAD_AGAIN = timedelta(days=300)

_QUERIES = load_queries("calendar")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarImport:
    """A file to be imported.

    Attributes:
        slug: the calendar's name; a file under the same name brings it up to date.
        place: of events that do not say where they are.
        zone: of times that name none.
        is_complete: what the file does not name any more, and has not begun, is called off.
    """

    organisation: str
    slug: str
    kind: str
    file: CalendarFile
    place: Place
    zone: tzinfo
    is_complete: bool = False


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What came of a file.

    Attributes:
        changed: occurrences that are new or other than before.
        cancelled: occurrences that are off.
        explained: alerts whose explanation is another one now.
    """

    events: int = 0
    older: int = 0
    changed: int = 0
    cancelled: int = 0
    explained: int = 0
    skipped: list[Skipped] = field(default_factory=list[Skipped])


def import_calendar(  # one change, all of it keyword-only
    connection: Connection,
    asked: CalendarImport,
    *,
    author: str,
    scope: int | None,
    now: datetime,
    patience: Patience,
) -> ImportReport:
    """Bring a calendar up to date with a file, and explain again what its interruptions explain.

    Raises:
        NotFound: no such organisation, or a place that was said for all events is none of it.
        ConfigurationInvalid: a wrong name or kind.
    """
    check_kind(asked.kind)
    report = ImportReport(skipped=list(asked.file.skipped))
    with connection.transaction():
        organisation_id = find_organisation(connection, asked.organisation, scope)
        devices = {name for event in asked.file.events for name in event.devices} | set(asked.place.devices)
        places = PlaceNames(connection, organisation_id, asked.organisation, devices)
        places.named(asked.place)
        calendar = _ensure(connection, asked, organisation_id, author, now)
        stored = {row[0]: row for row in _rows(connection, "events", {"calendar_id": calendar})}
        touched: list[int] = []
        for event in asked.file.events:
            spread = _Spread(connection, calendar, organisation_id, asked.kind, author, asked.zone, now)
            try:
                place = partial(places.of_event, event, asked.place)
                touched += _take(spread, event, stored.get(event.uid), place, report)
            except (NotFound, ConfigurationInvalid) as error:
                report.skipped.append(Skipped(event.uid, str(error)))
        if asked.is_complete or asked.file.is_complete:
            uids = [event.uid for event in asked.file.events]
            gone = _rows(connection, "cancel_coming", {"calendar_id": calendar, "now": now, "uids": uids})
            report.cancelled += len(gone)
            touched += [number for (number,) in gone]
        report.explained = explain_again(connection, touched, patience, now)
    return report


def list_calendars(connection: Connection, scope: int | None, now: datetime) -> list[Row]:
    """List calendars with how many interruptions of each are to come."""
    return fetch_rows(connection, _QUERIES["calendars"], {"scope": scope, "now": now})


def spread_calendars(connection: Connection, zone: tzinfo, now: datetime, patience: Patience) -> int:
    """Store more of the repetitions of events that have no end; give how many occurrences that were."""
    with connection.transaction():
        rows = _rows(connection, "to_spread", {"until": now + _SPREAD_AGAIN})
        touched: list[int] = []
        for calendar, organisation_id, kind, author, uid, content, site_ids, device_ids in rows:
            spread = _Spread(connection, calendar, organisation_id, kind, author, zone, now)
            touched += spread.store(uid, content, site_ids, device_ids, ImportReport())
            _run(connection, "spread", {"calendar_id": calendar, "uid": uid, "until": now + AHEAD})
        explain_again(connection, touched, patience, now)
    return len(touched)


@dataclass(frozen=True, slots=True)
class _Spread:
    """Stores the occurrences of events of one calendar."""

    connection: Connection
    calendar: int
    organisation_id: int
    kind: str
    author: str
    zone: tzinfo
    now: datetime

    def store(
        self, uid: str, content: str, site_ids: list[int], device_ids: list[int], report: ImportReport
    ) -> list[int]:
        """Bring the occurrences of an event to what its text says; give those that changed."""
        found = occurrences(content, self.now - BEHIND, self.now + AHEAD, self.zone)
        standing = {row[1]: row for row in _rows(self.connection, "standing", self._named(uid))}
        touched: list[int] = []
        off = [standing[one.key][0] for one in found if one.cancelled and one.key in standing]
        holding = [one for one in found if not one.cancelled]
        kept = {one.key for one in found}
        # Of what lies outside the stretch nothing is known.
        off += [row[0] for key, row in standing.items() if key not in kept and row[3] > self.now - BEHIND]
        for one in holding:
            values = {
                **self._named(uid),
                "organisation_id": self.organisation_id,
                "kind": self.kind,
                "begins_at": one.begins_at,
                "ends_at": one.ends_at,
                "title": one.title,
                "reason": one.reason,
                "occurrence": one.key,
                "author": self.author,
                "now": self.now,
            }
            changed = _rows(self.connection, "save", values)
            ((number,),) = changed or _rows(self.connection, "find", values)
            moved = put_at(self.connection, number, site_ids, device_ids)
            if changed or moved:
                report.changed += 1
                touched.append(number)
        if off:
            _run(self.connection, "cancel", {"ids": off, "scope": None, "now": self.now})
            report.cancelled += len(off)
        return touched + off

    def _named(self, uid: str) -> dict[str, object]:
        return {"calendar_id": self.calendar, "uid": uid}


def _take(
    spread: _Spread,
    event: CalendarEvent,
    stored: tuple[Any, ...] | None,
    place: Callable[[], tuple[list[int], list[int]]],
    report: ImportReport,
) -> list[int]:
    """Store an event unless a newer revision of it is stored; give the interruptions that changed."""
    if stored is not None and _is_older(event, stored):
        report.older += 1
        return []
    content, site_ids, device_ids = _revised(event, stored, place)
    repeats = "RRULE" in content and not event.cancelled
    # What was never heard of needs no calling off; that it is off is kept, for an older revision that follows.
    is_known = site_ids or device_ids
    touched = spread.store(event.uid, content, site_ids, device_ids, report) if is_known else []
    report.events += 1
    values = {
        "calendar_id": spread.calendar,
        "uid": event.uid,
        "sequence": event.sequence,
        "stamped_at": event.stamped_at,
        "content": content,
        "site_ids": site_ids,
        "device_ids": device_ids,
        "spread_until": spread.now + AHEAD if repeats else None,
    }
    _run(spread.connection, "save_event", values)
    return touched


def _revised(
    event: CalendarEvent, stored: tuple[Any, ...] | None, place: Callable[[], tuple[list[int], list[int]]]
) -> tuple[str, list[int], list[int]]:
    """Give the text of an event and where it is, after a revision."""
    *_, known, site_ids, device_ids = stored or ("", [], [])
    # Without a place only that it was called off is known.
    if (site_ids or device_ids) and (event.cancelled or not event.is_whole):
        return call_off(known) if event.cancelled else merge(known, event.content), site_ids, device_ids
    return event.content, *(([], []) if event.cancelled else place())


def _is_older(event: CalendarEvent, stored: tuple[Any, ...]) -> bool:
    _, sequence, stamped_at, *_ = stored
    if event.sequence != sequence:
        return event.sequence < sequence
    return event.stamped_at is not None and stamped_at is not None and event.stamped_at < stamped_at


def _ensure(connection: Connection, asked: CalendarImport, organisation_id: int, author: str, now: datetime) -> int:
    values = {
        "organisation_id": organisation_id,
        "slug": asked.slug,
        "kind": asked.kind,
        "author": author,
        "now": now,
    }
    ((number,),) = _rows(connection, "ensure_calendar", values)
    return int(number)


def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchall()


def _run(connection: Connection, query: str, values: dict[str, Any]) -> int:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).rowcount
