"""Read out incidents, and write what people do with them: acknowledge, assign, comment, resolve.

`scope` is the id of the one organisation that the asker may see: they get its part, made of its own alerts only (None:
the whole); an incident without such a part looks as if it did not exist. An incident whose alerts late data put
elsewhere stands for the one that took its place. Each change is one transaction of the caller.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from veldwatch.errors import NotFound
from veldwatch.model.handling import Resolution
from veldwatch.model.notifications import Suppression
from veldwatch.storage.alert_history import take_turn
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("incidents")

IncidentKey = tuple[float, datetime, UUID]
"""Sorting key, `opened_at` and id: an incident's place in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """Which incidents, in which order: None is any.

    Attributes:
        sort: by what, the largest first: `opened`, `severity`, `money`, `water`, `energy` or `people`.
        since: earliest `opened_at`.
        until: first `opened_at` that is too late.
    """

    id: UUID | None = None
    states: Sequence[str] | None = None
    severities: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDeed:
    """What a person does to an incident.

    Attributes:
        author: name of the token that was shown.
        scope: the one organisation whose part it is done to; None: all of it.
    """

    incident_id: UUID
    author: str
    scope: int | None
    now: datetime

    def parameters(self) -> dict[str, object]:
        """Give the values that the queries of a change share."""
        return {"id": self.incident_id, "author": self.author, "scope": self.scope, "now": self.now}


def list_incidents(
    connection: Connection, part: int | None, which: IncidentFilter, *, after: IncidentKey | None = None, limit: int
) -> list[Row]:
    """List incidents as one organisation sees them; None: as a whole."""
    key, opened_at, incident_id = after or (None, None, None)
    values = {**asdict(which), "part": part, "after_key": key, "after": opened_at, "after_id": incident_id}
    return fetch_rows(connection, _QUERIES["list"], {**values, "limit": limit})


def get_incident(connection: Connection, scope: int | None, incident_id: UUID) -> Row:
    """Give one incident as the list shows it, or the one that took its place.

    Raises:
        NotFound: there is none of this id, or nothing of it is the asker's.
    """
    head = fetch_row(connection, _QUERIES["head"], {"id": incident_id})
    rows = [] if head is None else list_incidents(connection, scope, IncidentFilter(id=head["id"]), limit=1)
    if not rows:
        raise NotFound(f"no incident {str(incident_id)!r} (list them with GET /v1/incidents)")
    return rows[0]


def incidents_between(connection: Connection, first: UUID, last: UUID) -> list[UUID]:
    """Find incidents whose id lies between two, both counted, each by what stands in its place; two of them at most."""
    found = fetch_rows(connection, _QUERIES["between"], {"first": first, "last": last})
    heads = [fetch_row(connection, _QUERIES["head"], {"id": row["id"]}) for row in found]
    return sorted({head["id"] for head in heads if head is not None})


def tell_incident(connection: Connection, scope: int | None, incident_id: UUID) -> Row:
    """Give one incident with its `entries` and the `course` of its alerts, each oldest first.

    Raises:
        NotFound: there is none of this id, or nothing of it is the asker's.
    """
    row = get_incident(connection, scope, incident_id)
    asked = {"id": row["id"], "part": scope}
    return {**row, **{part: fetch_rows(connection, _QUERIES[part], asked) for part in ("entries", "course")}}


def acknowledge_incident(connection: Connection, deed: IncidentDeed, comment: str | None = None) -> None:
    """Take up all of its alerts that nobody has taken up yet; the same request a second time changes nothing.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
    """
    deed = _begin(connection, deed)
    if fetch_rows(connection, _QUERIES["acknowledge"], deed.parameters()):
        _add(connection, deed, "acknowledged", comment or "")
    elif comment:
        _add(connection, deed, "commented", comment)


def assign_incident(connection: Connection, deed: IncidentDeed, person: str | None) -> None:
    """Make all of its alerts somebody's work; None: nobody's.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
    """
    deed = _begin(connection, deed)
    fetch_rows(connection, _QUERIES["assign"], {**deed.parameters(), "person": person})
    _add(connection, deed, "assigned", person or "")


def resolve_incident(connection: Connection, deed: IncidentDeed, resolution: Resolution, note: str = "") -> None:
    """Write a verdict beside all of its alerts that have none; what the fold says of them stays, and goes on.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
    """
    deed = _begin(connection, deed)
    verdict = {"resolution": resolution.value, "note": note, "reason": Suppression.RESOLVED_BY_HAND.value}
    fetch_rows(connection, _QUERIES["resolve"], {**deed.parameters(), **verdict})
    _add(connection, deed, "resolved", f"{resolution.value}: {note}" if note else resolution.value)


def reopen_incident(connection: Connection, deed: IncidentDeed) -> None:
    """Take the verdicts of all of its alerts back; where none has one it changes nothing.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
    """
    deed = _begin(connection, deed)
    if fetch_rows(connection, _QUERIES["reopen"], deed.parameters()):
        _add(connection, deed, "reopened", "")


def comment_incident(connection: Connection, deed: IncidentDeed, body: str) -> Row:
    """Write a comment beside an incident: `id`, `kind`, `at`, `author`, `body`.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
    """
    deed = _begin(connection, deed)
    return _add(connection, deed, "commented", body)


def updated_incidents(connection: Connection, since: datetime, limit: int) -> list[UUID]:
    """List incidents that changed from a time on."""
    return [row["id"] for row in fetch_rows(connection, _QUERIES["updated"], {"since": since, "limit": limit})]


def _begin(connection: Connection, deed: IncidentDeed) -> IncidentDeed:
    """Give what is done to the incident that stands in the place of the one that was meant."""
    # Before any row is locked: the engine writes alerts first and their incidents last.
    take_turn(connection)
    head = fetch_row(connection, _QUERIES["head"], {"id": deed.incident_id})
    found = deed if head is None else replace(deed, incident_id=head["id"])
    if fetch_row(connection, _QUERIES["visible"], found.parameters()) is None:
        raise NotFound(f"no incident {str(deed.incident_id)!r} (list them with GET /v1/incidents)")
    return found


def _add(connection: Connection, deed: IncidentDeed, kind: str, body: str) -> Row:
    (row,) = fetch_rows(connection, _QUERIES["add_entry"], {**deed.parameters(), "kind": kind, "body": body})
    with translated_errors():
        connection.execute(_QUERIES["touch"], deed.parameters())
    return row
