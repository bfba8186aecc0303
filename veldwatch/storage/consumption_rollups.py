"""Hourly and daily consumption on every edition: a consumer of the log that judges the registers whose readings came.

Each pass takes the batches since its cursor, judges each counter that they touch from well before its first new
reading until nothing later changed, and commits hours and cursor together. A reading that comes years late changes the
hours around it; a pass that is repeated changes nothing. Where the register itself changes (its width, its profile, a
deployment), triggers put the series on the list of what is due, and its whole history is judged again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.metering.spread import spread_arrays
from veldwatch.model.consumption import Code
from veldwatch.model.excursions import EXCURSION_READINGS
from veldwatch.model.local_buckets import from_instant
from veldwatch.model.register_steps import COUNTS_PER_UNIT, HOUR
from veldwatch.storage import partitions
from veldwatch.storage.arrays import bind_arrays, times
from veldwatch.storage.columnstore import open_as_needed
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.log import START, LogBatch, load_cursor, read_up_to, save_cursor
from veldwatch.storage.queries import load_queries
from veldwatch.storage.registers import MARGIN, Judged, judge_series, load_anchors, load_registers

CONSUMER = "consumption"
TABLE = "consumption_hourly_rollup"
DAYS = "consumption_daily_rollup"

# As in rollups.
_BATCHES_AT_ONCE = 64
_READINGS_AT_ONCE = 100_000
_DUE_AT_ONCE = 50
_SERIES_AT_ONCE = 500
_HISTORIES_AT_ONCE = 4  # of a year of quarters of an hour each, that takes 20 MB
LONGEST_SHARED = 400 * 24 * HOUR
"""What was counted between two readings further apart is not shared out by hour: a meter whose clock was not set said
one of them, and 20 years are 175,000 hours. A meter that is read once a year is shared out."""

_TRACELESS = int(Code.GAP | Code.ESTIMATED)
_DAY = 24 * HOUR
_BEGINNING, _END = -(2**62), 2**62
_HOURS = np.dtype(
    [
        ("bucket", "<i8"), ("series_id", "<i4"), ("amount", "<f8"), ("excess", "<f8"), ("codes", "<i4"),
        ("readings", "<i4"), ("level", "<f8"), ("level_at", "<i8"), ("last_at", "<i8"),
    ]
)  # fmt: skip
_TIMES = ("bucket", "level_at", "last_at")
_QUERIES = load_queries("consumption")

Touched = dict[int, tuple[int, int]]
"""Series, and the first and last instant that something new is known of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumptionPass:
    """What one pass did.

    Attributes:
        batches: taken from the log.
        due: series whose whole history was judged again.
        hours: that were judged.
        more: there is more to do at once.
    """

    batches: int = 0
    due: int = 0
    hours: int = 0
    more: bool = False


def judge_new(connection: Connection) -> ConsumptionPass:
    """Judge what the next batches of the log touch and what is due, in a transaction of its own.

    Where another process is at it, nothing is done.
    """
    with translated_errors(), connection.transaction():
        cursor = load_cursor(connection, CONSUMER)
        batches, is_behind = read_up_to(connection, cursor or START, _BATCHES_AT_ONCE, _READINGS_AT_ONCE)
        due = connection.execute(_QUERIES["due"], {"limit": _DUE_AT_ONCE}).fetchall()
    if not batches and not due:
        return ConsumptionPass()
    histories = {series_id: (_BEGINNING, _END) for series_id, _ in due}
    touched = _touched([batch for _, batch in batches])
    for series_id in histories:
        touched.pop(series_id, None)
    with translated_errors(), connection.transaction():
        row = connection.execute(_QUERIES["take_turn"]).fetchone()
        if row is None or not row[0] or load_cursor(connection, CONSUMER) != cursor:
            return ConsumptionPass()
        open_as_needed(connection)
        hours = _judge(connection, touched, _SERIES_AT_ONCE) + _judge(connection, histories, _HISTORIES_AT_ONCE)
        _forget(connection, [series_id for series_id, _ in due])
        values = {"series_ids": [series_id for series_id, _ in due], "since": [since for _, since in due]}
        connection.execute(_QUERIES["done"], values)
        if batches:
            save_cursor(connection, CONSUMER, batches[-1][0])
    more = is_behind or len(due) == _DUE_AT_ONCE
    return ConsumptionPass(batches=len(batches), due=len(due), hours=hours, more=more)


def _touched(batches: Sequence[LogBatch]) -> Touched:
    if not batches:
        return {}
    readings = np.concatenate([batch.readings for batch in batches])
    order = np.lexsort((readings["observed_at"], readings["series_id"]))
    ids, at = readings["series_id"][order], readings["observed_at"][order]
    first = np.flatnonzero(np.diff(ids, prepend=-1))
    last = np.append(first[1:], len(ids)) - 1
    spans = zip(at[first].tolist(), at[last].tolist(), strict=True) if len(ids) else ()
    return dict(zip(ids[first].tolist(), spans, strict=True)) if len(ids) else {}


def _judge(connection: Connection, touched: Touched, at_once: int) -> int:
    """Judge series over what is new of them and as far as it matters, so many at once; count the hours."""
    hours = 0
    ids = sorted(touched)
    for start in range(0, len(ids), at_once):
        registers = load_registers(connection, ids[start : start + at_once], counters_only=True)
        anchors = load_anchors(connection, {i: touched[i][0] for i in registers})
        until = {i: touched[i][1] for i in registers}
        lost = _lost(connection, list(registers), [i for i in registers if i not in anchors])
        while registers:
            judged = judge_series(connection, registers, anchors, until)
            ends = {one.series_id: _settled_end(one, touched[one.series_id][1]) for one in judged}
            unsettled = {one.series_id: _further(one) for one in _not_settled(connection, judged, ends)}
            kept = [
                _hours(one, ends[one.series_id], touched[one.series_id][0], lost)
                for one in judged
                if one.series_id not in unsettled
            ]
            hours += _save(connection, kept)
            registers = {i: registers[i] for i in unsettled}
            until |= unsettled
    return hours


def _settled_end(judged: Judged, new_until: int) -> tuple[int, int] | None:
    """Give the end of an hour at which the fold stands at what the register shows, and when it showed it.

    So many readings lie between it and what is new, and after it, that it owes nothing to the one and the other.
    """
    increments = judged.increments
    if judged.complete or len(increments) <= MARGIN:
        return None
    end = int(increments["end"][-EXCURSION_READINGS - 1]) // HOUR * HOUR
    place = int(np.searchsorted(increments["end"], end, "right")) - 1
    if place - int(np.searchsorted(increments["end"], new_until, "right")) < EXCURSION_READINGS:
        return None
    last = increments[place]
    return (end, int(last["end"])) if last["level_at"] == last["end"] else None


def _not_settled(
    connection: Connection, judged: Sequence[Judged], ends: dict[int, tuple[int, int] | None]
) -> list[Judged]:
    """Find the series whose later hours may not hold any more.

    A fold that stands at what the register shows goes on as it did before, if it stood so before.
    """
    known = [(i, end) for i, end in ends.items() if end is not None]
    values = {"series_ids": [i for i, _ in known], "buckets": [from_instant(end - HOUR) for _, (end, _) in known]}
    rows = connection.execute(_QUERIES["settled_hours"], values).fetchall() if known else []
    stored = {(series_id, bucket + HOUR, last_at) for series_id, bucket, last_at in rows}
    settled = {i for i, (end, last_at) in known if (i, end, last_at) in stored}
    return [one for one in judged if not one.complete and one.series_id not in settled]


def _further(judged: Judged) -> int:
    """Give twice as far as was judged."""
    first, last = int(judged.increments["end"][0]), int(judged.increments["end"][-1])
    return last + max(last - first, 24 * HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """What retention dropped of some registers.

    Attributes:
        hours: series, and before when its hours are gone; one of which none are is left out.
        steps: series whose fold begins at the first reading that is left: the step to that one is gone.
    """

    hours: Mapping[int, int]
    steps: frozenset[int]


def _lost(connection: Connection, series_ids: list[int], unanchored: list[int]) -> _Lost:
    hours = connection.execute(_QUERIES["hours_dropped"], {"series_ids": series_ids}).fetchall()
    steps = connection.execute(_QUERIES["step_dropped"], {"series_ids": unanchored}).fetchall() if unanchored else []
    return _Lost(hours=dict(hours), steps=frozenset(series_id for (series_id,) in steps))


def _hours(judged: Judged, settled: tuple[int, int] | None, new_since: int, lost: _Lost) -> npt.NDArray[Any]:
    """Make the rows of a register: those hours of which all is known and that may have changed."""
    increments, start = _drawn_together(judged.increments), judged.start
    if not len(increments) or start is None:
        return np.empty(0, _HOURS)
    first = begin = _begin(judged, int(increments["begin"][0]), lost)
    if not (increments["codes"] & ~_TRACELESS).any():
        # A step that was explained otherwise before would not be plain now, unless the new reading lies in it.
        place = int(np.searchsorted(increments["end"], new_since, "left"))
        first = max(first, int(increments["begin"][min(place, len(increments) - 1)]) // HOUR * HOUR)
    if first < lost.hours.get(judged.series_id, _BEGINNING):
        # Their day is added up of the hours that are there, so the earlier ones have to be there, too.
        first = max(first // _DAY * _DAY, begin)
    last = -(-int(increments["end"][-1]) // HOUR) * HOUR if settled is None else settled[0]
    edges = _reached(increments, first, last)
    if len(edges) < 2:
        return np.empty(0, _HOURS)
    buckets = spread_arrays(increments, edges)
    # The state at an hour's end is that after its last reading, which may lie hours back.
    place = np.searchsorted(increments["end"], buckets["end"], "right") - 1
    state = increments[np.maximum(place, 0)]
    rows = np.empty(len(buckets), _HOURS)
    rows["bucket"], rows["series_id"] = buckets["begin"], judged.series_id
    rows["codes"], rows["readings"] = buckets["codes"], buckets["readings"]
    rows["amount"], rows["excess"] = buckets["amount"] / COUNTS_PER_UNIT, buckets["excess"] / COUNTS_PER_UNIT
    rows["level"] = np.where(place < 0, start.level, state["level"]) / COUNTS_PER_UNIT
    rows["level_at"] = np.where(place < 0, start.level_at, state["level_at"])
    rows["last_at"] = np.where(place < 0, start.last_at, state["end"])
    return rows


def _begin(judged: Judged, first_reading: int, lost: _Lost) -> int:
    """Give the first hour of which all is known."""
    if judged.anchor is not None:
        return judged.anchor.hour
    if judged.series_id in lost.steps:
        return -(-first_reading // HOUR) * HOUR
    return first_reading // HOUR * HOUR


def _drawn_together(increments: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Let increments that are too long to be shared out lie in the hour that they end in, their amounts kept apart."""
    long = increments["end"] - increments["begin"] > LONGEST_SHARED
    if not long.any():
        return increments
    found = increments.copy()
    found["begin"][long] = (found["end"][long] - 1) // HOUR * HOUR
    found["excess"][long] += found["amount"][long]
    found["amount"][long] = 0
    found["codes"][long] |= _TRACELESS
    return found


def _reached(increments: npt.NDArray[Any], first: int, last: int) -> npt.NDArray[np.int64]:
    """Give the edges of the hours between two that increments reach, in order."""
    begin, end = increments["begin"] // HOUR * HOUR, -(-increments["end"] // HOUR) * HOUR
    stops = np.append(np.flatnonzero(begin[1:] > end[:-1]), len(increments) - 1)
    starts = np.append(0, stops[:-1] + 1)
    runs = [
        np.arange(max(int(begin[start]), first), min(int(end[stop]), last) + 1, HOUR)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    return np.unique(np.concatenate(runs))


def _save(connection: Connection, found: Sequence[npt.NDArray[Any]]) -> int:
    rows = np.concatenate([*found, np.empty(0, _HOURS)])
    if not len(rows):
        return 0
    partitions.ensure_for(connection, TABLE, rows["bucket"])
    values = {name: times(rows[name]) if name in _TIMES else rows[name].copy() for name in rows.dtype.names or ()}
    bind_arrays(connection)
    connection.execute(_QUERIES["save_hours"], values)
    _save_days(connection, rows)
    return len(rows)


def _forget(connection: Connection, series_ids: list[int]) -> None:
    """Forget what no reading tells of any more, after an estimate at either end of a register was withdrawn."""
    if not series_ids:
        return
    gone = set(connection.execute(_QUERIES["forget_hours"], {"series_ids": series_ids}).fetchall())
    if gone:
        days = {"series_ids": [series_id for series_id, _ in gone], "buckets": [bucket for _, bucket in gone]}
        connection.execute(_QUERIES["save_days"], days)
        connection.execute(_QUERIES["forget_days"], days)


def _save_days(connection: Connection, rows: npt.NDArray[Any]) -> None:
    days = np.unique(np.stack([rows["series_id"], rows["bucket"] // _DAY * _DAY]), axis=1)
    partitions.ensure_for(connection, DAYS, days[1])
    connection.execute(_QUERIES["save_days"], {"series_ids": days[0].tolist(), "buckets": times(days[1])})
