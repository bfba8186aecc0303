"""Read out alerts, and write what people do with them: acknowledge, comment, assign, resolve by hand, reopen.

`scope` is the id of the one organisation that the asker may see (None: all); other alerts look as if they did not
exist. What is done to an alert that late data moved is done to the one that stands in its place. Each change is one
transaction of the caller: the row, its transition and the wake-up commit together.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from psycopg import Rollback
from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict, NotFound
from veldwatch.model.handling import Resolution
from veldwatch.model.notifications import Suppression
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_alert"
"""NOTIFY's payload is the alert's id."""

AlertKey = tuple[float, datetime, UUID]
"""Sorting key, `opened_at` and id: an alert's place in the list."""

_QUERIES = load_queries("alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts: None is any.

    Attributes:
        since: earliest `opened_at`.
        until: first `opened_at` that is too late.
        explained: another alert or a planned interruption explains it.
        explained_by: that other alert.
        updated_since: changed, or handled by a person, from then on.
        open: it holds, and nobody resolved it by hand.
        handled: a person resolved it by hand.
        sort: by what, the largest first: `opened`, `money`, `water`, `energy` or `people`.
    """

    id: UUID | None = None
    states: Sequence[str] | None = None
    severities: Sequence[str] | None = None
    rule: str | None = None
    organisation: str | None = None
    device: str | None = None
    device_id: int | None = None
    acknowledged: bool | None = None
    explained: bool | None = None
    explained_by: UUID | None = None
    open: bool | None = None
    handled: bool | None = None
    assigned: bool | None = None
    assigned_to: str | None = None
    resolutions: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    updated_since: datetime | None = None
    incident_id: UUID | None = None
    sort: str = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person does to an alert.

    Attributes:
        author: name of the token that was shown.
        scope: the one organisation whose alerts they may touch; None: all.
    """

    alert_id: UUID
    author: str
    scope: int | None
    now: datetime

    def parameters(self) -> dict[str, object]:
        """Give the values that the queries of a change share."""
        return {"id": self.alert_id, "author": self.author, "scope": self.scope, "now": self.now}


def list_alerts(
    connection: Connection, scope: int | None, which: AlertFilter, *, after: AlertKey | None = None, limit: int
) -> list[Row]:
    """List alerts, the newest or the largest first."""
    key, opened_at, alert_id = after or (None, None, None)
    values = {
        **asdict(which),
        "scope": scope,
        "after_key": key,
        "after": opened_at,
        "after_id": alert_id,
        "limit": limit,
    }
    return fetch_rows(connection, _QUERIES["list"], values)


def get_alert(connection: Connection, scope: int | None, alert_id: UUID) -> Row:
    """Give one alert as the list shows it.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    rows = list_alerts(connection, scope, AlertFilter(id=alert_id), limit=1)
    if not rows:
        raise _not_found(alert_id)
    return rows[0]


def standing_alert(connection: Connection, alert_id: UUID) -> UUID:
    """Give the alert that stands in an alert's place, itself where late data did not move it."""
    row = fetch_row(connection, _QUERIES["head"], {"id": alert_id})
    return alert_id if row is None or row["id"] is None else row["id"]


def alerts_between(connection: Connection, first: UUID, last: UUID) -> list[UUID]:
    """Find alerts whose id lies between two, both counted; two of them at most."""
    return [row["id"] for row in fetch_rows(connection, _QUERIES["between"], {"first": first, "last": last})]


def tell_alert(connection: Connection, scope: int | None, alert_id: UUID) -> Row:
    """Give one alert with its `transitions`, `comments` and `notifications`, each in order.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    row = get_alert(connection, scope, alert_id)
    parts = {
        part: fetch_rows(connection, _QUERIES[part], {"id": alert_id})
        for part in ("transitions", "comments", "notifications")
    }
    return {**row, **parts}


def acknowledge(connection: Connection, deed: Deed, comment: str | None = None) -> None:
    """Take an alert up; whoever did so first stays. The same request a second time changes nothing.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    deed, alert = _lock(connection, deed)
    with translated_errors():
        if alert["acknowledged_at"] is None:
            connection.execute(_QUERIES["acknowledge"], deed.parameters())
            _record(connection, deed, "acknowledged", {})
        if comment and fetch_row(connection, _QUERIES["said"], {**deed.parameters(), "body": comment}) is None:
            _write_comment(connection, deed, comment)


def add_comment(connection: Connection, deed: Deed, body: str) -> Row:
    """Write a comment beside an alert: `id`, `author`, `body`, `created_at`.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    deed, _ = _lock(connection, deed)
    return _write_comment(connection, deed, body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Whose work an alert is thought to be by whoever assigns it; None: nobody's."""

    person: str | None


def assign(connection: Connection, deed: Deed, person: str, expected: Expected | None = None) -> None:
    """Make an alert somebody's work. The same again changes nothing; without `expected` the last one counts.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
        Conflict: it is not the work of whom it was expected to be; whoever came first stays.
    """
    deed, alert = _lock(connection, deed)
    before = alert["assigned_to"]
    if before == person:
        return
    if expected is not None and expected.person != before:
        raise Conflict(f"the alert is {_whose(before)} (expected it to be {_whose(expected.person)}; read it again)")
    with translated_errors():
        connection.execute(_QUERIES["assign"], {**deed.parameters(), "person": person})
    _record(connection, deed, "assigned", {"to": person, "before": before})


def unassign(connection: Connection, deed: Deed) -> None:
    """Make an alert nobody's work again.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    deed, alert = _lock(connection, deed)
    if alert["assigned_to"] is None:
        return
    with translated_errors():
        connection.execute(_QUERIES["unassign"], deed.parameters())
    _record(connection, deed, "unassigned", {"before": alert["assigned_to"]})


def resolve(connection: Connection, deed: Deed, resolution: Resolution, note: str = "") -> None:
    """Write a person's verdict beside an alert; what the fold says of it stays, and goes on.

    Who was first stays: the same verdict again changes nothing. What was not sent yet is kept back.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
        Conflict: another verdict stands, or late data showed that the alert never was.
    """
    deed, alert = _lock(connection, deed)
    if alert["resolution"] is not None:
        if (alert["resolution"], alert["resolution_note"]) == (resolution.value, note):
            return
        stands = f"{alert['resolved_by']!r} resolved it as {alert['resolution']!r}"
        raise Conflict(f"{stands} (reopen the alert to give another verdict)")
    if alert["state"] == "retracted":
        raise Conflict("late data showed that this alert never was (there is nothing to resolve)")
    verdict = {"resolution": resolution.value, "note": note}
    with translated_errors():
        connection.execute(_QUERIES["resolve"], {**deed.parameters(), **verdict})
        connection.execute(_QUERIES["keep_back"], {**deed.parameters(), "reason": Suppression.RESOLVED_BY_HAND.value})
    _record(connection, deed, "resolved_by_hand", {**verdict, "state": alert["state"]})


def reopen(connection: Connection, deed: Deed) -> None:
    """Take a verdict back; of an alert that has none it changes nothing.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    deed, alert = _lock(connection, deed)
    if alert["resolution"] is None:
        return
    with translated_errors():
        connection.execute(_QUERIES["reopen"], deed.parameters())
    before: dict[str, object] = {"resolution": alert["resolution"], "resolved_by": alert["resolved_by"]}
    _record(connection, deed, "reopened", before)


def _whose(person: str | None) -> str:
    return "nobody's" if person is None else f"{person!r}'s"


def _lock(connection: Connection, deed: Deed) -> tuple[Deed, Row]:
    """Hold the alert that stands in the place of the one that was meant; give what is done to it, and its row."""
    while True:
        with connection.transaction() as attempt:
            row = fetch_row(connection, _QUERIES["lock"], deed.parameters())
            if row is None:
                raise _not_found(deed.alert_id)
            if row["id"] == standing_alert(connection, deed.alert_id):
                return replace(deed, alert_id=row["id"]), row
            # Late data moved it while we waited for it. It is let go of, so that no two rows are held.
            raise Rollback(attempt)


def _write_comment(connection: Connection, deed: Deed, body: str) -> Row:
    (row,) = fetch_rows(connection, _QUERIES["comment"], {**deed.parameters(), "body": body})
    with translated_errors():
        connection.execute(_QUERIES["touch"], deed.parameters())
    _record(connection, deed, "commented", {"comment": row["id"]})
    return row


def _record(connection: Connection, deed: Deed, kind: str, detail: dict[str, object]) -> None:
    with translated_errors():
        connection.execute(_QUERIES["transition"], {**deed.parameters(), "kind": kind, "detail": Jsonb(detail)})
        connection.execute(_QUERIES["notify"], deed.parameters())


def _not_found(alert_id: UUID) -> NotFound:
    return NotFound(f"no alert {str(alert_id)!r} (list them with GET /v1/alerts)")
