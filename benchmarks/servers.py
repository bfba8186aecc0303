"""A database of a measurement's own on either edition, in a folder that is gone afterwards or that is kept for more."""

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from launch.embedded_postgres import EmbeddedPostgres
from tests.timescale.server import timescale_server
from veldwatch.storage.connection import connect
from veldwatch.storage.migrate import migrate

PLAIN, COMMUNITY = "plain", "community"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A migrated database: how to reach it, what it is, and how to start it anew with nothing in memory.

    Attributes:
        prepare: whether its clients may prepare statements.
        restart: None: it cannot be, as another's server.
    """

    dsn: str
    name: str
    edition: str
    prepare: bool
    restart: Callable[[], None] | None = None


@contextmanager
def history_server(edition: str, home: Path | None, dsn: str = "") -> Generator[History]:
    """Start a server; call it from the main thread.

    Args:
        edition: `plain`: the embedded PostgreSQL; `community`: TimescaleDB in WebAssembly, as in tests.
        home: where its files stay; None: nowhere.
        dsn: a database of another server instead, whatever it is.
    """
    with ExitStack() as stack:
        if dsn:
            yield _migrated(dsn, restart=None)
            return
        if home is None:
            made = tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True)
            home = Path(stack.enter_context(made))
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        if edition == COMMUNITY:
            yield _migrated(stack.enter_context(timescale_server(home / "community")), restart=None, prepare=False)
            return
        postgres = EmbeddedPostgres(home)
        stack.callback(postgres.stop)
        postgres.start()
        postgres.create_database("bench")

        def restart() -> None:
            postgres.stop()
            forget_files(home)
            postgres.start()

        yield _migrated(postgres.dsn("bench"), restart=restart)


def _migrated(dsn: str, *, restart: Callable[[], None] | None, prepare: bool = True) -> History:
    with connect(dsn, prepare=prepare) as connection:
        server = migrate(connection).server
    return History(dsn=dsn, name=str(server), edition=server.edition.value, prepare=prepare, restart=restart)


def forget_files(folder: Path) -> None:
    """Ask the system to hold nothing of these files in memory. Source: posix_fadvise(2), POSIX_FADV_DONTNEED."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
