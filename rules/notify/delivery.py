"""Delivering what is due for one receiver: stages, channel, receipt.

Contract: at least once. Between a channel's success and the commit of its receipt a crash repeats the notification,
with the same id; nowhere else. Order is kept within an alert. One receiver is served by one deliverer at a time, and no
transaction is open while a channel sends.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from prometheus_client import Counter

from rules.notify.backoff import MAXIMUM_ATTEMPTS, delay_before_next
from rules.notify.stages import run_stages
from veldwatch.errors import DeliveryFailed
from veldwatch.model.notifications import Channel, Failure
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection
from veldwatch.storage.outbox import Notification

_log = structlog.get_logger()
_outcomes = Counter(
    "veldwatch_notifications_total",
    "Attempts and suppressions of notifications",
    ["channel", "outcome", "reason"],
)
_BATCH = 20


class Sender(Protocol):
    """A way to reach receivers."""

    def send(self, notification: Notification) -> str:
        """Send one notification; returns the receiver's words, raises DeliveryFailed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Serves receivers through their channels.

    Attributes:
        clock: tells aware UTC time.
    """

    senders: Mapping[Channel, Sender]
    clock: Callable[[], datetime]
    maximum_attempts: int = MAXIMUM_ATTEMPTS

    def serve(self, connection: Connection, receiver_id: int, stop: threading.Event) -> int:
        """Deliver what is due for a receiver until nothing is, an attempt fails for now, or `stop` is set.

        Args:
            connection: in autocommit, used by nobody else.

        Returns:
            How many notifications were attempted.
        """
        attempted = 0
        with outbox.receiver_lock(connection, receiver_id) as locked:
            while locked and not stop.is_set():
                notifications = outbox.due(connection, receiver_id, self.clock(), _BATCH)
                if not notifications:
                    break
                for notification in self._pass_stages(connection, notifications):
                    attempted += 1
                    if not self._attempt(connection, notification) or stop.is_set():
                        return attempted
        return attempted

    def _pass_stages(self, connection: Connection, notifications: list[Notification]) -> tuple[Notification, ...]:
        batch = run_stages(notifications)
        if batch.dropped:
            outbox.suppress(connection, batch.dropped)
            for outbox_id, reason in batch.dropped:
                _count(notifications[0], "suppressed", reason.value)
                _log.info("notification suppressed", id=str(outbox_id), reason=reason.value)
        return batch.kept

    def _attempt(self, connection: Connection, notification: Notification) -> bool:
        """Send and write the receipt; False when the receiver had better be left alone for now."""
        try:
            words = self.senders[notification.channel].send(notification)
        except DeliveryFailed as failure:
            return self._record_failure(connection, notification, failure)
        outbox.record_delivered(connection, notification, at=self.clock(), detail=words)
        _count(notification, "delivered", "")
        _log.info("notification delivered", id=str(notification.id), receiver=notification.receiver)
        return True

    def _record_failure(self, connection: Connection, notification: Notification, failure: DeliveryFailed) -> bool:
        at, attempts = self.clock(), notification.attempts + 1
        _log.warning(
            "notification not delivered",
            id=str(notification.id),
            receiver=notification.receiver,
            attempts=attempts,
            permanent=failure.permanent,
            error=str(failure),
        )
        if failure.permanent or attempts >= self.maximum_attempts:
            reason = Failure.REFUSED if failure.permanent else Failure.ATTEMPTS_EXHAUSTED
            outbox.record_failed(connection, notification, at=at, detail=str(failure), reason=reason)
            _count(notification, "failed", reason.value)
            return failure.permanent
        asked = failure.retry_after_seconds
        wait = delay_before_next(notification.id, attempts, None if asked is None else timedelta(seconds=asked))
        outbox.record_postponed(connection, notification, at=at, detail=str(failure), next_attempt_at=at + wait)
        _count(notification, "postponed", "")
        return False


def _count(notification: Notification, outcome: str, reason: str) -> None:
    _outcomes.labels(notification.channel.value, outcome, reason).inc()
