"""Connections lent to a program that answers many at once, each with a bound on how long a query may take.

A loan is one transaction: committed when the block ends well, rolled back when it raises. Nothing is lent of a database
that another version of the program has migrated meanwhile. Reads answer rows as
mappings under the names of their columns; what such a row looks like to others is declared by the API's models.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from veldwatch.errors import QueryTooSlow, StorageUnavailable
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.schema_hold import check_step

Row = dict[str, Any]
Parameters = Mapping[str, object]

_WAIT_SECONDS = 5.0


class Pool:
    """A bounded number of connections, opened when first needed and replaced when the server drops them.

    Args:
        size: connections at most: how many queries run at once.
        query_limit: a query that takes longer is cancelled by the server.
    """

    def __init__(self, dsn: str, *, size: int, query_limit: timedelta, application: str) -> None:
        self.query_limit = query_limit
        milliseconds = int(query_limit / timedelta(milliseconds=1))
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            dsn,
            kwargs={
                "application_name": application,
                "connect_timeout": 5,
                "options": f"-c timezone=UTC -c statement_timeout={milliseconds}",
                # Every query is planned with its own values: filters that are not asked for cost nothing,
                # and partitions outside the asked time are not looked at.
                "prepare_threshold": None,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
            },
            min_size=1,
            max_size=size,
            timeout=_WAIT_SECONDS,
            max_waiting=100,
            check=ConnectionPool.check_connection,
            reconnect_timeout=30,
            open=False,
        )

    def open(self) -> None:
        """Begin to connect, without waiting for the server."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        self._pool.close(timeout=2)

    @contextmanager
    def lend(self) -> Generator[Connection]:
        """Lend a connection for one transaction.

        Raises:
            StorageUnavailable: no connection can be had within 5 s.
            QueryTooSlow: the server cancelled a query at its time limit.
            SchemaMismatch: the database is of another version.
        """
        try:
            with translated_errors(), self._pool.connection() as connection:
                check_step(connection)
                yield connection
        except StorageUnavailable as error:
            if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
                limit = self.query_limit.total_seconds()
                raise QueryTooSlow(
                    f"the query took longer than {limit:g} s (ask for less at once: a shorter time range, fewer"
                    " devices or series, longer buckets)"
                ) from error
            raise


def fetch_rows(connection: Connection, query: bytes, parameters: Parameters) -> list[Row]:
    """Run a query and give its rows, each under the names of its columns."""
    with translated_errors(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def fetch_row(connection: Connection, query: bytes, parameters: Parameters) -> Row | None:
    """Run a query and give its first row, None when there is none."""
    with translated_errors(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchone()
