"""Keep a broker's account files as the register says, until told to stop.

A change in the register wakes it (NOTIFY), and so does the end of a credential; once a minute it looks in any case.
While the database is away, or when the accounts cannot be written, the files stay as they are: nobody is let in who was
not, nobody is cut off who was.
"""

import threading
import time
from collections.abc import Callable

import structlog

from launch.account_files import AccountFiles
from veldwatch.errors import StorageError
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.credentials import CHANNEL, accounts_in_force, seconds_to_next_end
from veldwatch.storage.wakeups import listen, wait_for_wakeup

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_LOOK_SECONDS = 60.0
_TICK_SECONDS = 0.5
# Many changes at once (a register that is being filled) are one new file. Well below the seconds that are promised.
_GATHER_SECONDS = 0.2
_LONGEST_BACK_OFF_SECONDS = 5.0


class AccountWatch:
    """Writes the accounts whenever they change.

    Args:
        changed: called after files were replaced; the broker is to read them again.
    """

    def __init__(self, dsn: str, files: AccountFiles, changed: Callable[[], None] = lambda: None) -> None:
        self._dsn = dsn
        self._files = files
        self._changed = changed
        self.written = threading.Event()
        """Set once the files are as the register says, for the first time."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        back_off = _TICK_SECONDS
        while not stop.is_set():
            try:
                with connect(self._dsn, autocommit=True, application="veldwatch-accounts", prepare=False) as connection:
                    listen(connection, CHANNEL)
                    back_off = _TICK_SECONDS
                    self._follow(connection, stop)
            except (StorageError, OSError) as error:
                _log.warning("the broker's accounts stay as they are", reason=str(error))
                stop.wait(back_off)
                back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)

    def write_once(self, connection: Connection) -> int:
        """Bring the files up to date and give the number of accounts."""
        accounts = accounts_in_force(connection)
        if self._files.write(accounts):
            _log.info("accounts written", accounts=len(accounts), folder=str(self._files.folder))
            self._changed()
        self.written.set()
        return len(accounts)

    def _follow(self, connection: Connection, stop: threading.Event) -> None:
        while not stop.is_set():
            self.write_once(connection)
            ends = seconds_to_next_end(connection)
            look_at = time.monotonic() + min(_LOOK_SECONDS, _LOOK_SECONDS if ends is None else max(ends, 0) + 0.05)
            while not stop.is_set() and (left := look_at - time.monotonic()) > 0:
                if wait_for_wakeup(connection, min(left, _TICK_SECONDS)):
                    stop.wait(_GATHER_SECONDS)
                    break
