"""Registers as they are stored, judged: what is known of a counter, where its fold stood, what it showed since.

A fold is taken up from the last hour of `consumption_hourly_rollup` that ended without a repair, far enough before what
is asked for that nothing later can change it; where there is none, from the beginning of what is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.errors import MessageRejected
from veldwatch.metering.judged import counts_of, judge_arrays
from veldwatch.model.consumption import State
from veldwatch.model.excursions import EXCURSION_READINGS
from veldwatch.model.local_buckets import from_instant, to_instant
from veldwatch.model.register_steps import HOUR, Register, to_counts
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.units import conversion

MARGIN = 2 * EXCURSION_READINGS + 2
"""Readings between a fold's beginning and what is asked for: those that an excursion may have, twice."""

BEYOND = MARGIN + EXCURSION_READINGS + 2
"""Readings after what is asked for: those that it depends on, and those that tell that nothing later changed."""

_PAST = to_instant(datetime(1900, 1, 1, tzinfo=UTC))
_FUTURE = to_instant(datetime(9000, 1, 1, tzinfo=UTC))
_MICROSECOND = timedelta(microseconds=1)
_QUERIES = load_queries("consumption")

Instants = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """Where a fold is taken up.

    Attributes:
        hour: the first hour that is judged; what lies before is judged already.
    """

    state: State
    hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a register's readings.

    Attributes:
        start: where the fold began; None: there are no readings.
        increments: `veldwatch.metering.judged.INCREMENTS`, oldest first.
        complete: the last reading of all is among them.
    """

    series_id: int
    anchor: Anchor | None
    start: State | None
    increments: npt.NDArray[Any]
    complete: bool


def load_registers(connection: Connection, series_ids: Sequence[int], *, counters_only: bool) -> dict[int, Register]:
    """Load what is known of some series as registers; what is no counter is left out if `counters_only`."""
    values = {"series_ids": list(series_ids), "counters_only": counters_only}
    with translated_errors():
        rows = connection.execute(_QUERIES["registers"], values).fetchall()
    return {row[0]: _register(*row[1:]) for row in rows}


def _register(
    unit: str,
    profile_unit: str | None,
    modulus: float | None,
    resolution: float | None,
    per_hour: float | None,
    interval: timedelta | None,
    exchanges: Sequence[int],
) -> Register:
    factor = None if profile_unit is None else unit_factor(profile_unit, unit)
    return Register(
        modulus=None if modulus is None else to_counts(modulus),
        resolution=None if resolution is None or factor is None else to_counts(resolution * factor),
        per_hour=None if per_hour is None or factor is None else to_counts(per_hour * factor),
        interval=None if interval is None else interval // _MICROSECOND,
        exchanges=tuple(exchanges),
    )


def unit_factor(unit: str, wanted: str) -> float | None:
    """Give what an amount in one unit is multiplied by to be in another; None: they measure different things.

    A unit that nobody said is the one that is wanted.
    """
    if "" in (unit, wanted):
        return 1.0
    try:
        converted = conversion(unit, wanted)
    except MessageRejected:
        return None
    return converted.numerator / converted.denominator


def load_anchors(connection: Connection, since: Mapping[int, int]) -> dict[int, Anchor]:
    """Find where the folds of some series are taken up, so that all from an instant on is judged with what it needs."""
    values = {
        "series_ids": list(since),
        "since": [_time(instant) for instant in since.values()],
        "margin": MARGIN,
    }
    with translated_errors():
        rows = connection.execute(_QUERIES["anchors"], values).fetchall()
    ids = list(since)
    return {
        ids[number]: Anchor(state=State(to_counts(level), level_at, last_at), hour=bucket + HOUR)
        for number, level, level_at, last_at, bucket in rows
    }


def judge_series(
    connection: Connection,
    registers: Mapping[int, Register],
    anchors: Mapping[int, Anchor],
    until: Mapping[int, int],
    *,
    beyond: int = BEYOND,
    limit: int | None = None,
) -> list[Judged]:
    """Judge the readings of some series from their anchors up to an instant each, and so many beyond it.

    Args:
        limit: readings of all at most: the rest is left out.
    """
    ids = list(registers)
    values = {
        "series_ids": ids,
        "after": [_time(anchors[i].state.last_at if i in anchors else _PAST) for i in ids],
        "until": [_time(until[i]) for i in ids],
        "beyond": beyond,
        "limit": limit,
    }
    with translated_errors():
        corrected = connection.execute(_QUERIES["corrected"], {"series_ids": ids}).fetchone() is not None
        table = _fetch_readings(connection, _QUERIES["corrected_readings" if corrected else "readings"], values)
    bounds = np.searchsorted(table["number"], np.arange(len(ids) + 1))
    found: list[Judged] = []
    for number, series_id in enumerate(ids):
        part = table[bounds[number] : bounds[number + 1]]
        anchor = anchors.get(series_id)
        times, counts = part["at"].astype(np.int64), counts_of(part["value"])
        start = None if anchor is None else anchor.state
        if start is None and len(times):
            start = State(int(counts[0]), int(times[0]), int(times[0]))
            times, counts = times[1:], counts[1:]
        increments = judge_arrays(times, counts, registers[series_id], start)
        complete = int((part["at"] > until[series_id]).sum()) < beyond
        found.append(Judged(series_id=series_id, anchor=anchor, start=start, increments=increments, complete=complete))
    return found


# A row of COPY in binary form: number of columns, then length and value of each. Source: PostgreSQL manual, COPY.
_COPIED = np.dtype(
    [
        ("columns", ">i2"), ("number_length", ">i4"), ("number", ">i4"), ("at_length", ">i4"), ("at", ">i8"),
        ("value_length", ">i4"), ("value", ">f8"),
    ]
)  # fmt: skip
_COPY_HEADER = 19


def _fetch_readings(connection: Connection, query: bytes, values: Mapping[str, object]) -> npt.NDArray[Any]:
    """Fetch number, instant and value of readings, as an array: 34 bytes each, where Python's objects take 250."""
    content = bytearray()
    statement = b"COPY (" + query + b") TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement, values) as copy:
        for block in copy:
            content += block
    return np.frombuffer(content, _COPIED, (len(content) - _COPY_HEADER) // _COPIED.itemsize, _COPY_HEADER)


def _time(instant: int) -> datetime:
    return from_instant(min(max(instant, _PAST), _FUTURE))
