"""The outbox: what is to be told to whom, written in the alert's own transaction and delivered later.

Contract: a row's id derives from alert, transition and receiver, so each transition is told once, and a receiver can
tell a repeat. A transition, its rows and the engine's cursor commit together: none is made a second time. What begins
or ends again at the same moment, after it was history or was taken back, is another transition.

Deliverers hold a session-level advisory lock per receiver (`receiver_lock`), not row locks: a transaction that stays
open during a slow delivery would hold up every reader of the log (docs/decisions/0012-delivery-locks.md). The lock
falls with the connection, so a killed deliverer blocks nobody. Each attempt and the state it leads to are committed
together. A message is composed and committed, with the notifications that it stands for, before it is sent: a repeat is
the same message.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from veldwatch.model.notifications import Channel, Failure, Suppression
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_outbox"

# Fixed for ever: another value would make every stored notification a new one.
_NAMESPACE = UUID("6f1d3f0e-6c4b-5d3c-9a59-5d0b6c1d7a10")
# Any constant: the first key of the advisory locks, "NTFY".
_LOCK = 0x4E544659
_QUERIES = load_queries("outbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One row that is due.

    Attributes:
        message: what is sent: kind, headline, text, late, alert, and `grouped` where it tells of several.
        attempts: made so far.
        thread: ids of what this receiver got of this alert, oldest first.
    """

    id: UUID
    alert_id: UUID
    message: Mapping[str, Any]
    attempts: int
    created_at: datetime
    receiver: str
    channel: Channel
    address: str
    secret: str | None
    thread: tuple[UUID, ...]

    @property
    def kind(self) -> str:
        """Say which change it tells: firing, raised, resolved, corrected or retracted."""
        return str(self.message.get("kind", ""))


def enqueue(  # one call per transition, all keyword-only; a value object would have this one use
    connection: Connection,
    *,
    transition_id: int,
    alert_id: UUID,
    organisation_id: int,
    severity: str,
    message: Mapping[str, object],
    now: datetime,
    suppressed: str | None = None,
) -> int:
    """Write one row per enabled receiver of this organisation and severity, in the caller's transaction.

    Args:
        transition_id: what is told; a second time changes nothing.
        suppressed: a `Suppression`; the rows are kept for the record and never sent.

    Returns:
        How many rows are new.
    """
    with translated_errors(), connection.cursor() as cursor:
        receivers = cursor.execute(
            _QUERIES["matching_receivers"], {"organisation_id": organisation_id, "severity": severity}
        ).fetchall()
        written = 0
        for (receiver_id,) in receivers:
            row = {
                "id": uuid5(_NAMESPACE, f"{alert_id}:{transition_id}:{receiver_id}"),
                "transition_id": transition_id,
                "alert_id": alert_id,
                "receiver_id": receiver_id,
                "message": Jsonb(message),
                "state": "pending" if suppressed is None else "suppressed",
                "reason": None if suppressed is None else Suppression(suppressed).value,
                "now": now,
            }
            written += cursor.execute(_QUERIES["insert"], row).rowcount
        if written and suppressed is None:
            cursor.execute(_QUERIES["wake"])
    return written


def due_receivers(connection: Connection, now: datetime, limit: int) -> list[int]:
    """List receivers that something is due for and that are not left alone, the longest waiting first."""
    with translated_errors():
        rows = connection.execute(_QUERIES["due_receivers"], {"now": now, "limit": limit}).fetchall()
    return [receiver_id for receiver_id, _ in rows]


def wake(connection: Connection) -> None:
    """Let deliverers look at once; at commit, within a transaction."""
    with translated_errors():
        connection.execute(_QUERIES["wake"])


@contextmanager
def receiver_lock(connection: Connection, receiver_id: int) -> Generator[bool]:
    """Hold the right to deliver to a receiver; yields False when another deliverer holds it.

    The lock belongs to the connection and outlives transactions.
    """
    key = {"lock": _LOCK, "receiver_id": receiver_id}
    with translated_errors():
        row = connection.execute(_QUERIES["lock_receiver"], key).fetchone()
    locked = row is not None and bool(row[0])
    try:
        yield locked
    finally:
        if locked and not connection.broken:
            with translated_errors():
                connection.execute(_QUERIES["unlock_receiver"], key)


def read_notification(connection: Connection, outbox_id: UUID) -> Notification | None:
    """Read what is to be sent of a notification; None: its fate was decided meanwhile."""
    with translated_errors():
        row = connection.execute(_QUERIES["notification"], {"id": outbox_id}).fetchone()
    return None if row is None else _notification(row)


def release(connection: Connection, alerts: Sequence[UUID], now: datetime) -> None:
    """Let notifications of alerts that wait be looked at again, in the caller's transaction."""
    if alerts:
        _release(connection, "release", {"alerts": list(alerts), "now": now})


def release_silenced(connection: Connection, silence_id: int, now: datetime) -> None:
    """Let notifications that a silence keeps back be looked at again, in the caller's transaction."""
    _release(connection, "release_silenced", {"silence_id": silence_id, "now": now})


def _release(connection: Connection, query: str, values: Mapping[str, object]) -> None:
    with translated_errors():
        if connection.execute(_QUERIES[query], values).rowcount:
            connection.execute(_QUERIES["wake"])


def record_delivered(connection: Connection, notification: Notification, *, at: datetime, detail: str) -> None:
    """Keep the receipt of a delivery."""
    with translated_errors(), connection.transaction():
        number = _receipt(connection, notification, "delivered", at=at, detail=detail)
        connection.execute(_QUERIES["delivered"], {"id": notification.id, "number": number, "at": at})


def record_postponed(
    connection: Connection,
    notification: Notification,
    *,
    at: datetime,
    detail: str,
    next_attempt_at: datetime,
    not_before: datetime | None,
) -> None:
    """Keep the receipt of a failure after which another attempt follows.

    Args:
        not_before: until then the receiver is left alone, whatever else is due for it; None: others may go at once.
    """
    with translated_errors(), connection.transaction():
        number = _receipt(connection, notification, "temporary_failure", at=at, detail=detail)
        row = {"id": notification.id, "number": number, "next_attempt_at": next_attempt_at}
        connection.execute(_QUERIES["postponed"], row)
        connection.execute(_QUERIES["leave_alone"], {"id": notification.id, "not_before": not_before})


def record_failed(
    connection: Connection,
    notification: Notification,
    *,
    at: datetime,
    detail: str,
    reason: Failure,
    not_before: datetime | None = None,
) -> None:
    """Keep the receipt of the last failure.

    Args:
        not_before: until then the receiver is left alone; None: others may go to it at once.
    """
    outcome = "permanent_failure" if reason is Failure.REFUSED else "temporary_failure"
    with translated_errors(), connection.transaction():
        number = _receipt(connection, notification, outcome, at=at, detail=detail)
        connection.execute(_QUERIES["failed"], {"id": notification.id, "number": number, "reason": reason.value})
        connection.execute(_QUERIES["leave_alone"], {"id": notification.id, "not_before": not_before})


def _receipt(connection: Connection, notification: Notification, outcome: str, *, at: datetime, detail: str) -> int:
    number = notification.attempts + 1
    row = {"id": notification.id, "number": number, "at": at, "outcome": outcome, "detail": detail.replace("\x00", "�")}
    connection.execute(_QUERIES["receipt"], row)
    return number


def _notification(row: tuple[Any, ...]) -> Notification:
    outbox_id, alert_id, message, attempts, created_at, slug, channel, address, secret, thread = row
    return Notification(
        id=outbox_id,
        alert_id=alert_id,
        message=message,
        attempts=attempts,
        created_at=created_at,
        receiver=slug,
        channel=Channel(channel),
        address=address,
        secret=secret,
        thread=tuple(thread or ()),
    )
