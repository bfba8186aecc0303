"""Make pictures of readings out of what storage gives: a column for each figure, and a table of all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from api.downsampling import thin_out
from veldwatch.model.consumption import code_names
from veldwatch.model.local_buckets import from_instant, to_instant
from veldwatch.model.register_steps import HOUR
from veldwatch.model.telemetry import Quality
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row
from veldwatch.storage.windows import (
    Amounts,
    Resolution,
    Window,
    choose_resolution,
    list_amounts,
    list_corrections,
    list_points,
    load_singles,
)

CSV_NAMES = (
    "device", "device_id", "series_id", "metric", "unit", "at", "readings", "average", "minimum", "maximum", "last",
    "amount", "excess", "codes",
)  # fmt: skip  # one name a line says no more
"""Of the table: a row for each point, and one for each bucket of consumption."""

_HOUR = timedelta(hours=1)
_MICROSECOND = timedelta(microseconds=1)
_POINTS = ("at", "average", "minimum", "maximum", "readings")
_CORRECTIONS = {
    "at": "observed_at", "value": "value", "raw_value": "raw_value", "method": "method", "author": "author",
}  # fmt: skip  # one name a line says no more


def build_window(connection: Connection, series: Sequence[Row], window: Window) -> Row:
    """Draw some series, as `api.models.windows.ReadingsWindow`.

    Args:
        series: as `named_series` gives them.
    """
    counters, gauges = _ids(series, counters=True), _ids(series, counters=False)
    resolution = choose_resolution(connection, counters + gauges, window)
    single = window.singles and resolution.source == "raw"
    points = list_points(connection, counters, window, resolution, registers=True)
    if single:
        points |= _list_singles(connection, [one for one in series if one["kind"] != "counter"], window)
    else:
        points |= list_points(connection, gauges, window, resolution, registers=False)
    amounts = list_amounts(connection, counters, window, resolution)
    corrections = list_corrections(connection, counters + gauges, window)
    return {
        "since": window.since,
        "until": window.until,
        "source": resolution.source,
        "step_seconds": resolution.step.total_seconds(),
        "time_zone": resolution.zone,
        "shape": "lttb" if single else "band",
        "series": [
            {
                **one,
                **_columns(points.get(one["series_id"], []), resolution),
                **_register_columns(one, points.get(one["series_id"], []), amounts),
                "corrections": _turned(corrections.get(one["series_id"], []), _CORRECTIONS),
            }
            for one in series
        ],
    }


def table_rows(drawn: Row) -> Iterator[Row]:
    """Give the rows of a picture's table, gaps left out: of each series its points, then its buckets of consumption."""
    for one in drawn["series"]:
        named = {**dict.fromkeys(CSV_NAMES), **{name: one[name] for name in CSV_NAMES[:5]}}
        last = one["last"] or [None] * len(one["at"])
        for point in zip(*(one[name] for name in _POINTS), last, strict=True):
            if point[4]:
                yield {**named, **dict(zip((*_POINTS, "last"), point, strict=True))}
        amounts = one["consumption"]
        if amounts is not None:
            columns = (amounts[name] for name in ("begin", "amount", "excess", "codes"))
            for begin, amount, excess, codes in zip(*columns, strict=True):
                yield {**named, "at": begin, "amount": amount, "excess": excess, "codes": " ".join(codes)}


def _ids(series: Sequence[Row], *, counters: bool) -> list[int]:
    return [one["series_id"] for one in series if (one["kind"] == "counter") == counters]


def _columns(points: Sequence[Row], resolution: Resolution) -> Row:
    # A bucket of implausible readings alone has no value, and is no gap either.
    shown = [row for row in points if row["readings"] or not row["implausible"]]
    raw = resolution.source == "raw"
    return {
        **_turned(shown, {name: name for name in _POINTS}),
        "sources": sorted({row["source_used"] for row in shown if row["readings"]}),
        "implausible": sum(row["implausible"] for row in points) if raw else None,
    }


def _register_columns(series: Row, points: Sequence[Row], amounts: Amounts) -> Row:
    if series["kind"] != "counter":
        return {"last": None, "consumption": None}
    buckets = amounts.buckets.get(series["series_id"], [])
    names = {"begin": "bucket", "until": "ends", "amount": "amount", "excess": "excess"}
    return {
        "last": [row["last"] for row in points if row["readings"] or not row["implausible"]],
        "consumption": {
            "step_seconds": None if amounts.step is None else amounts.step.total_seconds(),
            **_turned(buckets, names),
            "codes": [code_names(row["codes"]) for row in buckets],
        },
    }


def _turned(rows: Sequence[Row], names: Mapping[str, str]) -> dict[str, list[Any]]:
    """Turn rows into columns, under new names."""
    return {new: [row[old] for row in rows] for new, old in names.items()}


def _list_singles(connection: Connection, series: Sequence[Row], window: Window) -> dict[int, list[Row]]:
    """List single readings, as many as show the shape, and hours where raw readings were dropped, by time."""
    found = load_singles(connection, [one["series_id"] for one in series], window)
    points: dict[int, list[Row]] = {}
    for one in series:
        mine = found[found["series_id"] == one["series_id"]]
        good = mine[mine["quality"] & Quality.IMPLAUSIBLE == 0]
        expected = None if one["expected_interval"] is None else one["expected_interval"] // _MICROSECOND
        times, values = thin_out(good["observed_at"], good["value"], window.points, expected)
        rows = [_single(at, value) for at, value in zip(times.tolist(), values.tolist(), strict=True)]
        rows += _list_dropped(connection, one["series_id"], window, mine["observed_at"])
        points[one["series_id"]] = sorted(rows, key=lambda row: row["at"])
        if len(mine) > len(good):
            points[one["series_id"]].append({**_single(0, np.nan), "implausible": len(mine) - len(good)})
    return points


def _list_dropped(connection: Connection, series_id: int, window: Window, told: npt.NDArray[np.int64]) -> list[Row]:
    """List the whole hours of a window in which nothing is told any more, between the first and last such hour."""
    first, last = -(-to_instant(window.since) // HOUR), to_instant(window.until) // HOUR
    silent = np.setdiff1d(np.arange(first, last), told // HOUR)
    if not len(silent):
        return []
    stretch = replace(
        window, since=from_instant(int(silent[0]) * HOUR), until=from_instant((int(silent[-1]) + 1) * HOUR)
    )
    hours = Resolution(source="raw", step=_HOUR, zone="UTC")
    points = list_points(connection, [series_id], stretch, hours, registers=False)
    return [row for row in points.get(series_id, []) if row["source_used"] == "hour"]


def _single(at: int, value: float) -> Row:
    shown = None if np.isnan(value) else value
    figures = dict.fromkeys(("average", "minimum", "maximum"), shown)
    return {
        **figures, "at": from_instant(at), "readings": int(shown is not None), "implausible": 0, "source_used": "raw",
    }  # fmt: skip  # one name a line says no more
