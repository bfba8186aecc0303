"""A database server for the time of a scorecard: nothing in it is worth a crash-proof write."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.storage.connection import connect
from veldwatch.storage.migrate import migrate

_UNSAFE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@contextmanager
def temporary_server() -> Generator[EmbeddedPostgres]:
    """Run a server in a folder of its own, which goes with it."""
    home = Path(tempfile.mkdtemp(prefix="veldwatch-scorecard-"))
    server = EmbeddedPostgres(home, options=_UNSAFE)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


def empty_database(server: EmbeddedPostgres, name: str) -> str:
    """Make a migrated database and give its DSN."""
    server.create_database(name)
    with connect(server.dsn(name)) as connection:
        migrate(connection)
    return server.dsn(name)
