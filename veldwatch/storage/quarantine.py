"""Quarantine: every message, or part of one, that could not be stored, with its bytes and a reason.

A message that comes again is counted in the row that it has: the digest is over topic, payload and reason. When it
came is kept too, the first thousand times: a payload without a time of its own tells another thing each time. What is
kept has an end: where a reason has no room left for a source, what is new is only counted.

Whose a message is can be told where its topic is one of our own or its source belongs to one organisation.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from veldwatch.errors import NotFound
from veldwatch.model.quarantine import Origin, QuarantineRow, QuarantineState, Selection
from veldwatch.model.reasons import Reason
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.topics import pattern_of

_QUERIES = load_queries("quarantine")
# Of topics and payloads in one statement: a batch may hold thousands that are each as long as the limit.
_STATEMENT_BYTES = 8 * 2**20
_NEWEST = 2**63 - 1
_WHOLE = 2**31 - 1
MOST_ARRIVALS = 1000
"""Of one message: 8 kB of times. A device that repeats itself every 15 minutes fills it in ten days."""


class Quarantined(NamedTuple):
    """What could not be stored; source is empty where no source took the topic.

    Attributes:
        organisation: slug of the one that it belongs to; None: that cannot be told.
        device: its own identifier; None: that cannot be told.
        cut: the payload was longer than what is kept of it.
        retained: the broker had kept it: no sign of life.
        heard: the rest of the message is stored, and with it that its devices were heard.
        replay_of: id of the row that it came from.
        sender_organisation: slug of the one that its sender may write for; None: any.
    """

    received_at: datetime
    source: str
    topic: str
    payload: bytes
    reason: Reason
    detail: str
    organisation: str | None = None
    device: str | None = None
    cut: bool = False
    retained: bool = False
    heard: bool = False
    origin: Origin = Origin.MESSAGE
    replay_of: int | None = None
    sender_organisation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much is kept for each reason and source."""

    messages: int = 1_000_000
    payload_bytes: int = 2**30


AMPLE = Room()


def add(connection: Connection, rows: Sequence[Quarantined], room: Room = AMPLE) -> None:
    """Keep rows, or count them where there is no room, in the caller's transaction."""
    _add(connection, rows, room, arrived=True)


def add_again(connection: Connection, rows: Sequence[Quarantined]) -> None:
    """Keep rows that a replay refused: they did not arrive again, so nothing is counted twice."""
    _add(connection, rows, AMPLE, arrived=False)


def ids_of(connection: Connection, rows: Sequence[Quarantined]) -> list[int]:
    """Give the ids of rows that were added, in the same order; 0 for one that somebody has removed since."""
    digests = [digest(row) for row in rows]
    with translated_errors():
        found = connection.execute(_QUERIES["ids"], {"digests": digests}).fetchall()
    ids = {bytes(digest): int(number) for digest, number in found}
    return [ids.get(digest, 0) for digest in digests]


def newest(
    connection: Connection,
    selection: Selection | None = None,
    *,
    before: int | None = None,
    limit: int = 100,
    payload_bytes: int = _WHOLE,
) -> list[QuarantineRow]:
    """List messages, newest first.

    Args:
        selection: None: those that wait.
        before: only rows with a smaller id: the last id of the page before.
        payload_bytes: of each payload at most.
    """
    values = {
        "selection": Jsonb((selection or Selection()).document()),
        "before": _NEWEST if before is None else before,
        "limit": limit,
        "payload_bytes": payload_bytes,
    }
    with translated_errors():
        return [_row(found) for found in connection.execute(_QUERIES["newest"], values).fetchall()]


def get(connection: Connection, number: int, organisation: str | None = None) -> QuarantineRow:
    """Give one message.

    Args:
        organisation: slug of the one whose messages may be seen; None: all.

    Raises:
        NotFound: there is none of that id, or it may not be seen.
    """
    selection = Selection(ids=(number,), states=(), organisation=organisation)
    for row in newest(connection, selection, limit=1):
        return row
    raise NotFound(f"no quarantined message {number!r}")


def summary(connection: Connection, organisation: str | None = None) -> list[tuple[str, int]]:
    """Count the messages that wait, by reason, the most frequent first; one that came twice is one.

    Args:
        organisation: slug of the one whose messages count; None: all.
    """
    name = "summary" if organisation is None else "summary_of"
    with translated_errors():
        found = connection.execute(_QUERIES[name], {"organisation": organisation}).fetchall()
    return [(reason, count) for reason, count in found]


def storable(text: str) -> str:
    """Make text that PostgreSQL can hold: no U+0000, no lone surrogate."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def digest(row: Quarantined) -> bytes:
    """Name a message and a reason: what two rows share that are the same."""
    made = hashlib.sha256(row.payload)
    words = ["", row.topic, row.reason.value]
    if row.retained:
        words.append("retained")
    if row.sender_organisation is not None:
        words += ["sent by", row.sender_organisation]
    made.update("\0".join(words).encode(errors="replace"))
    return made.digest()


def pattern(row: Quarantined) -> str:
    """Give the form of a row's topic, to group by."""
    if row.origin is Origin.FILE:
        return storable(row.topic.partition("#")[0])
    return storable(pattern_of(row.topic, row.device))


def _add(connection: Connection, rows: Sequence[Quarantined], room: Room, *, arrived: bool) -> None:
    for part in _parts(_counted(rows)):
        values = _columns(part) | {
            "most": room.messages,
            "most_bytes": room.payload_bytes,
            "most_arrivals": MOST_ARRIVALS,
            "arrived": arrived,
        }
        with translated_errors():
            kept = {bytes(digest) for (digest,) in connection.execute(_QUERIES["add"], values).fetchall()}
        left = [rows for digest, rows in part if digest not in kept]
        if left:
            _count_only(connection, left)


def _columns(part: "list[tuple[bytes, list[Quarantined]]]") -> dict[str, object]:
    firsts = [rows[0] for _, rows in part]
    return {
        "digest": [digest for digest, _ in part],
        "received_at": [row.received_at for row in firsts],
        "last_received_at": [rows[-1].received_at for _, rows in part],
        "count": [len(rows) for _, rows in part],
        "source": [row.source for row in firsts],
        "topic": [storable(row.topic) for row in firsts],
        "payload": [row.payload for row in firsts],
        "reason": [row.reason.value for row in firsts],
        "detail": [storable(row.detail) for row in firsts],
        "organisation": [row.organisation for row in firsts],
        "device": [None if row.device is None else storable(row.device) for row in firsts],
        "topic_pattern": [pattern(row) for row in firsts],
        "cut": [row.cut for row in firsts],
        "retained": [row.retained for row in firsts],
        "heard": [all(row.heard for row in rows) for _, rows in part],
        "origin": [row.origin.value for row in firsts],
        "sender_organisation": [row.sender_organisation for row in firsts],
        "came_digest": [digest for digest, rows in part for _ in rows[:MOST_ARRIVALS]],
        "came_at": [row.received_at for _, rows in part for row in rows[:MOST_ARRIVALS]],
    }


def _count_only(connection: Connection, left: "list[list[Quarantined]]") -> None:
    values: dict[str, object] = {
        "reason": [rows[0].reason.value for rows in left],
        "source": [rows[0].source for rows in left],
        "messages": [len(rows) for rows in left],
        "first_at": [rows[0].received_at for rows in left],
        "last_at": [rows[-1].received_at for rows in left],
    }
    with translated_errors():
        connection.execute(_QUERIES["count_only"], values)


def _counted(rows: Iterable[Quarantined]) -> list[tuple[bytes, list[Quarantined]]]:
    counted: dict[bytes, list[Quarantined]] = {}
    for row in rows:
        counted.setdefault(digest(row), []).append(row)
    return list(counted.items())


def _parts(rows: list[tuple[bytes, list[Quarantined]]]) -> Iterable[list[tuple[bytes, list[Quarantined]]]]:
    part: list[tuple[bytes, list[Quarantined]]] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row[1][0].topic) + len(row[1][0].payload)
        if size > _STATEMENT_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _row(found: tuple[Any, ...]) -> QuarantineRow:
    values: dict[str, Any] = dict(zip((field.name for field in fields(QuarantineRow)), found, strict=True))
    values["state"] = QuarantineState(values["state"])
    values["origin"] = Origin(values["origin"])
    return QuarantineRow(**values)
