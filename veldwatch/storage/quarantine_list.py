"""Read out the quarantine: messages that could not be stored, with the bytes as they came.

Whose a message is can be told only where its topic is one of our own; `organisation` keeps to those.
"""

from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("quarantine_list")


def list_quarantine(
    connection: Connection, organisation: str | None, *, reason: str | None, before: int, limit: int
) -> list[Row]:
    """List messages, newest first.

    Args:
        organisation: slug of the one whose messages may be seen; None: all, also those of nobody.
        before: the lowest id that was shown already.
    """
    values = {"topic_prefix": _prefix(organisation), "reason": reason, "before": before, "limit": limit}
    return fetch_rows(connection, _QUERIES["list"], values)


def count_quarantine(connection: Connection, organisation: str | None) -> list[Row]:
    """Count the messages that were not replayed, by `reason`, the most frequent first."""
    return fetch_rows(connection, _QUERIES["summary"], {"topic_prefix": _prefix(organisation)})


def _prefix(organisation: str | None) -> str | None:
    return None if organisation is None else f"veldwatch/v1/{organisation}/"
