"""How far files were imported: a place in each, moved on in the transaction of what was read up to there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from veldwatch.errors import Conflict
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("file_imports")


class ImportState(NamedTuple):
    """Where an import stands.

    Attributes:
        position: bytes, rows or points that were read and committed; 0: none.
        digest: SHA-256 of what they were read from.
        state: what reading on depends on.
        rows: that were read up to there.
        finished_at: when it came to the end; None: it did not.
    """

    id: int
    position: int
    digest: bytes
    state: dict[str, dict[str, Any]]
    rows: int
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """One step of an import.

    Attributes:
        before: the position from which it goes on.
        rows, readings, positions, quarantined: what was read and stored on the way.
    """

    before: int
    position: int
    digest: bytes
    state: dict[str, dict[str, Any]]
    rows: int = 0
    readings: int = 0
    positions: int = 0
    quarantined: int = 0


def begin(connection: Connection, organisation: str, path: str, mapping: dict[str, object]) -> ImportState:
    """Give how far the import of a file came, in a transaction of its own; an import that is new is at 0."""
    values = {"organisation": organisation, "path": path, "mapping": Jsonb(mapping)}
    with translated_errors(), connection.transaction():
        found = connection.execute(_QUERIES["begin"], values).fetchone()
    if found is None:
        raise Conflict(f"the import of {path!r} was removed at this moment (try again)")
    number, position, digest, state, rows, finished_at = found
    return ImportState(number, position, bytes(digest), state, rows, finished_at)


def restart(connection: Connection, import_id: int) -> None:
    """Begin an import anew, in a transaction of its own."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["restart"], {"id": import_id})


def advance(connection: Connection, import_id: int, step: Advance) -> None:
    """Move on, in the caller's transaction.

    Raises:
        Conflict: another process imports the same file.
    """
    values = {name: getattr(step, name) for name in Advance.__slots__} | {"id": import_id, "state": Jsonb(step.state)}
    with translated_errors():
        found = connection.execute(_QUERIES["advance"], values).fetchone()
    if found is None:
        raise Conflict("another process imports this file at the same time (wait until it ends)")


def finish(connection: Connection, import_id: int) -> None:
    """Say that the end of the file was reached, in a transaction of its own."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["finish"], {"id": import_id})
