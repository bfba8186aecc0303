"""Follow what is written, as it is written: new batches of the log, and alerts that change.

A `LiveFeed` holds a connection of its own that listens. It must be asked again and again while it is open: the server
keeps notifications for whoever listens and does not fetch them. Nothing here is async: the log keeps one
implementation, and the API asks from a thread.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self
from uuid import UUID

from veldwatch.storage import alerts, incident_gathering, log
from veldwatch.storage.connection import Connection, connect, translated_errors
from veldwatch.storage.log import LogBatch, LogCursor
from veldwatch.storage.queries import load_queries
from veldwatch.storage.wakeups import listen

_QUERIES = load_queries("live")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakeup:
    """What the server called: ids of batches that were committed, and of alerts and incidents that changed."""

    batches: frozenset[int]
    alerts: frozenset[UUID]
    incidents: frozenset[UUID]


class LiveFeed:
    """A connection that listens for batches and alerts; use it in a `with` block.

    Raises:
        StorageUnavailable: from every method, when the connection is gone: open another feed.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        self._connection = connect(self._dsn, autocommit=True, application="veldwatch-api-live")
        with ExitStack() as unless_ready:
            unless_ready.callback(self._connection.close)
            listen(self._connection, log.CHANNEL, alerts.CHANNEL, incident_gathering.CHANNEL)
            unless_ready.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> Connection:
        """Lend the feed's connection (autocommit) for look-ups between two waits."""
        if self._connection is None:
            raise RuntimeError("a LiveFeed is used outside its `with` block")
        return self._connection

    def wait(self, timeout_seconds: float) -> Wakeup:
        """Sleep until something was committed or the time is over, and give all that was called till then."""
        batches: set[int] = set()
        changed: set[UUID] = set()
        incidents: set[UUID] = set()
        with translated_errors():
            for notification in self.connection.notifies(timeout=timeout_seconds, stop_after=1):
                if notification.channel == log.CHANNEL and notification.payload.isdecimal():
                    batches.add(int(notification.payload))
                elif notification.channel == alerts.CHANNEL:
                    changed |= _ids(notification.payload)
                elif notification.channel == incident_gathering.CHANNEL:
                    incidents |= _ids(notification.payload)
        return Wakeup(batches=frozenset(batches), alerts=frozenset(changed), incidents=frozenset(incidents))

    def read(self, after: LogCursor, batches: int, rows: int) -> list[tuple[LogCursor, LogBatch]]:
        """Read batches after a cursor, as `log.read_up_to` does."""
        return log.read_up_to(self.connection, after, batches, rows)[0]


def log_tail(connection: Connection) -> LogCursor:
    """Say where the log ends now."""
    with translated_errors():
        row = connection.execute(_QUERIES["tail"]).fetchone()
    return log.START if row is None else LogCursor(int(row[0]), row[1])


def batch_time(connection: Connection, cursor: LogCursor) -> datetime | None:
    """Say when the batch at a cursor was committed; None when the log does not hold it (any more)."""
    with translated_errors():
        row = connection.execute(_QUERIES["batch_time"], {"xid": str(cursor.xid), "id": cursor.id}).fetchone()
    return None if row is None else row[0]


def _ids(payload: str) -> set[UUID]:
    try:
        return {UUID(payload)}
    except ValueError:
        # anyone who may connect may NOTIFY; what is no id calls nobody
        return set()
