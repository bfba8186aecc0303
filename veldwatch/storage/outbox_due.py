"""What of the outbox is due, with all that decides whether it is told now; and what came of that.

Contract: each change is one transaction. Rows are small, so that a power cut of 10,000 devices is looked at in one
go; the messages themselves are read for what is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from veldwatch.model.explanation import SIGNS
from veldwatch.model.notifications import NEWS, SEVERITIES, Hold, Suppression
from veldwatch.model.schedule import Schedule
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.schedule import read_schedule

_QUERIES = load_queries("outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One notification that is due, and how its alert stands.

    Attributes:
        kind: firing, raised, resolved, corrected or retracted.
        reason: why it waited until now; None: it did not.
        is_composed: what it says was fixed, for itself and others: the receiver may have it.
        told: the receiver has been told that this alert, or one in whose place it stands, fires or is worse.
        over: the alert is resolved or retracted.
        is_silence: its rule is about devices that are not heard.
        is_cause: its rule explains others.
        cause: what explains it, as text that is the same for the same cause; None: nothing does.
        explained_until: None: the cause lasts.
        silence_id: of a silence that matches it now.
        silence_ends_at: of that silence.
        bundle: of an end: the message that told of its beginning together with others.
        bundle_open: of those others, some still hold.
        incident: that its alert belongs to.
        branch: the sites that hold it, but for the topmost, which is a whole town.
        schedule: when people are told of its rule's alerts; None: at all times.
        joined: a message that told the receiver of the same silence: of its incident, on its branch, and no milder.
    """

    id: UUID
    alert_id: UUID
    kind: str
    attempts: int
    created_at: datetime
    reason: str | None = None
    is_composed: bool = False
    enabled: bool = True
    told: bool = False
    severity: str = "info"
    opened_at: datetime
    resolved_at: datetime | None = None
    over: bool = False
    is_silence: bool = False
    is_cause: bool = False
    cause: str | None = None
    explained_until: datetime | None = None
    silence_id: int | None = None
    silence_ends_at: datetime | None = None
    bundle: UUID | None = None
    bundle_open: bool = False
    incident: UUID | None = None
    branch: frozenset[int] = frozenset()
    joined: UUID | None = None
    schedule: Schedule | None = None


class Held(NamedTuple):
    """A notification that waits: until when at the latest, and why."""

    id: UUID
    reason: Hold
    until: datetime
    silence_id: int | None = None


def due(connection: Connection, receiver_id: int, now: datetime, limit: int) -> list[Due]:
    """Read what is due for a receiver that is not left alone, the longest due first, of an alert only the oldest."""
    values = {"receiver_id": receiver_id, "now": now, "limit": limit, "silent_kinds": list(SIGNS)}
    with translated_errors():
        rows = connection.execute(_QUERIES["due"], values).fetchall()
    found = _joined(connection, receiver_id, [_due(row) for row in rows])
    leaders = {each.bundle for each in found if each.bundle is not None}
    if not leaders:
        return found
    with translated_errors():
        opened = connection.execute(_QUERIES["open_bundles"], {"leaders": list(leaders)}).fetchall()
    still = {leader for (leader,) in opened}
    return [replace(each, bundle_open=each.bundle in still) for each in found]


def suppress(
    connection: Connection, dropped: Sequence[tuple[UUID, Suppression]], joined: Mapping[UUID, UUID | None]
) -> None:
    """Give notifications up on purpose, all or none.

    Args:
        joined: the message that told of it already, of those that have one.
    """
    values = {
        "ids": [outbox_id for outbox_id, _ in dropped],
        "reasons": [reason.value for _, reason in dropped],
        "joined": [joined.get(outbox_id) if reason is Suppression.GROUPED else None for outbox_id, reason in dropped],
    }
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["suppress"], values)


def hold(connection: Connection, held: Sequence[Held]) -> None:
    """Let notifications wait, all or none."""
    values = {
        "ids": [each.id for each in held],
        "reasons": [each.reason.value for each in held],
        "until": [each.until for each in held],
        "silences": [each.silence_id for each in held],
    }
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["hold"], values)


def messages(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Read what notifications say."""
    with translated_errors():
        rows = connection.execute(_QUERIES["messages"], {"ids": list(ids)}).fetchall()
    return {outbox_id: message for outbox_id, message in rows}  # noqa: C416  # typed


def cause_of(connection: Connection, alert_id: UUID) -> str | None:
    """Say in a few words what explains an alert; None: nothing."""
    with translated_errors():
        row = connection.execute(_QUERIES["cause"], {"alert_id": alert_id}).fetchone()
    return None if row is None else row[0]


def silence_of(connection: Connection, outbox_id: UUID) -> tuple[str, str, datetime] | None:
    """Say who muted a notification, why, and until when; None: nobody."""
    with translated_errors():
        row = connection.execute(_QUERIES["silence_of"], {"id": outbox_id}).fetchone()
    return None if row is None else (row[0], row[1], row[2])


def compose(connection: Connection, leader: UUID, composed: Mapping[str, object], others: Sequence[UUID]) -> bool:
    """Fix what is sent for a notification and for others that it stands for, all or none.

    Returns:
        False: the fate of one of them was decided meanwhile, and nothing was changed: they are to be looked at again.
    """
    bundle = [leader, *others]
    with translated_errors(), connection.transaction():
        open_still = connection.execute(_QUERIES["hold_open"], {"ids": bundle}).fetchall()
        if len(open_still) < len(bundle):
            return False
        connection.execute(_QUERIES["compose"], {"id": leader, "composed": Jsonb(composed)})
        if others:
            connection.execute(_QUERIES["join_group"], {"leader": leader, "ids": list(others)})
    return True


def _joined(connection: Connection, receiver_id: int, found: list[Due]) -> list[Due]:
    """Say of news of silence whether the receiver was told of it with the incident that it belongs to."""
    incidents = {each.incident for each in found if each.is_silence and each.kind in NEWS and each.incident}
    if not incidents:
        return found
    values = {"incidents": list(incidents), "receiver_id": receiver_id, "silent_kinds": list(SIGNS)}
    with translated_errors():
        rows = connection.execute(_QUERIES["told_incidents"], values).fetchall()
    told: dict[UUID, list[tuple[UUID, int, frozenset[int]]]] = {}
    for incident, message, severity, path in rows:
        told.setdefault(incident, []).append((message, SEVERITIES.index(severity), _branch(path)))
    return [replace(each, joined=_told(each, told.get(each.incident, ()))) if each.incident else each for each in found]


def _told(due: Due, messages: Sequence[tuple[UUID, int, frozenset[int]]]) -> UUID | None:
    if not due.is_silence or due.kind not in NEWS:
        return None
    rank = SEVERITIES.index(due.severity)
    fitting = (message for message, severity, branch in messages if severity >= rank and branch & due.branch)
    return next(fitting, None)


def _branch(path: Sequence[int] | None) -> frozenset[int]:
    return frozenset((path or ())[:-1])


def _due(row: Sequence[Any]) -> Due:
    outbox_id, alert_id, kind, attempts, created_at, reason, is_composed, enabled, told, *alert = row
    severity, opened_at, resolved_at, over, is_silence, is_cause, *quiet = alert
    explained_by, interruption, explained_until, silence_id, silence_ends_at, bundle, incident, path, schedule = quiet
    return Due(
        id=outbox_id,
        schedule=None if schedule is None else read_schedule(DocumentPart(schedule)),
        alert_id=alert_id,
        kind=kind or "",
        attempts=attempts,
        created_at=created_at,
        reason=reason,
        is_composed=is_composed,
        enabled=enabled,
        told=told,
        severity=severity,
        opened_at=opened_at,
        resolved_at=resolved_at,
        over=over,
        is_silence=bool(is_silence),
        is_cause=is_cause,
        cause=_cause(explained_by, interruption),
        explained_until=explained_until,
        silence_id=silence_id,
        silence_ends_at=silence_ends_at,
        bundle=bundle,
        incident=incident,
        branch=_branch(path),
    )


def _cause(alert: UUID | None, interruption: int | None) -> str | None:
    if interruption is not None:
        return f"interruption:{interruption}"
    return None if alert is None else f"alert:{alert}"
