"""What decoders remember between messages: a head that changes often, and parts that seldom do.

A memory is written in the transaction of the messages that changed it, and only over the version that they were
decoded by: of two writers that decoded by the same version one commits, the other gets `MemoryChanged`. So that nobody
is always the other, ingestors take turns, by a lock that falls with its connection and is waited for only so long.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import psycopg.errors

from veldwatch.errors import MemoryChanged, StorageError
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("memories")
# Of milliseconds. A batch takes a tenth of it; who holds the lock for longer has gone without the server knowing.
_LONGEST_TURN = "5000"


class StoredMemory(NamedTuple):
    """A memory as it was committed; version 0: there is none."""

    version: int
    head: bytes
    parts: Mapping[str, bytes]


class MemoryChange(NamedTuple):
    """What is to be stored of a memory.

    Attributes:
        version: the one that this change was made from.
        parts: those that changed; None: it is gone.
    """

    decoder: str
    name: str
    version: int
    head: bytes
    parts: Mapping[str, bytes | None]


def load(connection: Connection, decoder: str, name: str) -> StoredMemory:
    """Load one memory with all its parts, as of one moment."""
    values = {"decoder": decoder, "name": name}
    with translated_errors(), connection.transaction():
        # A writer changes parts only under the head's lock and with its version: the same version before and after
        # the parts were read means that they belong to it.
        while True:
            head = connection.execute(_QUERIES["load_head"], values).fetchone()
            if head is None:
                return StoredMemory(0, b"", {})
            parts = dict(connection.execute(_QUERIES["load_parts"], values).fetchall())
            again = connection.execute(_QUERIES["load_head"], values).fetchone()
            if again is not None and again[0] == head[0]:
                return StoredMemory(head[0], head[1], parts)


def take_turn(connection: Connection) -> bool:
    """Wait until no other ingestor decodes by memories; False: it takes too long, and the versions have to do."""
    try:
        with translated_errors(), connection.transaction():
            connection.execute(_QUERIES["take_turn"], {"longest": _LONGEST_TURN})
    except StorageError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            return False
        raise
    return True


def end_turn(connection: Connection) -> None:
    """Let others; without a connection the lock has fallen already."""
    with suppress(StorageError), translated_errors(), connection.transaction():
        connection.execute(_QUERIES["end_turn"])


def save(connection: Connection, changes: Sequence[MemoryChange]) -> None:
    """Store changes, in the caller's transaction.

    Raises:
        MemoryChanged: another writer changed one of them meanwhile; the caller's transaction is to be given up.
    """
    values: dict[str, object] = {
        "decoder": [change.decoder for change in changes],
        "name": [change.name for change in changes],
        "version": [change.version + 1 for change in changes],
        "head": [change.head for change in changes],
    }
    with translated_errors():
        stored = connection.execute(_QUERIES["save_heads"], values).fetchall()
        if len(stored) < len(changes):
            raise MemoryChanged("another writer changed what a decoder remembers (decode the messages again)")
        parts = [(change, part, content) for change in changes for part, content in change.parts.items()]
        _save_parts(connection, [(c, part, content) for c, part, content in parts if content is not None])
        _drop_parts(connection, [(c, part) for c, part, content in parts if content is None])


def _save_parts(connection: Connection, parts: Sequence[tuple[MemoryChange, str, bytes]]) -> None:
    if parts:
        values = _named((change, part) for change, part, _ in parts)
        connection.execute(_QUERIES["save_parts"], values | {"content": [content for _, _, content in parts]})


def _drop_parts(connection: Connection, parts: Sequence[tuple[MemoryChange, str]]) -> None:
    if parts:
        connection.execute(_QUERIES["drop_parts"], _named(parts))


def _named(parts: Iterable[tuple[MemoryChange, str]]) -> dict[str, object]:
    listed = list(parts)
    return {
        "decoder": [change.decoder for change, _ in listed],
        "name": [change.name for change, _ in listed],
        "part": [part for _, part in listed],
    }
