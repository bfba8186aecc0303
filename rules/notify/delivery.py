"""Delivering what is due for one receiver: stages, channel, receipt.

Contract: at least once. Between a channel's success and the commit of its receipt a crash repeats the notification,
with the same id; nowhere else. What goes out is committed before it is sent, so that a repeat is the same message, and
what may have been received is neither dropped nor joined with others. Order is kept within an alert. One receiver is
served by one deliverer at a time, and no transaction is open while a channel sends.
"""

import threading
from collections import Counter as Counted
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

import structlog
from prometheus_client import Counter

from rules.notify.backoff import MAXIMUM_ATTEMPTS, delay_before_next
from rules.notify.grouping import ENUMERATED, bundles, compose_group, say_still_silent, say_was_silenced
from rules.notify.stages import AT_ONCE, Pacing, run_stages
from veldwatch.errors import DeliveryFailed
from veldwatch.model.notifications import NEWS, Channel, Failure, Hold
from veldwatch.storage import outbox, outbox_due
from veldwatch.storage.connection import Connection
from veldwatch.storage.outbox import Notification
from veldwatch.storage.outbox_due import Due

_log = structlog.get_logger()
_outcomes = Counter(
    "veldwatch_notifications_total",
    "Attempts and suppressions of notifications",
    ["channel", "outcome", "reason"],
)
_BATCH = 20_000
"""Looked at in one go: what belongs together is one message only if it is seen together."""
_LOOK_AGAIN = timedelta(seconds=3)
"""After a look, so that what people silence or resolve while messages go out is heeded."""


class Sender(Protocol):
    """A way to reach receivers."""

    def send(self, notification: Notification) -> str:
        """Send one notification; returns the receiver's words, raises DeliveryFailed."""
        ...


class Turn(NamedTuple):
    """What came of serving a receiver.

    Attributes:
        attempted: how many messages.
        failed: the last one did, for now.
        elsewhere: another deliverer serves it.
    """

    attempted: int
    failed: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """Serves receivers through their channels.

    Attributes:
        clock: tells aware UTC time.
        pacing: how long news waits before anybody is told.
    """

    senders: Mapping[Channel, Sender]
    clock: Callable[[], datetime]
    maximum_attempts: int = MAXIMUM_ATTEMPTS
    pacing: Pacing = AT_ONCE

    def serve(
        self,
        connection: Connection,
        receiver_id: int,
        stop: threading.Event,
        check: Callable[[], None] = lambda: None,
        turn_is_over: Callable[[], bool] = lambda: False,
    ) -> Turn:
        """Deliver what is due for a receiver until nothing is, an attempt fails for now, or its turn is over.

        Args:
            connection: in autocommit, used by nobody else.
            stop: ends the turn after the attempt that is under way.
            check: called before each look and each message; what it raises ends the work before anything more is sent.
            turn_is_over: asked after each attempt; others wait for their turn.
        """
        with outbox.receiver_lock(connection, receiver_id) as locked:
            if not locked:
                return Turn(0, elsewhere=True)
            return self._serve(connection, receiver_id, stop, check, turn_is_over)

    def _serve(
        self,
        connection: Connection,
        receiver_id: int,
        stop: threading.Event,
        check: Callable[[], None],
        turn_is_over: Callable[[], bool],
    ) -> Turn:
        attempted = 0
        while not stop.is_set():
            check()
            looked_at = self.clock()
            due = outbox_due.due(connection, receiver_id, looked_at, _BATCH)
            if not due:
                break
            for bundle in bundles(self._pass_stages(connection, due)):
                check()
                notification = self._prepare(connection, bundle)
                if notification is None:
                    continue
                attempted += 1
                if not self._attempt(connection, notification):
                    return Turn(attempted, failed=True)
                if stop.is_set() or turn_is_over():
                    return Turn(attempted)
                if self.clock() - looked_at >= _LOOK_AGAIN:
                    break
        return Turn(attempted)

    def _pass_stages(self, connection: Connection, due: list[Due]) -> tuple[Due, ...]:
        batch = run_stages(due, self.clock(), self.pacing)
        if batch.dropped:
            outbox_due.suppress(connection, batch.dropped, {each.id: each.joined for each in due})
        for reason, count in Counted(reason.value for _, reason in batch.dropped).items():
            _outcomes.labels("", "suppressed", reason).inc(count)
            _log.info("notifications suppressed", reason=reason, count=count)
        if batch.held:
            outbox_due.hold(connection, batch.held)
        for reason, count in Counted(each.reason.value for each in batch.held).items():
            _outcomes.labels("", "held", reason).inc(count)
        return batch.kept

    def _prepare(self, connection: Connection, bundle: Sequence[Due]) -> Notification | None:
        """Fix what is sent for notifications that go out as one message; None: look at them again."""
        leader, *others = bundle
        if not leader.is_composed:
            named = [leader.id, *(due.id for due in others[: ENUMERATED - 1])]
            said = outbox_due.messages(connection, named)
            message = _annotated(connection, leader, said[leader.id])
            if others:
                message = compose_group(message, [said[outbox_id] for outbox_id in named[1:]], len(bundle))
            # Alone too: what a receiver may have, should we be killed, is neither dropped nor said otherwise.
            if not outbox_due.compose(connection, leader.id, message, [due.id for due in others]):
                return None
        return outbox.read_notification(connection, leader.id)

    def _attempt(self, connection: Connection, notification: Notification) -> bool:
        """Send and write the receipt; False when the receiver is left alone for now."""
        try:
            words = self.senders[notification.channel].send(notification)
        except DeliveryFailed as failure:
            return self._record_failure(connection, notification, failure)
        except Exception as error:  # noqa: BLE001  # what a channel did not foresee needs a receipt and an end too
            _log.exception("channel failed", id=str(notification.id), receiver=notification.receiver)
            unforeseen = DeliveryFailed(f"{type(error).__name__} (the log of notify says more)", permanent=False)
            return self._record_failure(connection, notification, unforeseen)
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
        asked = None if failure.retry_after_seconds is None else timedelta(seconds=failure.retry_after_seconds)
        # What was asked for holds for all that is due for it. Else it is tried with another in a moment: one that fails
        # for its own sake, for the tenth time, must not keep others waiting for an hour.
        not_before = None if failure.permanent else at + delay_before_next(notification.id, 1, asked)
        words = str(failure)
        if failure.permanent or attempts >= self.maximum_attempts:
            reason = Failure.REFUSED if failure.permanent else Failure.ATTEMPTS_EXHAUSTED
            outbox.record_failed(connection, notification, at=at, detail=words, reason=reason, not_before=not_before)
            _count(notification, "failed", reason.value)
            return failure.permanent
        again = at + delay_before_next(notification.id, attempts, asked)
        outbox.record_postponed(
            connection, notification, at=at, detail=words, next_attempt_at=again, not_before=not_before
        )
        _count(notification, "postponed", "")
        return False


def _annotated(connection: Connection, due: Due, message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Say why news comes late."""
    if due.kind not in NEWS or due.attempts:
        return message
    if due.cause is not None and due.explained_until is not None:
        cause = outbox_due.cause_of(connection, due.alert_id) or "Something else"
        message = say_still_silent(message, cause, due.explained_until)
    if due.reason == Hold.SILENCED:
        silence = outbox_due.silence_of(connection, due.id)
        message = message if silence is None else say_was_silenced(message, *silence)
    return message


def _count(notification: Notification, outcome: str, reason: str) -> None:
    _outcomes.labels(notification.channel.value, outcome, reason).inc()
