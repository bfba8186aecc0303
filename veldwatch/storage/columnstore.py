"""What TimescaleDB's columnstore has to be told before rows in it are changed; other servers take no notice."""

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("columnstore")


def open_as_needed(connection: Connection) -> None:
    """Let the caller's transaction open as many compressed rows as its changes touch.

    A row that is changed opens the thousand that were compressed with it, so a late hour of some hundred series is past
    the limit of 100,000 rows that a transaction has by default.

    Source: TimescaleDB, `timescaledb.max_tuples_decompressed_per_dml_transaction`; 0: without limit.
    """
    with translated_errors():
        connection.execute(_QUERIES["open_as_needed"])
