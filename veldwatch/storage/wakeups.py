"""Waiting for NOTIFY: it only makes a program look sooner, so a lost one costs a poll interval and nothing else."""

from psycopg import sql

from veldwatch.storage.connection import Connection, translated_errors


def listen(connection: Connection, *channels: str) -> None:
    """Ask to be woken by these channels; nothing arrives within a transaction."""
    with translated_errors():
        for channel in channels:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))


def wait_for_wakeup(connection: Connection, timeout_seconds: float) -> bool:
    """Sleep until a channel says something or the time is over; several notifications wake once.

    Raises:
        StorageUnavailable: the connection is gone.
    """
    with translated_errors():
        woken = [notification.channel for notification in connection.notifies(timeout=timeout_seconds, stop_after=1)]
    return bool(woken)
