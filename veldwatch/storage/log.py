"""The log: what each committed write held, read in commit order by consumers with a cursor of their own.

Contract: a writer appends one `LogBatch` in the transaction of its rows; a consumer reads only batches of transactions
older than every running one of its database (docs/decisions/0057), ordered by (xid, id), so a slower transaction is
never skipped and what was read never changes. NOTIFY on `CHANNEL` only wakes consumers. PostgreSQL is the first
implementation; another log (Kafka) takes its place behind the same three functions.

The content is a MessagePack map: column arrays of readings, positions and contacts in little-endian NumPy form,
events as JSON text. Only rows that were new are in it: a redelivered message wakes nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_batch"

READINGS = np.dtype(
    [("series_id", "<i4"), ("observed_at", "<i8"), ("received_at", "<i8"), ("value", "<f8"), ("quality", "<i2")]
)
"""Times in microseconds since 1970-01-01 UTC."""

POSITIONS = np.dtype(
    [
        ("device_id", "<i4"),
        ("observed_at", "<i8"),
        ("received_at", "<i8"),
        ("longitude", "<f8"),
        ("latitude", "<f8"),
        ("altitude", "<f4"),
        ("accuracy", "<f4"),
        ("speed", "<f4"),
        ("heading", "<f4"),
        ("quality", "<i2"),
    ]
)
"""NaN where the fix has no such part; units as in `veldwatch.model.telemetry.Position`."""

CONTACTS = np.dtype(
    [
        ("device_id", "<i4"),
        ("received_at", "<i8"),
        ("messages", "<i4"),
        ("first_observed_at", "<i8"),
        ("last_observed_at", "<i8"),
        ("online", "?"),
    ]
)
"""`first_observed_at` is the smallest int64 where the device told no time of observation."""


class LogEvent(msgspec.Struct, frozen=True, array_like=True):
    """One event as the log holds it; times in microseconds since 1970."""

    device_id: int
    observed_at: int
    received_at: int
    kind: str
    attributes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBatch:
    """What one committed write held: three structured arrays and the events, each in order of arrival."""

    readings: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, READINGS))
    positions: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, POSITIONS))
    contacts: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0, CONTACTS))
    events: tuple[LogEvent, ...] = ()

    @property
    def rows(self) -> int:
        """Count all that it held."""
        return len(self.readings) + len(self.positions) + len(self.contacts) + len(self.events)


class LogCursor(NamedTuple):
    """Where a consumer stands: everything up to and including this batch was consumed."""

    xid: int
    id: int


START = LogCursor(0, 0)
_READ_AT_ONCE = 4
_LAST_ID = 2**63 - 1


class _Content(msgspec.Struct, frozen=True):
    readings: bytes
    positions: bytes
    contacts: bytes
    events: tuple[LogEvent, ...]


_decoder = msgspec.msgpack.Decoder(_Content)
_QUERIES = load_queries("log")


def append(connection: Connection, batch: LogBatch) -> None:
    """Add a batch in the caller's transaction; its commit wakes the consumers."""
    content = msgspec.msgpack.encode(
        _Content(
            readings=batch.readings.tobytes(),
            positions=batch.positions.tobytes(),
            contacts=batch.contacts.tobytes(),
            events=batch.events,
        )
    )
    with translated_errors():
        connection.execute(_QUERIES["append"], {"content": content}, binary=True)


def read(connection: Connection, after: LogCursor, limit: int) -> list[tuple[LogCursor, LogBatch]]:
    """Read the batches after a cursor, in commit order, at most `limit` of them."""
    with translated_errors():
        rows = connection.execute(
            _QUERIES["read"], {"xid": str(after.xid), "id": after.id, "limit": limit}, binary=True
        ).fetchall()
    return [(LogCursor(int(xid), number), _batch(content)) for xid, number, content in rows]


def read_up_to(
    connection: Connection, after: LogCursor, batches: int, rows: int
) -> tuple[list[tuple[LogCursor, LogBatch]], bool]:
    """Read batches after a cursor until there are so many, or so many rows in them; say whether there may be more.

    How large a batch is, who wrote it decides, and an import writes large ones: so what is read at once is bounded.
    """
    found: list[tuple[LogCursor, LogBatch]] = []
    count = 0
    while len(found) < batches and count < rows:
        some = read(connection, found[-1][0] if found else after, _READ_AT_ONCE)
        found += some
        count += sum(batch.rows for _, batch in some)
        if len(some) < _READ_AT_ONCE:
            return found, False
    return found, True


def read_unsettled(connection: Connection, after: LogCursor) -> Iterator[LogBatch]:
    """Read, some at a time, all that is committed after a cursor, also what a consumer may not read yet.

    What is committed meanwhile may be among it or not.
    """
    while True:
        values = {"xid": str(after.xid), "id": after.id, "limit": _READ_AT_ONCE}
        with translated_errors():
            rows = connection.execute(_QUERIES["read_unsettled"], values, binary=True).fetchall()
        for xid, number, content in rows:
            after = LogCursor(int(xid), number)
            yield _batch(content)
        if len(rows) < _READ_AT_ONCE:
            return


def load_cursor(connection: Connection, consumer: str) -> LogCursor | None:
    """Load where a consumer stood at its last commit; None if it never committed."""
    with translated_errors():
        row = connection.execute(_QUERIES["load_cursor"], {"consumer": consumer}).fetchone()
    return None if row is None else LogCursor(int(row[0]), row[1])


def save_cursor(connection: Connection, consumer: str, cursor: LogCursor) -> None:
    """Keep where a consumer stands, in the transaction of what it made of the batches."""
    with translated_errors():
        connection.execute(_QUERIES["save_cursor"], {"consumer": consumer, "xid": str(cursor.xid), "id": cursor.id})


def load_again(connection: Connection, consumer: str) -> int | None:
    """Load up to which transaction all that a consumer saved is complete; None: that is not known."""
    with translated_errors():
        row = connection.execute(_QUERIES["load_again"], {"consumer": consumer}).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def save_again(connection: Connection, consumer: str, xid: int) -> None:
    """Keep up to which transaction all that a consumer saved is complete: the log after it is kept for a restart."""
    with translated_errors():
        connection.execute(_QUERIES["save_again"], {"consumer": consumer, "xid": str(xid)})


def after_transaction(xid: int) -> LogCursor:
    """Give the place in the log behind all that a transaction and those before it wrote."""
    return LogCursor(xid, _LAST_ID)


def rebase(connection: Connection) -> bool:
    """Make a log readable that came out of another server's dump, and say whether it was one.

    Transaction ids begin anew on a new server, so batches and cursors would lie ahead of all that it writes. The
    batches get the lowest order there is, and every consumer reads again all that was kept: each is idempotent.
    """
    with translated_errors(), connection.transaction():
        row = connection.execute(_QUERIES["is_ahead"]).fetchone()
        if row is None or not row[0]:
            return False
        connection.execute(_QUERIES["rebase_batches"])
        connection.execute(_QUERIES["rebase_cursors"])
    return True


def _batch(content: bytes) -> LogBatch:
    decoded = _decoder.decode(content)
    return LogBatch(
        readings=np.frombuffer(decoded.readings, READINGS),
        positions=np.frombuffer(decoded.positions, POSITIONS),
        contacts=np.frombuffer(decoded.contacts, CONTACTS),
        events=decoded.events,
    )
