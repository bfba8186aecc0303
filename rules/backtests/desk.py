"""The desk: finds back-tests that wait and has each carried out in a process of its own, one at a time.

It runs in a thread of the rules program, of a standby as well; however many there are, an advisory lock gives each
back-test to one. A back-test whose program was killed is begun again by whoever finds it. Cancelled ones end their
process by themselves; one that does not is ended.
"""

import multiprocessing
import threading
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess

import structlog

from rules.backtests.job import carry_out
from veldwatch.errors import StorageError
from veldwatch.storage import backtests
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log = structlog.stdlib.get_logger(__name__)
_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
_FORGET_EVERY = timedelta(hours=1)
_PATIENCE_SECONDS = 2.0


class Desk:
    """Works until it is told to stop; outlives the database's absence."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._forgotten_at: datetime | None = None

    def run(self, stop: threading.Event) -> None:
        """Carry out what is asked for."""
        while not stop.is_set():
            try:
                with connect(self._dsn, autocommit=True, application="veldwatch-backtests") as connection:
                    listen(connection, backtests.CHANNEL)
                    self._serve(connection, stop)
            except StorageError as error:
                _log.warning("back-tests wait for the database", error=str(error))
                stop.wait(_PAUSE_SECONDS)

    def _serve(self, connection: Connection, stop: threading.Event) -> None:
        while not stop.is_set():
            self._forget(connection)
            number = backtests.lock_next(connection)
            if number is None:
                wait_for_wakeup(connection, _LOOK_SECONDS)
                continue
            try:
                self._have_carried_out(connection, number, stop)
            finally:
                backtests.unlock(connection, number)

    def _have_carried_out(self, connection: Connection, number: int, stop: threading.Event) -> None:
        # A fresh interpreter: this one has threads, which a fork would leave in the middle of something.
        context = multiprocessing.get_context("spawn")
        # Not a daemon: it has processes of its own. All of them end with their parents.
        process = context.Process(target=carry_out, args=(self._dsn, number), name=f"backtest-{number}")
        process.start()
        while process.is_alive() and not stop.is_set():
            process.join(_LOOK_SECONDS)
            if backtests.is_over(connection, number):
                process.join(_PATIENCE_SECONDS)
                break
        _end(process)
        if not stop.is_set() and process.exitcode:
            _log.warning("a back-test's process ended", number=number, exit_code=process.exitcode)

    def _forget(self, connection: Connection) -> None:
        now = datetime.now(UTC)
        if self._forgotten_at is None or now - self._forgotten_at >= _FORGET_EVERY:
            backtests.forget(connection, now - backtests.KEPT)
            self._forgotten_at = now


def _end(process: BaseProcess) -> None:
    process.terminate()
    process.join(_PATIENCE_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
