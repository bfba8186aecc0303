"""Servers of the TimescaleDB in WebAssembly: one backend and one database each, as long as the test process runs.

A test takes a server, and gives it back. The next one takes it emptied, if it is well: within a time limit it must end
all clients, and the schema must be the one that migrations made. Else its process is killed and a new one starts, so
that a test which blocks the backend or changes the schema is no other test's trouble.
"""

import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg

from tests import databases
from tests.timescale.installation import TimescaleAbsent, install, tool
from veldwatch.errors import StorageError
from veldwatch.storage.connection import connect
from veldwatch.storage.migrate import migrate

_RESET_SECONDS = 20.0
"""A reset takes 0.1 s; a machine under load, and one long statement of a client that has left, are waited for."""


class TimescaleServer:
    """A running server; it ends with `stop`, or with this process however that ends.

    Args:
        files: where it keeps its database; None: in memory, new each time.

    Raises:
        TimescaleAbsent: it cannot be installed or started; the message says why.
    """

    def __init__(self, files: Path | None = None) -> None:
        folder = install()
        # The server ends when its standard input does: the pipe closes even when this process is killed.
        self._process = subprocess.Popen(
            [tool("node"), "server.mjs", *([] if files is None else [str(files)])],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        word, _, port = self._line().partition(" ")
        if word != "ready":
            self.stop()
            raise TimescaleAbsent(f"the server in {folder} said {word!r} (expected 'ready <port>')")
        # It asks nobody for a password; that programs keep one to themselves is tested with it all the same.
        self.dsn = f"host=127.0.0.1 port={port} user=postgres password=unasked dbname=template1"
        self._first_schema = ""

    def migrate(self) -> str:
        """Bring its database to the present schema, remember that, and describe the server."""
        with connect(self.dsn, application="tests", prepare=False) as connection:
            description = f"{migrate(connection).server}, in WebAssembly"
            databases.remember_rows(connection)
            self._first_schema = databases.schema_digest(connection)
        return description

    def emptied(self) -> bool:
        """End its clients and empty its database; false if it does not answer or its schema is another one."""
        with self._killed_unless_done(), suppress(OSError, psycopg.Error, StorageError):
            self._tell("reset")
            if not self._line().startswith("ready "):
                return False
            with connect(self.dsn, application="tests", prepare=False) as connection:
                databases.empty_tables(connection)
                return databases.schema_digest(connection) == self._first_schema
        return False

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        with self._process:
            pass

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    @contextmanager
    def _killed_unless_done(self) -> Generator[None]:
        """Kill it when the block takes too long: all that waits for it then ends with an error."""
        watch = threading.Timer(_RESET_SECONDS, self._process.kill)
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


@contextmanager
def timescale_server(files: Path | None = None) -> Generator[str]:
    """Start a server of an empty database and give its DSN; it ends with this block."""
    server = TimescaleServer(files)
    try:
        yield server.dsn
    finally:
        server.stop()


class TimescaleServers:
    """The servers of a test process: as many as tests hold at once, each used by one test after another.

    Args:
        describe: told what runs, at each start.
    """

    def __init__(self, describe: Callable[[str], None]) -> None:
        self._describe = describe
        self._idle: list[TimescaleServer] = []

    @contextmanager
    def database(self) -> Generator[str]:
        """Give the DSN of a migrated database without any rows but those of migrations.

        Raises:
            TimescaleAbsent: there is no such server on this machine.
        """
        server = self._take()
        try:
            yield server.dsn
        finally:
            self._idle.append(server)

    @contextmanager
    def empty(self) -> Generator[str]:
        """Give the DSN of a database without any schema, on a server of its own that nobody uses again."""
        with timescale_server() as dsn:
            yield dsn

    def stop(self) -> None:
        """End those that no test holds."""
        while self._idle:
            self._idle.pop().stop()

    def _take(self) -> TimescaleServer:
        while self._idle:
            server = self._idle.pop()
            if server.emptied():
                return server
            server.stop()
        server = TimescaleServer()
        with ExitStack() as unless_ready:
            unless_ready.callback(server.stop)
            self._describe(server.migrate())
            unless_ready.pop_all()
        return server
