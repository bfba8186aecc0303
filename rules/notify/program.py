"""The program that delivers: sees which receivers have something due and serves each in a thread of its own.

Threads are as many as there are slots; `rules.notify.turns` says who gets one, so that receivers that are slow or dead,
however many, delay nobody else. It is woken by NOTIFY and looks each second besides. With the database away it waits
and comes back; what was sent without a receipt is then sent again with the same id. With a database that another
version has migrated it ends: that version goes on.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from rules.notify.delivery import Deliverer
from rules.notify.turns import SLOTS, Candidate, Slots, choose
from veldwatch.errors import SchemaMismatch, StorageError
from veldwatch.storage import outbox, receivers
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.receivers import ReceiverSort
from veldwatch.storage.schema_hold import SchemaHold
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.get_logger()
_MOST_RECEIVERS = 10_000
"""Looked at in one go, the longest waiting first."""
_POLL_SECONDS = 1.0
_TURN_SECONDS = 5.0
"""A backlog gives its slot back after this long, if others wait for one, and goes on when its turn comes again."""
# Within the 10 s in which everything must have stopped. A delivery that takes longer is repeated by the next program:
# also a mail whose server is still looking at it, which may take ten minutes.
_GRACE_SECONDS = 4.0
_PAUSE_AFTER_TROUBLE_SECONDS = 5.0


class _Served(NamedTuple):
    """A receiver that has a slot."""

    candidate: Candidate
    thread: threading.Thread


class _Past(NamedTuple):
    """What came of a receiver's last turns."""

    failures: int = 0
    last_turn_ended: float = 0.0


@dataclass(slots=True, kw_only=True)
class NotifyProgram:
    """Runs until `stop` is set."""

    dsn: str
    deliverer: Deliverer
    stop: threading.Event
    slots: Slots = SLOTS
    _others_wait: bool = False
    _active: dict[int, _Served] = field(default_factory=dict[int, _Served])
    _past: dict[int, _Past] = field(default_factory=dict[int, _Past])
    _sorts: dict[int, ReceiverSort] = field(default_factory=dict[int, ReceiverSort])
    _paused_until: dict[int, float] = field(default_factory=dict[int, float])

    def run(self) -> None:
        """Serve until stopped; outlives the database's absence.

        Raises:
            SchemaMismatch: the database wants another version of this program.
        """
        try:
            self._keep_serving()
        finally:
            self.stop.set()
            self._leave()

    def _keep_serving(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                with connect(self.dsn, autocommit=True, application="veldwatch-notify") as connection:
                    listen(connection, outbox.CHANNEL)
                    failures = 0
                    self._dispatch_until_stopped(connection)
            except SchemaMismatch:
                raise
            except StorageError as error:
                failures += 1
                _log.warning("database unavailable", error=str(error), failures=failures)
                self.stop.wait(min(0.5 * 2 ** min(failures, 5), 10.0))

    def _dispatch_until_stopped(self, connection: Connection) -> None:
        hold = SchemaHold(connection)
        for receiver_id in receivers.tried_in_vain(connection) - self._past.keys():
            self._past[receiver_id] = _Past(failures=1)
        while not self.stop.is_set():
            hold.check(connection)
            self._active = {id_: served for id_, served in self._active.items() if served.thread.is_alive()}
            waiting = self._waiting(connection)
            chosen = choose(waiting, [served.candidate for served in self._active.values()], self.slots)
            # Before they start: who is served asks it when its turn may be over.
            self._others_wait = len(chosen) < len(waiting)
            for candidate in chosen:
                self._start(candidate)
            wait_for_wakeup(connection, _POLL_SECONDS)

    def _waiting(self, connection: Connection) -> list[Candidate]:
        due = [
            receiver_id
            for receiver_id in outbox.due_receivers(connection, self.deliverer.clock(), limit=_MOST_RECEIVERS)
            if receiver_id not in self._active and self._paused_until.get(receiver_id, 0.0) <= time.monotonic()
        ]
        unknown = [receiver_id for receiver_id in due if receiver_id not in self._sorts]
        if unknown:
            self._sorts |= receivers.sorts_of(connection, unknown)
        pasts = [self._past.get(receiver_id, _Past()) for receiver_id in due]
        return [
            Candidate(
                receiver_id=receiver_id,
                sort=self._sorts[receiver_id],
                failures=past.failures,
                last_turn_ended=past.last_turn_ended,
            )
            for receiver_id, past in zip(due, pasts, strict=True)
        ]

    def _start(self, candidate: Candidate) -> None:
        # A daemon: a mail server that takes minutes to answer must not keep the program from ending.
        thread = threading.Thread(
            target=self._serve, args=(candidate,), name=f"receiver-{candidate.receiver_id}", daemon=True
        )
        self._active[candidate.receiver_id] = _Served(candidate, thread)
        thread.start()

    def _serve(self, candidate: Candidate) -> None:
        receiver_id = candidate.receiver_id
        try:
            with connect(self.dsn, autocommit=True, application="veldwatch-notify-receiver") as connection:
                hold = SchemaHold(connection)
                turn = self.deliverer.serve(
                    connection,
                    receiver_id,
                    self.stop,
                    check=lambda: hold.check(connection),
                    turn_is_over=self._new_turn(),
                )
                failures = candidate.failures + 1 if turn.failed else 0 if turn.attempted else candidate.failures
                self._past[receiver_id] = _Past(failures=failures, last_turn_ended=time.monotonic())
                if turn.elsewhere:
                    # Not at once: while others wait for their turn each would be looked at again and again.
                    self._paused_until[receiver_id] = time.monotonic() + _POLL_SECONDS
                elif self._others_wait:
                    outbox.wake(connection)
        except StorageError as error:
            _log.warning("delivery interrupted", receiver_id=receiver_id, error=str(error))
            self._paused_until[receiver_id] = time.monotonic() + _PAUSE_AFTER_TROUBLE_SECONDS
        except Exception:  # noqa: BLE001  # a thread's top: it would be started anew with each look
            _log.exception("delivery failed", receiver_id=receiver_id)
            self._paused_until[receiver_id] = time.monotonic() + _PAUSE_AFTER_TROUBLE_SECONDS

    def _new_turn(self) -> Callable[[], bool]:
        until = time.monotonic() + _TURN_SECONDS
        return lambda: self._others_wait and time.monotonic() > until

    def _leave(self) -> None:
        until = time.monotonic() + _GRACE_SECONDS
        for served in self._active.values():
            served.thread.join(max(0.0, until - time.monotonic()))
