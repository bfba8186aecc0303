"""A time by which a dialogue over a connection has to be over, whatever the peer sends meanwhile.

A socket's own timeout holds for one read: a peer that drips a byte now and then never meets it. At the deadline the
connection is shut down, so that whoever reads from it, or writes to it, finds it ended.
"""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Shuts a connection down after so many seconds, unless the block is over before.

    Looking up a name and connecting cannot be cut short: what is connected too late is shut down at once.

    Attributes:
        passed: it was reached within the block.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def __enter__(self) -> Self:
        """Begin to count."""
        self._count(self._seconds)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Let go of the connection."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def watch(self, connection: socket.socket) -> None:
        """Say which connection it is about, once; not one that TLS was put over already."""
        with self._lock:
            # A second handle: TLS takes the socket's own away.
            self._connection = connection.dup()
            if self.passed:
                _shut_down(self._connection)

    def put_off(self, seconds: float) -> None:
        """Count anew from now on, unless it has passed."""
        with self._lock:
            if self._timer is None or self.passed:
                return
            self._timer.cancel()
            self._count(seconds)

    def _count(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        # The program must be able to end before.
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        with self._lock:
            # Another one counts, or none any more, when it was cancelled at the last moment.
            if threading.current_thread() is not self._timer:
                return
            self.passed = True
            if self._connection is not None:
                _shut_down(self._connection)


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):  # the peer was faster
        connection.shutdown(socket.SHUT_RDWR)
