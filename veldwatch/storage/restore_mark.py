"""The mark of a database that a dump is being read into: a table, there from before the first row until all is done.

A restore that was killed leaves tables and rows of `migration`, but not every row, index and trigger: by its
migrations it looks whole. So nobody works on a database with the mark, and it cannot be restored into again.
"""

from veldwatch.errors import SchemaMismatch
from veldwatch.storage.connection import Connection, translated_errors

TABLE = "restore_unfinished"
UNFINISHED = "a restore did not end: drop the database and restore again"


def check_restored(connection: Connection) -> None:
    """Refuse a database that a restore did not end in.

    Raises:
        SchemaMismatch: saying what to do.
    """
    with translated_errors():
        row = connection.execute("SELECT to_regclass('public.restore_unfinished') IS NOT NULL").fetchone()
    if row == (True,):
        raise SchemaMismatch(f"bad database {connection.info.dbname!r}: {UNFINISHED} (unless one is running now)")


def set_mark(connection: Connection) -> None:
    """Mark a database, in the caller's transaction."""
    with translated_errors():
        connection.execute("CREATE TABLE public.restore_unfinished ()")


def take_mark_away(connection: Connection) -> None:
    """Say that everything is there, in the caller's transaction."""
    with translated_errors():
        connection.execute("DROP TABLE public.restore_unfinished")
