"""What of a kind is past its time now, and whether it goes by whole parts or row by row.

Who asks for a preview and who drops go by the same plan. Nothing here reads a clock: `now` is a parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention import TABLES, Division, What

# Raw rows go by whole weeks: those are TimescaleDB's chunks, whose columnstore then drops segments unopened.
STEPS = {
    **dict.fromkeys((What.READING, What.CONTACT), timedelta(days=7)),
    **dict.fromkeys((What.POSITION, What.EVENT), timedelta(days=30)),
    **dict.fromkeys((What.HOURLY, What.DAILY), timedelta(days=1)),
}
RAW = frozenset((What.READING, What.POSITION, What.EVENT, What.CONTACT))
"""What is read through the log; the rest is made of it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTH = timedelta(days=31)
_STRIDE = timedelta(days=30)
_QUERIES = load_queries("retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is past its time.

    Attributes:
        parts: months or chunks in which everything is, by table; oldest first.
        due: series or devices of which rows go one by one, and before when; what a sweep did already is left out.
        last: before when the newest of all that goes was said; None: nothing goes.
    """

    parts: Mapping[Division, Sequence[Row]]
    due: Mapping[int, datetime]
    last: datetime | None

    def end(self, division: Division, source: int) -> datetime | None:
        """Tell before when rows of a series or device go out of a table; None: none goes."""
        parts = self.parts[division]
        ends = [*([parts[-1]["ended"]] if parts else []), *([self.due[source]] if source in self.due else [])]
        return max(ends, default=None)


def plan(connection: Connection, what: What, now: datetime, default_days: int | None) -> Plan:
    """Tell what is past its time.

    A part goes as a whole where nothing of the kind is kept for ever and the longest time is over. What only the
    longest policy drops goes in no other way, but where parts are longer than a month: there row by row, by 30 days.

    Args:
        default_days: how long raw telemetry is kept of which no policy says anything; None: for ever.
    """
    values = {"what": what, "now": now, "default_days": default_days, "step_seconds": STEPS[what].total_seconds()}
    with translated_errors(), connection.transaction():
        befores: dict[int, datetime] = dict(connection.execute(_QUERIES["ends"], values).fetchall())
        kept_for_ever = connection.execute(_QUERIES["kept_for_ever"], values).fetchone() == (True,)
        marks = dict(connection.execute(_QUERIES["marks"], {"what": what}).fetchall())
        longest = None if kept_for_ever or not befores else min(befores.values())
        parts = {division: _past(connection, division, longest) for division in TABLES[what]}
        behind = longest is not None and any(_is_long(connection, division, longest) for division in TABLES[what])
    if longest is not None:
        befores = {
            source: before if before > longest else _by_months(before)
            for source, before in befores.items()
            if before > longest or behind
        }
    due = {
        source: before
        for source, before in befores.items()
        if (mark := max(filter(None, (marks.get(source), marks.get(0))), default=None)) is None or mark < before
    }
    last = [*due.values(), *(found[-1]["ended"] for found in parts.values() if found)]
    return Plan(parts=parts, due=due, last=max(last, default=None))


def parts_before(connection: Connection, division: Division, before: datetime) -> list[Row]:
    """List the months or chunks that begin before a time, oldest first."""
    return fetch_rows(connection, _QUERIES["parts"], {"table": division.table, "before": before})


def _is_long(connection: Connection, division: Division, before: datetime) -> bool:
    """Tell whether a part that a time falls into is longer than a month."""
    parts = parts_before(connection, division, before)
    return any(part["ended"] > before and part["ended"] - part["began"] > _MONTH for part in parts)


def _by_months(before: datetime) -> datetime:
    return before - (before - _EPOCH) % _STRIDE


def _past(connection: Connection, division: Division, before: datetime | None) -> list[Row]:
    if before is None:
        return []
    return [part for part in parts_before(connection, division, before) if part["ended"] <= before]
