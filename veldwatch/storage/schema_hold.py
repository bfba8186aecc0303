"""Let no program work with a schema that it was not written for, also while it runs (docs/decisions/0056).

`veldwatch migrate` takes the same lock alone that writers share: a transaction that holds the schema is either over
before the migration begins, or finds out, after it, that the schema is another. Then the program stops in words; what
it had not acknowledged is delivered to the version that takes its place. Who reads or
delivers asks without the lock: nobody has to wait for a migration who would only be told to stop.
"""

from veldwatch.errors import SchemaMismatch, StorageRejected
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.editions import Edition
from veldwatch.storage.migrate import check_schema, newest_step
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("schema")


class SchemaHold:
    """What one program expects of its database.

    Raises:
        SchemaMismatch: the database has another schema than this program needs.
    """

    def __init__(self, connection: Connection) -> None:
        self._step = newest_step(check_schema(connection).edition)

    def take(self, connection: Connection) -> None:
        """Keep the schema as it is until the caller's transaction ends; call it first in it.

        Raises:
            SchemaMismatch: it is no longer the one that was found at the start.
        """
        with translated_errors():
            connection.execute(_QUERIES["hold"])
        # A statement of its own: it sees what was committed while the lock was waited for.
        self.check(connection)

    def check(self, connection: Connection) -> None:
        """Look whether the schema is still the one that was found at the start; no lock is taken.

        Raises:
            SchemaMismatch: it is not.
        """
        if _newest(connection) != self._step:
            check_schema(connection)


def check_step(connection: Connection) -> None:
    """Look by one short query whether the schema is that of this program; the edition does not matter.

    Raises:
        SchemaMismatch: it is older, newer, or there is none.
    """
    try:
        newest = _newest(connection)
    except StorageRejected as error:
        raise SchemaMismatch("the database has no schema (run `veldwatch migrate`)") from error
    if newest != newest_step(Edition.PLAIN):  # each edition has every step
        check_schema(connection)


def _newest(connection: Connection) -> int | None:
    with translated_errors():
        row = connection.execute(_QUERIES["newest"]).fetchone()
    return None if row is None else row[0]
