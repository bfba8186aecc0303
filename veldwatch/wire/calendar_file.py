"""Planned interruptions as files: iCalendar (RFC 5545), and the JSON that load-shedding services answer with.

A file is taken apart into events, one for each UID, each kept as iCalendar text with its exceptions and time zones; an
event is spread out into occurrences when its time is asked for. Nothing here knows sites: an event says in words where
it is.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple, cast

import recurring_ical_events
from icalendar import Calendar, Component, Event

from veldwatch.errors import ConfigurationInvalid

MOST_OCCURRENCES = 20_000
"""Of one event: every hour for two years."""

_TOO_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
_PLACES = ("X-VELDWATCH-SITES", "X-VELDWATCH-DEVICES")
_WORDS = ("LOCATION", "RESOURCES", "CATEGORIES")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """One event of a file.

    Attributes:
        sequence: of its newest revision; a file with a lower one is older.
        is_whole: it has more than exceptions to what was published before.
        cancelled: all of it; then it may say neither when nor where it was to be.
        content: iCalendar text.
        sites: what it says of where it is: slugs that it names as such; None: it does not.
        devices: external ids that it names as such.
        words: whatever else may name a place, by slug or name.
    """

    uid: str
    sequence: int
    stamped_at: datetime | None
    is_whole: bool
    cancelled: bool
    content: str
    sites: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class Skipped(NamedTuple):
    """An event that cannot be taken, and why."""

    uid: str
    reason: str


class CalendarFile(NamedTuple):
    """What a file holds.

    Attributes:
        is_complete: it says all that there is to come: what it does not name any more was taken back.
    """

    events: list[CalendarEvent]
    skipped: list[Skipped]
    is_complete: bool


class Occurrence(NamedTuple):
    """One time at which an event is.

    Attributes:
        key: names it among the repetitions, whatever becomes of its time; '': the event does not repeat.
    """

    key: str
    begins_at: datetime
    ends_at: datetime
    title: str
    reason: str
    cancelled: bool


def read_calendar(text: str) -> CalendarFile:
    """Take a file apart.

    Raises:
        ConfigurationInvalid: it is neither iCalendar nor a schedule in JSON.
    """
    stripped = text.lstrip("\ufeff \r\n\t")
    if stripped.startswith("{"):
        return _schedule(stripped)
    try:
        calendars = Calendar.from_ical(stripped, multiple=True)
    except (ValueError, KeyError, IndexError) as error:
        raise ConfigurationInvalid(f"bad calendar: {error} (expected iCalendar, RFC 5545, or a schedule)") from error
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise ConfigurationInvalid("bad calendar: no VCALENDAR in it (expected iCalendar, RFC 5545)")
    events: list[CalendarEvent] = []
    skipped: list[Skipped] = []
    for calendar in calendars:
        withdrawn = str(calendar.get("METHOD", "")).upper() == "CANCEL"
        for uid, parts in _by_uid(calendar).items():
            for part in parts:
                _complete_cancellation(part, withdrawn=withdrawn)
            wrong = _wrong(uid, parts)
            if wrong:
                skipped.append(Skipped(uid or "(none)", wrong))
            else:
                events.append(_event(uid, parts, calendar))
    return CalendarFile(events, skipped, is_complete=False)


def merge(stored: str, newer: str) -> str:
    """Put exceptions that were published by themselves into the event that they are exceptions to."""
    event, changes = _one(stored), _one(newer)
    replaced = {_recurrence(part) for part in changes.walk("VEVENT")}
    event.subcomponents = [
        part for part in event.subcomponents if part.name != "VEVENT" or _recurrence(part) not in replaced
    ]
    known = {str(part.get("TZID")) for part in event.walk("VTIMEZONE")}
    for part in changes.subcomponents:
        if part.name == "VEVENT" or str(part.get("TZID")) not in known:
            event.add_component(part)
    return event.to_ical().decode()


def call_off(stored: str) -> str:
    """Cancel all of an event: a cancellation says which it means, and little else."""
    event = _one(stored)
    for part in event.walk("VEVENT"):
        part["STATUS"] = "CANCELLED"
    return event.to_ical().decode()


def occurrences(content: str, since: datetime, until: datetime, zone: tzinfo) -> list[Occurrence]:
    """Spread an event out over a stretch.

    Args:
        zone: of times that name none, and of whole days.

    Raises:
        ConfigurationInvalid: it repeats in a way that cannot be followed, or too often.
    """
    calendar = _one(content)
    repeats = any(
        part.get("RRULE") or part.get("RDATE") or part.get("RECURRENCE-ID") for part in calendar.walk("VEVENT")
    )
    try:
        found = recurring_ical_events.of(calendar).between(since, until)
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigurationInvalid(f"bad repetition: {error}") from error
    if len(found) > MOST_OCCURRENCES:
        raise ConfigurationInvalid(f"it repeats {len(found)} times within the stretch (at most {MOST_OCCURRENCES})")
    return [_occurrence(cast("Event", part), zone, repeats=repeats) for part in found]


def write_calendar(rows: Iterable[Mapping[str, Any]], name: str) -> str:
    """Write interruptions as iCalendar.

    Args:
        rows: each with uid, title, reason, begins_at, ends_at, sites and devices (lists of text).
    """
    calendar = Calendar()
    calendar.add("PRODID", "-//Veldwatch//planned interruptions//EN")
    calendar.add("VERSION", "2.0")
    calendar.add("X-WR-CALNAME", name)
    for row in rows:
        event = Event()
        event.add("UID", row["uid"])
        # The same interruption is the same text each time.
        event.add("DTSTAMP", row["begins_at"])
        event.add("DTSTART", row["begins_at"])
        event.add("DTEND", row["ends_at"])
        event.add("SUMMARY", row["title"])
        if row["reason"]:
            event.add("DESCRIPTION", row["reason"])
        for key, said in zip(_PLACES, (row["sites"], row["devices"]), strict=True):
            if said:
                event.add(key, ",".join(said))
        calendar.add_component(event)
    return calendar.to_ical().decode()


def _schedule(text: str) -> CalendarFile:
    """Read `{"events": [{"start", "end", "note"}]}`: the answer for one area, which holds all that is to come.

    Source: EskomSePush API 2.0, "Area Information".
    """
    try:
        document: Any = json.loads(text)
        slots = [(datetime.fromisoformat(s["start"]), datetime.fromisoformat(s["end"]), s) for s in document["events"]]
        named = str(document.get("info", {}).get("name", "area"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wanted = 'expected {"events": [{"start", "end", "note"}]} with times in ISO 8601, or iCalendar'
        raise ConfigurationInvalid(f"bad schedule: {error!r} ({wanted})") from error
    events: list[CalendarEvent] = []
    skipped: list[Skipped] = []
    for begins_at, ends_at, slot in slots:
        if begins_at.tzinfo is None or ends_at.tzinfo is None or ends_at <= begins_at:
            skipped.append(Skipped(str(slot.get("start")), "expected an end after the start, both with an offset"))
            continue
        uid = hashlib.sha256(f"{named}|{begins_at.astimezone(UTC).isoformat()}".encode()).hexdigest()[:32]
        content = write_calendar(
            [
                {
                    "uid": uid,
                    "title": str(slot.get("note") or "Load shedding")[:500],
                    "reason": named,
                    "begins_at": begins_at.astimezone(UTC),
                    "ends_at": ends_at.astimezone(UTC),
                    "sites": [],
                    "devices": [],
                }
            ],
            named,
        )
        events.append(
            CalendarEvent(
                uid=uid, sequence=0, stamped_at=None, is_whole=True, cancelled=False, content=content, words=(named,)
            )
        )
    return CalendarFile(events, skipped, is_complete=True)


def _by_uid(calendar: Calendar) -> dict[str, list[Component]]:
    found: dict[str, list[Component]] = {}
    for part in calendar.walk("VEVENT"):
        found.setdefault(str(part.get("UID", "")).strip(), []).append(part)
    return found


def _wrong(uid: str, parts: Sequence[Component]) -> str | None:
    if not 1 <= len(uid) <= 1000:
        return "no UID (expected 1 to 1000 characters)"
    for part in parts:
        if part.errors:
            name, detail = part.errors[0]
            return f"bad {name}: {detail}"
        if part.get("DTSTART") is None and not _is_cancelled(part):
            return "no DTSTART"
        rule = part.get("RRULE")
        if rule is not None and _TOO_OFTEN.intersection(str(each).upper() for each in rule.get("FREQ", [])):
            return "it repeats more often than every hour"
    return None


def _complete_cancellation(part: Component, *, withdrawn: bool) -> None:
    """Say in the event itself what its calendar says of it, and when it is that is called off.

    Source: RFC 5546, section 3.2.5: of CANCEL neither DTSTART nor STATUS is required.
    """
    if withdrawn:
        part["STATUS"] = "CANCELLED"
    replaced = part.get("RECURRENCE-ID")
    if _is_cancelled(part) and part.get("DTSTART") is None and replaced is not None:
        part.add("DTSTART", replaced.dt)


def _is_cancelled(part: Component) -> bool:
    return str(part.get("STATUS", "")).upper() == "CANCELLED"


def _event(uid: str, parts: Sequence[Component], calendar: Calendar) -> CalendarEvent:
    own = Calendar()
    for key in ("PRODID", "VERSION", "X-WR-TIMEZONE"):
        if calendar.get(key) is not None:
            own.add(key, calendar.get(key))
    for part in (*calendar.walk("VTIMEZONE"), *parts):
        own.add_component(part)
    master = next((part for part in parts if part.get("RECURRENCE-ID") is None), None)
    shown = master or parts[0]
    return CalendarEvent(
        uid=uid,
        sequence=max(int(part.get("SEQUENCE", 0)) for part in parts),
        stamped_at=max((stamp for part in parts if (stamp := _stamp(part)) is not None), default=None),
        is_whole=master is not None,
        cancelled=master is not None and _is_cancelled(master),
        content=own.to_ical().decode(),
        sites=_names(shown, _PLACES[0]),
        devices=_names(shown, _PLACES[1]),
        words=tuple(word for key in _WORDS for word in _listed(shown, key)),
    )


def _listed(part: Component, key: str) -> tuple[str, ...]:
    value: Any = part.get(key)
    if value is None:
        return ()
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    texts = [text for each in values for text in _texts(each)]
    return tuple(word.strip() for text in texts for word in (text, *text.split(",")) if word.strip())


def _names(part: Component, key: str) -> tuple[str, ...]:
    """Give the parts of a list of names, without the list as a whole; commas may be escaped or not."""
    said = [word for text in _texts(part.get(key, "")) for word in text.replace("\\,", ",").split(",")]
    return tuple(dict.fromkeys(word.strip() for word in said if word.strip()))


def _texts(value: object) -> list[str]:
    categories = getattr(value, "cats", None)
    return [str(each) for each in categories] if categories is not None else [str(value)]


def _stamp(part: Component) -> datetime | None:
    for key in ("LAST-MODIFIED", "DTSTAMP"):
        value = part.get(key)
        moment = getattr(value, "dt", None)
        if isinstance(moment, datetime):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def _occurrence(part: Event, zone: tzinfo, *, repeats: bool) -> Occurrence:
    begins_at, ends_at = _moment(part.start, zone), _moment(part.end, zone)
    if ends_at <= begins_at:
        ends_at = begins_at + timedelta(minutes=1)
    key = _recurrence(part) if repeats else None
    return Occurrence(
        key=key or "",
        begins_at=begins_at,
        ends_at=ends_at,
        title=str(part.get("SUMMARY", "")).strip()[:500] or "Planned interruption",
        reason=str(part.get("DESCRIPTION", "")).strip()[:2000],
        cancelled=_is_cancelled(part),
    )


def _recurrence(part: Component) -> str | None:
    value = part.get("RECURRENCE-ID")
    if value is None:
        return None
    moment: date | datetime = value.dt
    return moment.astimezone(UTC).isoformat() if isinstance(moment, datetime) and moment.tzinfo else moment.isoformat()


def _moment(value: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(0))
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def _one(content: str) -> Calendar:
    return Calendar.from_ical(content)
