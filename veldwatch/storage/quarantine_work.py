"""Working through the quarantine: group, look closer, give up. Replays are `veldwatch.storage.replays`."""

from collections.abc import Sequence
from typing import Literal, get_args

from psycopg.types.json import Jsonb

from veldwatch.errors import RequestInvalid
from veldwatch.model.quarantine import Selection
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("quarantine")
NEWEST = 2**63 - 1
MOST_AT_ONCE = 100_000
"""What one replay or discard takes; more would hold up whoever else writes to these rows."""
_SHOWN_ATTEMPTS = 50

By = Literal["reason", "source", "topic_pattern", "organisation", "device", "day"]
GROUPINGS: tuple[By, ...] = get_args(By)


def attempts(connection: Connection, number: int) -> list[Row]:
    """Tell what replays made of one message, newest first."""
    return fetch_rows(connection, _QUERIES["attempts"], {"id": number, "limit": _SHOWN_ATTEMPTS})


def groups(
    connection: Connection, selection: Selection, by: Sequence[By], *, skip: int = 0, limit: int = 100
) -> list[Row]:
    """Count the messages that share what is grouped by, the most frequent first, with the newest id and sentence."""
    values = {"selection": Jsonb(selection.document()), "by": list(by), "skip": skip, "limit": limit}
    return fetch_rows(connection, _QUERIES["groups"], values)


def counted(connection: Connection) -> list[Row]:
    """Tell what is only counted: what came when there was no room (state open), and what was settled long ago."""
    return fetch_rows(connection, _QUERIES["counted"], {})


def discard(connection: Connection, selection: Selection, *, author: str, reason: str) -> Row:
    """Give messages up, in the caller's transaction; those that wait for a replay are left alone.

    Returns:
        The record of it; `discarded` is how many they were, `MOST_AT_ONCE` at most.

    Raises:
        RequestInvalid: nobody says why.
    """
    if not reason.strip():
        raise RequestInvalid("bad reason: '' (expected a sentence that says why these messages are given up)")
    values: dict[str, object] = {
        "author": author,
        "reason": reason.strip(),
        "organisation": selection.organisation,
        "selection": Jsonb(selection.document()),
        "most": MOST_AT_ONCE,
    }
    with translated_errors():
        made = fetch_row(connection, _QUERIES["note_discard"], values) or {}
        done = connection.execute(_QUERIES["discard"], values | {"discard_id": made["id"]}).rowcount
    return fetch_row(connection, _QUERIES["count_discarded"], {"id": made["id"], "discarded": done}) or {}


def discards(
    connection: Connection, organisation: str | None = None, *, before: int = NEWEST, limit: int = 100
) -> list[Row]:
    """List what was given up, newest first."""
    values = {"organisation": organisation, "before": before, "limit": limit}
    return fetch_rows(connection, _QUERIES["discards"], values)
