"""Drop what retention policies say is past its time, in steps that hold no lock for long.

A part (month or chunk) goes as a whole where everything in it is past the longest policy; otherwise rows of single
series or devices are deleted, some hundred sources at a time. Before raw rows go, whoever rolls them up must have seen
them: each transaction makes sure that nothing of that time is unread in the log, so that roll-ups keep what raw
readings no longer tell (`retention_mark` says so to them). Rules never fold over that time again (`close_history`).
What an open alert or a back-test that is not over needs is held back by the view `retention_hold`.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from veldwatch.errors import StorageUnavailable
from veldwatch.storage import partitions
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.folds import close_history
from veldwatch.storage.pool import Row
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import TABLES, Division, What
from veldwatch.storage.retention_plan import RAW, parts_before, plan
from veldwatch.storage.retention_waits import unread

_SOURCES_AT_ONCE = 200
_LONGEST_WAIT = "2s"
_QUERIES = load_queries("retention")
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did.

    Attributes:
        parts: months or chunks that went as a whole.
        rows: deleted one by one; those of the parts are not counted.
        postponed: steps that the next sweep tries again, because somebody held a lock or had not read the log.
    """

    parts: int = 0
    rows: int = 0
    postponed: int = 0

    def __add__(self, other: "Swept") -> "Swept":
        return Swept(
            parts=self.parts + other.parts,
            rows=self.rows + other.rows,
            postponed=self.postponed + other.postponed,
        )


def sweep(connection: Connection, now: datetime, default_days: int | None) -> Swept:
    """Drop all that is past its time; each step commits by itself. Where another process is at it, nothing is done.

    Args:
        default_days: how long raw telemetry is kept of which no policy says anything; None: for ever.
    """
    done = Swept()
    with _turn(connection) as taken:
        if not taken:
            return done
        try:
            for what in What:
                done += _sweep(connection, what, now, default_days)
        finally:
            # Also where a later step failed.
            partitions.forget(connection)
    return done


@contextmanager
def _turn(connection: Connection) -> Generator[bool]:
    """Sweep alone, through all transactions: parts that another one plans for may be gone when it comes to them."""
    with translated_errors(), connection.transaction():
        taken = connection.execute(_QUERIES["take_sweep"]).fetchone() == (True,)
    try:
        yield taken
    finally:
        if taken:
            # Where the connection is gone, the lock is too.
            with suppress(StorageUnavailable), translated_errors(), connection.transaction():
                connection.execute(_QUERIES["end_sweep"])


def _sweep(connection: Connection, what: What, now: datetime, default_days: int | None) -> Swept:
    planned = plan(connection, what, now, default_days)
    done = Swept()
    for division, parts in planned.parts.items():
        for part in parts:
            done += _attempt(connection, what, part["ended"], lambda d=division, p=part: _drop(connection, what, d, p))
    sources = sorted(planned.due)
    for first in range(0, len(sources), _SOURCES_AT_ONCE):
        some = sources[first : first + _SOURCES_AT_ONCE]
        done += _delete(connection, what, {source: planned.due[source] for source in some})
    return done


def _drop(connection: Connection, what: What, division: Division, part: Row) -> Swept:
    connection.execute(_QUERIES["lock_part"], part)
    connection.execute(_QUERIES["drop_part"], {"table": division.table, "part": part["part"]})
    if what in RAW:
        close_history(connection, part["ended"])
    _mark(connection, what, {0: part["ended"]})
    return Swept(parts=1)


def _delete(connection: Connection, what: What, befores: Mapping[int, datetime]) -> Swept:
    """Delete what some sources said before their times, part by part, and remember that it is done."""
    done = Swept()
    last = max(befores.values())
    for division in TABLES[what]:
        with connection.transaction():
            parts = parts_before(connection, division, last)
        for part in parts:
            for before, sources in _by_time(befores, part):
                done += _attempt(
                    connection,
                    what,
                    before,
                    lambda d=division, p=part, b=before, s=sources: _delete_from(connection, what, d, p, b, s),
                )
    if not done.postponed:
        with connection.transaction():
            _mark(connection, what, befores)
    return done


def _by_time(befores: Mapping[int, datetime], part: Row) -> Iterator[tuple[datetime, list[int]]]:
    found: dict[datetime, list[int]] = {}
    for source, before in befores.items():
        if part["began"] < before:
            found.setdefault(before, []).append(source)
    yield from found.items()


def _delete_from(
    connection: Connection, what: What, division: Division, part: Row, before: datetime, sources: list[int]
) -> Swept:
    until = min(before, part["ended"])
    values = {
        "table": division.table,
        "source_column": division.source_column,
        "time_column": division.time_column,
        "sources": sources,
        "since": part["began"],
        "until": until,
    }
    row = connection.execute(_QUERIES["delete_stretch"], values).fetchone()
    rows = 0 if row is None else int(row[0])
    if rows:
        # Before the readers of the log look again: what comes late from now on does not replace what was rolled up.
        _mark(connection, what, dict.fromkeys(sources, until))
        if what in RAW:
            kind = "series" if what is What.READING else "device"
            close_history(connection, until, [f"{kind}:{source}" for source in sources])
    return Swept(rows=rows)


class _Postponed(Exception):
    """Somebody still needs what was about to go."""


def _attempt(connection: Connection, what: What, before: datetime, step: Callable[[], Swept]) -> Swept:
    """Take one step in a transaction; where somebody is in the way it is left for the next sweep."""
    try:
        with translated_errors(), connection.transaction():
            connection.execute(_QUERIES["limit_waiting"], {"longest": _LONGEST_WAIT})
            done = step()
            # After the step, so that the batch of whatever went is seen, also of what was committed meanwhile.
            _check_read(connection, what, before)
            return done
    except (_Postponed, StorageUnavailable) as reason:
        if connection.closed:
            raise
        _log.info("retention waits", what=what.value, before=before.isoformat(), reason=str(reason))
        return Swept(postponed=1)


def _check_read(connection: Connection, what: What, before: datetime) -> None:
    reason = unread(connection, what, before)
    if reason is not None:
        raise _Postponed(reason)


def _mark(connection: Connection, what: What, befores: Mapping[int, datetime]) -> None:
    values = {"what": what, "sources": list(befores), "befores": list(befores.values())}
    connection.execute(_QUERIES["mark"], values)
