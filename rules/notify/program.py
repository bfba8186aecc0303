"""The program that delivers: sees which receivers have something due and serves each in a thread of its own.

So a receiver that is slow or dead delays nobody else. It is woken by NOTIFY and looks each second besides. With the
database away it waits and comes back; what was sent without a receipt is then sent again with the same id. With a
database that another version has migrated it ends: that version goes on.
"""

import threading
import time
from dataclasses import dataclass, field

import structlog

from rules.notify.delivery import Deliverer
from veldwatch.errors import SchemaMismatch, StorageError
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.schema_hold import SchemaHold
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.get_logger()
_MOST_AT_ONCE = 8
_POLL_SECONDS = 1.0
# Within the 10 s in which everything must have stopped; a delivery that takes longer is repeated by the next one.
_GRACE_SECONDS = 4.0
_PAUSE_AFTER_TROUBLE_SECONDS = 5.0


@dataclass(slots=True, kw_only=True)
class NotifyProgram:
    """Runs until `stop` is set."""

    dsn: str
    deliverer: Deliverer
    stop: threading.Event
    _active: dict[int, threading.Thread] = field(default_factory=dict[int, threading.Thread])
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
        while not self.stop.is_set():
            hold.check(connection)
            self._active = {receiver: thread for receiver, thread in self._active.items() if thread.is_alive()}
            for receiver_id in outbox.due_receivers(connection, self.deliverer.clock(), limit=1000):
                if self._may_serve(receiver_id):
                    self._start(receiver_id)
            wait_for_wakeup(connection, _POLL_SECONDS)

    def _may_serve(self, receiver_id: int) -> bool:
        return (
            receiver_id not in self._active
            and len(self._active) < _MOST_AT_ONCE
            and self._paused_until.get(receiver_id, 0.0) <= time.monotonic()
        )

    def _start(self, receiver_id: int) -> None:
        # A daemon: a receiver that drips its answer must not keep the program from ending.
        thread = threading.Thread(target=self._serve, args=(receiver_id,), name=f"receiver-{receiver_id}", daemon=True)
        self._active[receiver_id] = thread
        thread.start()

    def _serve(self, receiver_id: int) -> None:
        try:
            with connect(self.dsn, autocommit=True, application="veldwatch-notify-receiver") as connection:
                hold = SchemaHold(connection)
                self.deliverer.serve(connection, receiver_id, self.stop, check=lambda: hold.check(connection))
        except StorageError as error:
            _log.warning("delivery interrupted", receiver_id=receiver_id, error=str(error))
            self._paused_until[receiver_id] = time.monotonic() + _PAUSE_AFTER_TROUBLE_SECONDS

    def _leave(self) -> None:
        until = time.monotonic() + _GRACE_SECONDS
        for thread in self._active.values():
            thread.join(max(0.0, until - time.monotonic()))
