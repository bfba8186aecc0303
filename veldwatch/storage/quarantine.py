"""Quarantine: every message, or part of one, that could not be stored, with its bytes and a reason.

A message that comes again is counted in the row that it has: the digest is over topic, payload and reason.
Whose a message is can be told only where its topic is one of our own; `organisation` keeps to those.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from veldwatch.errors import NotFound
from veldwatch.model.reasons import Reason
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("quarantine")
# Of bytes in one statement: a batch may hold thousands of payloads that are each as long as the limit.
_STATEMENT_BYTES = 8 * 2**20
_NEWEST = 2**63 - 1


class Quarantined(NamedTuple):
    """What could not be stored; source is empty where no source took the topic."""

    received_at: datetime
    source: str
    topic: str
    payload: bytes
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """A row as it is kept.

    Attributes:
        received_at: when it came first.
        count: how often it came.
        replayed_at: when it was taken in after all; None: not yet.
    """

    id: int
    received_at: datetime
    last_received_at: datetime
    count: int
    source: str
    topic: str
    payload: bytes
    reason: str
    detail: str
    replayed_at: datetime | None


def add(connection: Connection, rows: Sequence[Quarantined]) -> None:
    """Keep rows, in the caller's transaction."""
    for part in _parts(_counted(rows)):
        values: dict[str, object] = {
            "digest": [digest for digest, _ in part],
            "received_at": [rows[0].received_at for _, rows in part],
            "last_received_at": [rows[-1].received_at for _, rows in part],
            "count": [len(rows) for _, rows in part],
            "source": [rows[0].source for _, rows in part],
            "topic": [storable(rows[0].topic) for _, rows in part],
            "payload": [rows[0].payload for _, rows in part],
            "reason": [rows[0].reason.value for _, rows in part],
            "detail": [storable(rows[0].detail) for _, rows in part],
        }
        with translated_errors():
            connection.execute(_QUERIES["add"], values)


def ids_of(connection: Connection, rows: Sequence[Quarantined]) -> list[int]:
    """Give the ids of rows that were added, in the same order; 0 for one that somebody has removed since."""
    digests = [_digest(row) for row in rows]
    with translated_errors():
        found = connection.execute(_QUERIES["ids"], {"digests": digests}).fetchall()
    ids = {bytes(digest): int(number) for digest, number in found}
    return [ids.get(digest, 0) for digest in digests]


def newest(
    connection: Connection,
    *,
    organisation: str | None = None,
    reason: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[QuarantineRow]:
    """List rows, newest first.

    Args:
        organisation: slug of the one whose messages may be seen; None: all, also those of nobody.
        before: only rows with a smaller id: the last id of the page before.
    """
    values = {
        "topic_prefix": _prefix(organisation),
        "reason": reason,
        "before": _NEWEST if before is None else before,
        "limit": limit,
    }
    with translated_errors():
        return [_row(found) for found in connection.execute(_QUERIES["newest"], values).fetchall()]


def get(connection: Connection, number: int) -> QuarantineRow:
    """Give one row.

    Raises:
        NotFound: there is none of that id.
    """
    with translated_errors():
        found = connection.execute(_QUERIES["get"], {"id": number}).fetchone()
    if found is None:
        raise NotFound(f"no quarantined message {number!r}")
    return _row(found)


def summary(connection: Connection, organisation: str | None = None) -> list[tuple[str, int]]:
    """Count the messages that were not replayed, by reason, the most frequent first; one that came twice is one."""
    with translated_errors():
        found = connection.execute(_QUERIES["summary"], {"topic_prefix": _prefix(organisation)}).fetchall()
    return [(reason, count) for reason, count in found]


def storable(text: str) -> str:
    """Make text that PostgreSQL can hold: no U+0000, no lone surrogate."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _prefix(organisation: str | None) -> str | None:
    return None if organisation is None else f"veldwatch/v1/{organisation}/"


def _counted(rows: Iterable[Quarantined]) -> list[tuple[bytes, list[Quarantined]]]:
    counted: dict[bytes, list[Quarantined]] = {}
    for row in rows:
        counted.setdefault(_digest(row), []).append(row)
    return list(counted.items())


def _digest(row: Quarantined) -> bytes:
    digest = hashlib.sha256(row.payload)
    digest.update(f"\0{row.topic}\0{row.reason.value}".encode(errors="replace"))
    return digest.digest()


def _parts(rows: list[tuple[bytes, list[Quarantined]]]) -> Iterable[list[tuple[bytes, list[Quarantined]]]]:
    part: list[tuple[bytes, list[Quarantined]]] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row[1][0].payload)
        if size > _STATEMENT_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _row(found: tuple[Any, ...]) -> QuarantineRow:
    names = QuarantineRow.__slots__
    return QuarantineRow(**dict(zip(names, found, strict=True)))
