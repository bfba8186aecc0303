"""Write what came in: readings, fixes, events and contacts, each once, whatever is delivered again.

A key (a series or a device, and a time) belongs to the first value that came for it. Each `store_*` takes
part in the caller's transaction and says which rows were new, and which found another value under their key.

The usual batch has only new keys: it is copied straight into the table. Where that fails on a key, and for some
batches after, rows go through `INSERT ... ON CONFLICT DO NOTHING`, which is half as fast.
"""

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psycopg
import psycopg.errors

from veldwatch.errors import StorageRejected
from veldwatch.storage import partitions, wakeups
from veldwatch.storage.arrays import Array, bind_arrays, copy_parts, times
from veldwatch.storage.connection import Connection, connect, translated_errors
from veldwatch.storage.decimals import Decimals
from veldwatch.storage.log import LogEvent
from veldwatch.storage.queries import load_queries
from veldwatch.storage.schema_hold import SchemaHold

_QUERIES = load_queries("intake")
_COPY_READINGS = (
    b"COPY reading_raw (observed_at, series_id, delay_seconds, quality, divisor, scaled, value)"
    b" FROM STDIN (FORMAT BINARY)"
)
_INT4 = np.iinfo(np.int32)
_CAREFUL_BATCHES = 20
_REGISTER_CHANNEL = "veldwatch_register"

Places = npt.NDArray[np.intp]


class Stored(NamedTuple):
    """What became of rows: places (in the array that was given) that were new, and that found another value."""

    new: Places
    conflicting: Places


class IntakeWriter:
    """A connection for writing, and whether keys collided lately."""

    def __init__(self, dsn: str, application: str = "veldwatch-ingest", *, prepare: bool = True) -> None:
        """Connect.

        Raises:
            StorageUnavailable: the server is away.
            SchemaMismatch: the database is not of this program.
        """
        self._careful = 0
        self._changed = False
        self._decimals = Decimals()
        self.connection: Connection = connect(dsn, application=application, prepare=prepare)
        with ExitStack() as unless_ready:
            # Who tries again every second would leave one connection each time.
            unless_ready.callback(self.connection.close)
            bind_arrays(self.connection)
            self.hold = SchemaHold(self.connection)
            self.connection.add_notify_handler(self._note_change)
            wakeups.listen(self.connection, _REGISTER_CHANNEL)
            with translated_errors():
                self.connection.commit()
            unless_ready.pop_all()

    def close(self) -> None:
        """Give the connection back; what was not committed is undone by the server."""
        self.connection.close()

    def take_register_change(self) -> bool:
        """Tell whether somebody changed devices or profiles since this was asked last.

        It costs no round trip: the server says so by itself. Behind a pooler that shares sessions it may not.

        Raises:
            StorageUnavailable: the connection is gone.
        """
        with translated_errors():
            self.connection.pgconn.consume_input()
            while self.connection.pgconn.notifies() is not None:
                self._changed = True
        changed, self._changed = self._changed, False
        return changed

    def make_room(self, table: str, moments: Array) -> None:
        """Make partitions for rows of those times (microseconds since 1970), in a transaction of their own."""
        partitions.ensure_for(self.connection, table, moments)

    def forget_months(self) -> None:
        """Ask again for every partition: maintenance may have dropped some."""
        partitions.forget(self.connection)

    def store_readings(self, rows: Array) -> Stored:
        """Store readings.

        Args:
            rows: as `veldwatch.storage.log.READINGS`, in order of arrival.
        """
        first = first_of_key(rows["series_id"], rows["observed_at"])
        conflicting = first.others[rows["value"][first.others] != rows["value"][first.leaders]]
        if self._careful == 0 and self._copied(rows[first.places]):
            return Stored(first.places, conflicting)
        self._careful = _CAREFUL_BATCHES if self._careful == 0 else self._careful - 1
        return self._insert_readings(rows, first.places, conflicting)

    def store_positions(self, rows: Array) -> Stored:
        """Store fixes.

        Args:
            rows: as `veldwatch.storage.log.POSITIONS`, in order of arrival.
        """
        first = first_of_key(rows["device_id"], rows["observed_at"])
        moved = (rows["longitude"][first.others] != rows["longitude"][first.leaders]) | (
            rows["latitude"][first.others] != rows["latitude"][first.leaders]
        )
        columns = _columns(rows[first.places], ("device_id", "quality", "longitude", "latitude", *_OPTIONAL))
        with translated_errors():
            found = self.connection.execute(_QUERIES["insert_positions"], columns, binary=True).fetchall()
        new = _places_of(found, rows["device_id"][first.places], rows["observed_at"][first.places])
        old = first.places[~new]
        conflicting = [first.others[moved], old[self._conflicts("conflicting_positions", rows[old], _PLACE)]]
        return Stored(first.places[new], np.concatenate(conflicting))

    def store_events(self, events: Sequence[LogEvent]) -> list[LogEvent]:
        """Store events, and give those that were new; the same event twice is one."""
        unique = {(event.device_id, event.observed_at, _digest(event)): event for event in events}
        keys = sorted(unique)
        ordered = [unique[key] for key in keys]
        observed = np.array([event.observed_at for event in ordered], dtype=np.int64)
        received = np.array([event.received_at for event in ordered], dtype=np.int64)
        values = {
            "observed_at": times(observed),
            "device_id": np.array([event.device_id for event in ordered], dtype=np.int32),
            "kind": [event.kind for event in ordered],
            "digest": [digest for _, _, digest in keys],
            "delay_seconds": _delay(observed, received),
            "attributes": [event.attributes for event in ordered],
        }
        with translated_errors():
            found = self.connection.execute(_QUERIES["insert_events"], values, binary=True).fetchall()
        return [unique[(device, moment, bytes(digest))] for device, moment, digest in found]

    def store_contacts(self, rows: Array) -> Array:
        """Store when devices were heard, and give what was stored.

        Args:
            rows: as `veldwatch.storage.log.CONTACTS`, one for each device and moment of arrival.
        """
        with translated_errors():
            self.connection.execute(_QUERIES["insert_contacts"], _contact_columns(rows))
        return rows

    def store_contacts_once(self, rows: Array) -> Array:
        """Store when devices were heard long ago, and give those that were not stored already."""
        with translated_errors():
            found = self.connection.execute(
                _QUERIES["insert_contacts_once"], _contact_columns(rows), binary=True
            ).fetchall()
        return rows[_places_of(found, rows["device_id"], rows["received_at"])]

    def _note_change(self, notification: psycopg.Notify) -> None:
        self._changed = self._changed or notification.channel == _REGISTER_CHANNEL

    def _copied(self, rows: Array) -> bool:
        try:
            with translated_errors(), self.connection.transaction():
                copy_readings(self.connection, rows, self._decimals)
        except StorageRejected as error:
            if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                return False
            raise
        return True

    def _insert_readings(self, rows: Array, places: Places, conflicting: Places) -> Stored:
        columns = _columns(rows[places], ("series_id", "quality", "value"))
        columns |= self._decimals.scale(rows["series_id"][places], rows["value"][places])._asdict()
        with translated_errors():
            found = self.connection.execute(_QUERIES["insert_readings"], columns, binary=True).fetchall()
        new = _places_of(found, rows["series_id"][places], rows["observed_at"][places])
        old = places[~new]
        others = old[self._conflicts("conflicting_readings", rows[old], ("series_id", "value"))]
        return Stored(places[new], np.concatenate([conflicting, others]))

    def _conflicts(self, query: str, rows: Array, names: tuple[str, ...]) -> Places:
        if len(rows) == 0:
            return np.empty(0, dtype=np.intp)
        values: dict[str, object] = {name: np.ascontiguousarray(rows[name]) for name in names}
        with translated_errors():
            found = self.connection.execute(_QUERIES[query], values | {"observed_at": times(rows["observed_at"])})
            return np.array([row[0] for row in found.fetchall()], dtype=np.intp)


def copy_readings(connection: Connection, rows: Array, decimals: Decimals | None = None) -> None:
    """Write readings whose keys are all free, in the caller's transaction and at the database's own speed.

    Args:
        rows: as `veldwatch.storage.log.READINGS`; fastest in the order of their keys.
        decimals: that the series are known to have; None: nothing is known.

    Raises:
        StorageRejected: a key is taken, or a time has no partition.
    """
    divisor, scaled = (decimals or Decimals()).scale(rows["series_id"], rows["value"])
    is_float = divisor == 0
    if not is_float.any():
        groups = [[*_reading_columns(rows), divisor, scaled, None]]
    else:
        whole, floats = ~is_float, rows[is_float]
        groups = [
            [*_reading_columns(rows[whole]), divisor[whole], scaled[whole], None],
            [*_reading_columns(floats), None, None, floats["value"]],
        ]
    with translated_errors(), connection.cursor() as cursor, cursor.copy(_COPY_READINGS) as copy:
        for part in copy_parts(*groups):
            copy.write(part)


def _reading_columns(rows: Array) -> list[Array]:
    return [
        times(rows["observed_at"]),
        rows["series_id"],
        _delay(rows["observed_at"], rows["received_at"]),
        rows["quality"],
    ]


def last_commit(connection: Connection) -> datetime | None:
    """Tell when something was stored last; None: nothing in the hours that the log is kept."""
    with translated_errors():
        row = connection.execute(_QUERIES["last_commit"]).fetchone()
    return None if row is None else row[0]


def count_rows(connection: Connection) -> tuple[int, int]:
    """Count readings and quarantined messages, all that there are: slow on a large database."""
    with translated_errors():
        row = connection.execute(_QUERIES["totals"]).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


class FirstOfKey(NamedTuple):
    """Rows by key: the first of each, and each other beside the first that it follows."""

    places: Places
    others: Places
    leaders: Places


def first_of_key(identities: Array, moments: Array) -> FirstOfKey:
    """Tell the first row of each (identity, moment) from the later ones; places come sorted by key."""
    order = np.lexsort((moments, identities))
    sorted_identities, sorted_moments = identities[order], moments[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = (sorted_identities[1:] != sorted_identities[:-1]) | (sorted_moments[1:] != sorted_moments[:-1])
    places = order[begins]
    if len(places) == len(order):
        nothing = np.empty(0, dtype=np.intp)
        return FirstOfKey(places, nothing, nothing)
    leaders = places[np.cumsum(begins) - 1]
    return FirstOfKey(places, order[~begins], leaders[~begins])


def _contact_columns(rows: Array) -> dict[str, object]:
    ordered = rows[np.lexsort((rows["received_at"], rows["device_id"]))]
    columns: dict[str, object] = {
        name: np.ascontiguousarray(ordered[name]) for name in ("device_id", "messages", "online")
    }
    for name in ("received_at", "first_observed_at", "last_observed_at"):
        columns[name] = times(ordered[name])
    return columns


_OPTIONAL = ("altitude", "accuracy", "speed", "heading")
_PLACE = ("device_id", "longitude", "latitude")


def _columns(rows: Array, names: tuple[str, ...]) -> dict[str, object]:
    columns: dict[str, object] = {name: np.ascontiguousarray(rows[name]) for name in names}
    columns["observed_at"] = times(rows["observed_at"])
    columns["delay_seconds"] = _delay(rows["observed_at"], rows["received_at"])
    return columns


def _places_of(found: list[tuple[Any, ...]], identities: Array, moments: Array) -> npt.NDArray[np.bool_]:
    """Mark the keys that the server named; keys are unique here."""
    if len(found) == len(identities):
        return np.ones(len(identities), dtype=bool)
    named = set(found)
    return np.fromiter(
        (key in named for key in zip(identities.tolist(), moments.tolist(), strict=True)),
        dtype=bool,
        count=len(identities),
    )


def _delay(observed: Array, received: Array) -> Array:
    seconds = np.floor_divide(received - observed, 1_000_000)
    return np.clip(seconds, _INT4.min, _INT4.max).astype(np.int32)


def _digest(event: LogEvent) -> bytes:
    return hashlib.sha256(f"{event.kind}\0{event.attributes}".encode()).digest()[:16]
