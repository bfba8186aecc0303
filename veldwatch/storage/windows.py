"""Read out readings as a picture needs them: a stretch of time of some series, in as many buckets as it has room for.

The database chooses table and width and makes the points (migration 0054, docs/explanation/resolution.md); Grafana's
panels use the same functions. What registers counted comes from what maintenance judged, and from here on is judged
again where it has not been yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from veldwatch.errors import NotFound, RequestInvalid
from veldwatch.model.local_buckets import Interval
from veldwatch.storage.connection import Connection
from veldwatch.storage.consumption import Asked, judge_buckets
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

MOST_SERIES = 50
"""More lines than that nobody tells apart."""

MOST_SINGLES = 400_000
"""Raw readings that one picture is made of at most, where profiles expect far fewer than come."""

SINGLES = np.dtype([("series_id", "<i4"), ("observed_at", "<i8"), ("value", "<f8"), ("quality", "<i2")])
_QUERIES = load_queries("windows")
_HOUR = timedelta(hours=1)
# People think of consumption by hour and by day, not in buckets of six hours.
_AMOUNT_STEPS = ((_HOUR, _HOUR), (timedelta(days=1), timedelta(days=2)))
_READING_TO_READING = timedelta(hours=2)  # above that single amounts are too narrow to see
_RECENT = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowFilter:
    """Which series: None is any."""

    series_ids: list[int] | None = None
    organisation: str | None = None
    device: str | None = None
    device_id: int | None = None
    metric: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time as a picture shows it.

    Attributes:
        until: the first time that is not shown.
        points: how many buckets the picture has room for.
        zone: a name of the time zone database: whose days.
        singles: whether single readings are wanted where there are not too many.
    """

    since: datetime
    until: datetime
    points: int
    zone: str = "UTC"
    singles: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a window is drawn from, in buckets how wide, and in whose days."""

    source: Literal["raw", "hour", "day"]
    step: timedelta
    zone: str


def named_series(connection: Connection, scope: int | None, which: WindowFilter) -> list[Row]:
    """List the series that a picture names, by id.

    Args:
        scope: the one organisation that the asker may see; None: all.

    Raises:
        NotFound: one that is named by its number does not exist, or the asker may not see it.
        RequestInvalid: more match than one picture shows.
    """
    rows = fetch_rows(connection, _QUERIES["named"], {**asdict(which), "scope": scope, "limit": MOST_SERIES + 1})
    if len(rows) > MOST_SERIES:
        raise RequestInvalid(f"more than {MOST_SERIES} series match (name a device, a metric or series by number)")
    missing = sorted(set(which.series_ids or ()) - {row["series_id"] for row in rows})
    if missing:
        raise NotFound(f"series {missing[0]} does not exist")
    return rows


def choose_resolution(connection: Connection, series_ids: Sequence[int], window: Window) -> Resolution:
    """Choose how a window of some series is drawn."""
    row = fetch_row(connection, _QUERIES["resolution"], {**asdict(window), "series_ids": list(series_ids)})
    if row is None:
        raise AssertionError("resolution_for gives one row, always")
    return Resolution(**row)


def list_points(
    connection: Connection, series_ids: Sequence[int], window: Window, resolution: Resolution, *, registers: bool
) -> dict[int, list[Row]]:
    """List the points of each series, oldest first; one without values and without readings is a gap.

    Args:
        registers: whether what they last showed in each bucket is wanted.
    """
    if not series_ids:
        return {}
    values = {**asdict(window), **asdict(resolution), "series_ids": list(series_ids), "registers": registers}
    return _by_series(fetch_rows(connection, _QUERIES["points"], values))


def load_singles(connection: Connection, series_ids: Sequence[int], window: Window) -> npt.NDArray[Any]:
    """Load readings one by one, validated ones in place of raw ones, as `SINGLES`, by series, then time.

    Raises:
        RequestInvalid: there are more of them than one picture is made of.
    """
    values = {**asdict(window), "series_ids": list(series_ids), "limit": MOST_SINGLES + 1}
    rows = fetch_rows(connection, _QUERIES["singles"], values)
    if len(rows) > MOST_SINGLES:
        raise RequestInvalid(f"more than {MOST_SINGLES} readings are needed (ask for a shorter time, or shape=band)")
    return np.array([tuple(row.values()) for row in rows], SINGLES)


def list_corrections(connection: Connection, series_ids: Sequence[int], window: Window) -> dict[int, list[Row]]:
    """List what was validated of each series, oldest first, beside what was measured."""
    values = {**asdict(window), "series_ids": list(series_ids), "limit": MOST_CORRECTIONS}
    return _by_series(fetch_rows(connection, _QUERIES["corrections"], values))


MOST_CORRECTIONS = 1000
"""As marks in a picture, which holds no more; GET /v1/corrections has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What some registers counted.

    Attributes:
        step: the width of the buckets; None: from reading to reading.
        buckets: of each series, oldest first: bucket, ends, amount, excess, codes.
    """

    step: timedelta | None
    buckets: dict[int, list[Row]]


def list_amounts(connection: Connection, series_ids: Sequence[int], window: Window, resolution: Resolution) -> Amounts:
    """List what registers counted in a window: by hour, by day, or in longer buckets where the resolution's are.

    In a window of two hours or less: from reading to reading.
    """
    ids = list(series_ids)
    if not ids:
        return Amounts(step=None, buckets={})
    if window.until - window.since <= _READING_TO_READING:
        found = judge_buckets(connection, ids, _asked(window.since, window.until, None))
        return Amounts(step=None, buckets={i: [_renamed(row) for row in rows] for i, rows in found.items()})
    step = next((width for width, widest in _AMOUNT_STEPS if resolution.step <= widest), resolution.step)
    by_day = step >= timedelta(days=1) and resolution.zone == "UTC"
    judged = _judged_until(connection, ids, window, by_day=by_day)
    values = {"series_ids": ids, "step": step, "zone": resolution.zone, "since": window.since, "until": judged}
    buckets = _by_series(fetch_rows(connection, _QUERIES["consumption"], values))
    fresh = judge_buckets(connection, ids, _asked(judged, window.until, Interval.HOUR)) if judged < window.until else {}
    for series_id, rows in fresh.items():
        _add(buckets[series_id], rows, _buckets_of(connection, [row["bucket"] for row in rows], step, resolution.zone))
    return Amounts(step=step, buckets=buckets)


def _judged_until(connection: Connection, series_ids: list[int], window: Window, *, by_day: bool) -> datetime:
    """Give the time from which on registers are judged here: that of the newest hour that maintenance judged."""
    since = window.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    recent = max(since, window.until - _RECENT)
    for begin, end in ((recent, window.until), (since, recent)):
        values = {"series_ids": series_ids, "since": begin, "until": end, "by_day": by_day}
        row = fetch_row(connection, _QUERIES["judged_until"], values)
        if row is not None and row["bucket"] is not None:
            return max(since, row["bucket"])
    return since


def _asked(since: datetime, until: datetime, interval: Interval | None) -> Asked:
    return Asked(since=since, until=until, interval=interval, zone=ZoneInfo("UTC"))


def _buckets_of(connection: Connection, times: list[datetime], step: timedelta, zone: str) -> list[Row]:
    return fetch_rows(connection, _QUERIES["buckets"], {"at": times, "step": step, "zone": zone}) if times else []


def _add(buckets: list[Row], hours: list[Row], places: list[Row]) -> None:
    for hour, place in zip(hours, places, strict=True):
        if not buckets or buckets[-1]["bucket"] < place["bucket"]:
            buckets.append({**place, "amount": 0.0, "excess": 0.0, "codes": 0, "readings": 0})
        last = buckets[-1]
        last["codes"] |= hour["codes"]
        for name in ("amount", "excess", "readings"):
            last[name] += hour[name]


def _renamed(row: Row) -> Row:
    return {**row, "ends": row["until"]}


def _by_series(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["series_id"]].append(row)
    return found
