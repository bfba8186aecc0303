"""Let no program write into a schema that it was not written for, also while it runs.

`veldwatch migrate` takes the same lock alone that writers share: a transaction that holds the schema is either over
before the migration begins, or finds out, after it, that the schema is another. Then the program stops in words; what
it had not acknowledged is delivered to the version that takes its place.
"""

from veldwatch.storage.connection import Connection, translated_errors
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
            row = connection.execute(_QUERIES["newest"]).fetchone()
        if row != (self._step,):
            check_schema(connection)
