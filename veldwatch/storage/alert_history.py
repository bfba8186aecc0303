"""The record that the engine keeps: alerts, their transitions, and the outbox rows that tell of them.

Contract: all of it goes into the caller's transaction, together with the folds that it follows from and the
log's cursor: after a crash none of it is there or all of it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from veldwatch.model.alert import Alert, AlertState, Raise, TransitionKind
from veldwatch.model.identifiers import AlertId
from veldwatch.model.notifications import Suppression
from veldwatch.model.places import Place
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.folds import Key
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("alert_history")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Any constant: "ALRT".
_LOCK = 0x414C5254


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSubject:
    """What an alert is about."""

    version: UUID
    subject: str
    organisation_id: int
    device_id: int | None
    site_id: int | None
    series_id: int | None
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionRow:
    """An entry in an alert's history, and the message that tells of it.

    Attributes:
        message: None: nobody is told.
        suppressed: why the message is kept and not sent; None: it is sent.
        severity: to whom it is told, by their minimum; None: the rule's.
    """

    kind: TransitionKind
    at: datetime
    detail: Mapping[str, str | None]
    message: Mapping[str, object] | None = None
    suppressed: Suppression | None = None
    severity: str | None = None


def load_alerts(
    connection: Connection, wanted: Mapping[Key, tuple[int | None, Sequence[AlertId]]]
) -> dict[Key, list[Alert]]:
    """Load the alerts of folds that were not settled by a position (None: all), and those of the ids.

    Retracted ones come only by id.
    """
    values = {
        "versions": [version for version, _ in wanted],
        "subjects": [subject for _, subject in wanted],
        "after": [_time(after) for after, _ in wanted.values()],
        "ids": [identity for _, ids in wanted.values() for identity in ids],
    }
    found: dict[Key, list[Alert]] = {}
    with translated_errors():
        for version, subject, *columns in connection.execute(_QUERIES["load_alerts"], values):
            found.setdefault((version, subject), []).append(_alert(columns))
    return found


def open_alerts(connection: Connection, place: Place) -> list[tuple[Key, Alert]]:
    """List the alerts of a share's subjects that are pending or firing, of whatever rule version."""
    values = {"place": place.number, "division": place.division}
    with translated_errors():
        rows = connection.execute(_QUERIES["open_alerts"], values).fetchall()
    return [((version, subject), _alert(columns)) for version, subject, *columns in rows]


def unsettled(connection: Connection) -> set[Key]:
    """List the folds that have an alert which the next observation may still change."""
    with translated_errors():
        return set(connection.execute(_QUERIES["unsettled"]).fetchall())


def answered_stretches(connection: Connection, keys: Sequence[Key]) -> list[tuple[UUID, str, datetime, datetime]]:
    """List the alerts of other versions of the same rules, for the same subjects, that came to their own end.

    Returns:
        (version and subject as asked for, `opened_at`, `resolved_at`).
    """
    if not keys:
        return []
    values = {"versions": [version for version, _ in keys], "subjects": [subject for _, subject in keys]}
    with translated_errors():
        return connection.execute(_QUERIES["answered_stretches"], values).fetchall()


def take_turn(connection: Connection) -> None:
    """Become the only one that writes to several alerts, or to incidents, until the end of the transaction.

    Whoever is about to do so calls it before the first of those rows is written or locked: whoever comes later sees
    what was written before, and no two wait for each other's rows. A deed to one alert alone needs no turn: it locks
    that one row and waits for no other.
    """
    with translated_errors():
        connection.execute(_QUERIES["take_turn"], {"lock": _LOCK})


def record_alert(
    connection: Connection,
    about: AlertSubject,
    alert: Alert,
    summary: str,
    transitions: Sequence[TransitionRow],
    now: datetime,
) -> None:
    """Write an alert as it is now, how it came to be so, and who is to be told."""
    values = {
        "id": alert.id,
        "version": about.version,
        "organisation_id": about.organisation_id,
        "device_id": about.device_id,
        "site_id": about.site_id,
        "series_id": about.series_id,
        "subject": about.subject,
        "severity": alert.raises[-1].severity if alert.raises else about.severity,
        "raises": Jsonb([{"at": step.at.isoformat(), "severity": step.severity} for step in alert.raises]),
        "state": alert.state.value,
        "opened_at": alert.opened_at,
        "fired_at": alert.fired_at,
        "resolved_at": alert.resolved_at,
        "settled_at": alert.settled_at,
        "recorded_at": alert.recorded_at,
        "late": alert.late,
        "told": alert.told,
        "value": alert.value,
        "summary": summary,
        "evidence": Jsonb(dict(alert.evidence)),
        "superseded_by": alert.superseded_by,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
        "now": now,
    }
    with translated_errors():
        connection.execute(_QUERIES["save_alert"], values)
    for transition in transitions:
        _add_transition(connection, alert.id, transition, about.organisation_id, about.severity, now)


def inherit_handling(connection: Connection, superseded: Sequence[AlertId]) -> None:
    """Let what people did with alerts go over to those that stand in their place."""
    if superseded:
        with translated_errors():
            for query in ("inherit_handling", "inherit_apart", "inherit_merges"):
                connection.execute(_QUERIES[query], {"ids": list(superseded)})


def close_alert(connection: Connection, alert: Alert, transitions: Sequence[TransitionRow], now: datetime) -> None:
    """Write the end of an alert whose rule is gone."""
    values = {
        "id": alert.id,
        "state": alert.state.value,
        "resolved_at": alert.resolved_at,
        "settled_at": alert.settled_at,
        "now": now,
    }
    with translated_errors():
        row = connection.execute(_QUERIES["close_alert"], values).fetchone()
    if row is None:
        return
    for transition in transitions:
        _add_transition(connection, alert.id, transition, row[0], row[1], now)


def last_message(connection: Connection, identity: AlertId) -> dict[str, Any] | None:
    """Give what was last told of an alert; None: nothing."""
    with translated_errors():
        row = connection.execute(_QUERIES["last_message"], {"id": identity}).fetchone()
    return None if row is None else row[0]


def wake_listeners(connection: Connection, ids: Sequence[AlertId]) -> None:
    """Tell who listens that alerts changed, at commit."""
    if ids:
        with translated_errors():
            connection.execute(_QUERIES["wake"], {"ids": list(ids)})


def _add_transition(
    connection: Connection,
    identity: AlertId,
    transition: TransitionRow,
    organisation_id: int,
    severity: str,
    now: datetime,
) -> None:
    values = {
        "alert_id": identity,
        "kind": transition.kind.value,
        "at": transition.at,
        "now": now,
        "detail": Jsonb(dict(transition.detail)),
    }
    with translated_errors():
        row = connection.execute(_QUERIES["add_transition"], values).fetchone()
    assert row is not None  # noqa: S101  # INSERT ... RETURNING gives a row always
    if transition.message is None:
        return
    outbox.enqueue(
        connection,
        transition_id=row[0],
        alert_id=identity,
        organisation_id=organisation_id,
        severity=transition.severity or severity,
        message=transition.message,
        now=now,
        suppressed=transition.suppressed,
    )


def _alert(columns: Sequence[Any]) -> Alert:
    identity, state, opened_at, fired_at, resolved_at, settled_at, recorded_at, late, told, *rest = columns
    value, evidence, superseded_by, acknowledged_at, acknowledged_by, raises = rest
    return Alert(
        id=AlertId(identity),
        state=AlertState(state),
        opened_at=opened_at,
        fired_at=fired_at,
        resolved_at=resolved_at,
        settled_at=settled_at,
        recorded_at=recorded_at,
        late=late,
        told=told,
        value=value,
        evidence=evidence,
        raises=tuple(Raise(at=datetime.fromisoformat(step["at"]), severity=step["severity"]) for step in raises),
        superseded_by=superseded_by,
        acknowledged_at=acknowledged_at,
        acknowledged_by=acknowledged_by,
    )


def _time(position: int | None) -> datetime | None:
    return None if position is None else _EPOCH + timedelta(microseconds=position)
