"""What a database wants before and after a dump is read into it; the dump itself is PostgreSQL's own tools' work."""

from collections.abc import Generator
from contextlib import contextmanager

from veldwatch.errors import Conflict
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.migrate import MigrationReport, migrate
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("restoring")


def check_empty(connection: Connection) -> None:
    """Refuse to write over anything.

    Raises:
        Conflict: the database has tables.
    """
    with translated_errors():
        row = connection.execute(_QUERIES["tables"]).fetchone()
    if row is None or row[0]:
        raise Conflict(
            f"the database {connection.info.dbname!r} has tables (expected an empty one: restore into a new database)"
        )


@contextmanager
def restoring(connection: Connection, *, timescale: bool) -> Generator[None]:
    """Prepare a database for a dump, and let its jobs run again afterwards; the connection is in autocommit.

    Args:
        timescale: the dump is of a database with TimescaleDB.
    """
    with translated_errors():
        connection.execute(_QUERIES["make_reader"])
        if timescale:
            connection.execute(_QUERIES["make_extension"])
            connection.execute(_QUERIES["before"])
    try:
        yield
    finally:
        if timescale:
            with translated_errors():
                connection.execute(_QUERIES["after"])


def finish(connection: Connection) -> MigrationReport:
    """Bring what was restored to this program's schema, its log to this server's transactions, and make statistics.

    Raises:
        SchemaMismatch: it is of a newer program.
    """
    report = migrate(connection)
    with translated_errors():
        connection.commit()
        connection.execute(_QUERIES["analyze"])
        connection.commit()
    return report
