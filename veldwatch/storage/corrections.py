"""Corrections and estimates: what counts in place of, or beside, what a device said; never over it.

Each word on a reading has a version, an author, a method and a reason; the newest counts, and withdrawing is a word
too. Roll-ups and consumption follow with the next round of maintenance. Rules fold over what devices said: an alert
tells what was known then (docs/decisions/0053).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from veldwatch.errors import NotFound, RequestInvalid
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, LARGEST_VALUE
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

MOST_AT_ONCE = 10_000

CorrectionKey = tuple[datetime, int, int]
"""Time of the reading, series and version: a correction's place in the list."""

BEGINNING: CorrectionKey = (datetime(1, 1, 1, tzinfo=UTC), 0, 0)

_AHEAD = timedelta(days=1)
_QUERIES = load_queries("corrections")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesName:
    """Which series is meant: its number, or device and metric, with the organisation where two have such a device."""

    series_id: int | None = None
    device: str | None = None
    metric: str | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Who says so, by what means, and why.

    Attributes:
        method: a word for how the value was found (`manual`, `interpolated`, `from-photograph`).
        rule: of validation that asked for it; None: none did.
    """

    author: str
    method: str
    reason: str
    rule: str | None = None


def find_series(connection: Connection, scope: int | None, which: SeriesName) -> Row:
    """Find the one series that is meant.

    Raises:
        RequestInvalid: none is named, or two fit.
        NotFound: there is none, or the asker may not see it.
    """
    if which.series_id is None and (which.device is None or which.metric is None):
        raise RequestInvalid("which series? (expected series_id, or device and metric)")
    found = fetch_rows(connection, _QUERIES["find_series"], {**asdict(which), "scope": scope})
    if not found:
        named = which.series_id if which.series_id is not None else f"{which.device!r} {which.metric!r}"
        raise NotFound(f"no series {named} (list them with GET /v1/series)")
    if len(found) > 1:
        raise RequestInvalid(f"several organisations have a device {which.device!r} (name the organisation)")
    return found[0]


def add_corrections(
    connection: Connection, series: Row, values: Mapping[datetime, float], grounds: Grounds, now: datetime
) -> int:
    """Let these values count at these times, whether the device said something then or not, and count them.

    One transaction. A value that counts already is no new version.

    Raises:
        RequestInvalid: none or too many at once, a value that is no number or beyond what devices may say, a time that
            has not come or is before all that is measured, no reason.
    """
    _check(values, now)
    _check_grounds(grounds)
    with translated_errors(), connection.transaction():
        _take_turn(connection, series["id"])
        standing = _standing(connection, series["id"], list(values))
        new = {at: value for at, value in values.items() if standing.get(at) != value}
        _say(connection, series, new, grounds, withdrawn=False)
    return len(new)


def withdraw_corrections(connection: Connection, series: Row, times: Sequence[datetime], grounds: Grounds) -> int:
    """Let what the device said count again at these times, and count what was withdrawn.

    Raises:
        NotFound: nothing that counts is there at one of the times.
        RequestInvalid: no reason.
    """
    _check_grounds(grounds)
    with translated_errors(), connection.transaction():
        _take_turn(connection, series["id"])
        standing = _standing(connection, series["id"], times)
        missing = sorted(set(times) - set(standing))
        if missing:
            raise NotFound(f"no correction of series {series['id']} at {missing[0].isoformat()}")
        _say(connection, series, standing, grounds, withdrawn=True)
    return len(standing)


def list_corrections(
    connection: Connection, scope: int | None, series_id: int | None, after: CorrectionKey, limit: int
) -> list[Row]:
    """List what was said of readings, versions that count no more too, by time.

    Args:
        scope: the one organisation that the asker may see; None: all.
        series_id: None: of every series.
    """
    values: dict[str, object] = {"scope": scope, "series_id": series_id, "limit": limit}
    values |= {"after_time": after[0], "after_series": after[1], "after_version": after[2]}
    return fetch_rows(connection, _QUERIES["list"], values)


def _check(values: Mapping[datetime, float], now: datetime) -> None:
    if not 1 <= len(values) <= MOST_AT_ONCE:
        raise RequestInvalid(f"{len(values)} corrections (expected 1 to {MOST_AT_ONCE})")
    for at, value in values.items():
        # As of what devices say: sums of larger ones overflow, and no sum of any series would be made any more.
        if not (math.isfinite(value) and abs(value) <= LARGEST_VALUE):
            raise RequestInvalid(
                f"bad value: {value!r} (expected a number from -{LARGEST_VALUE:.0f} to {LARGEST_VALUE:.0f})"
            )
        if not EARLIEST_OBSERVATION <= at <= now + _AHEAD:
            expected = f"a time that has come, from {EARLIEST_OBSERVATION:%Y-%m-%d} on"
            raise RequestInvalid(f"bad observed_at: {at.isoformat()} (expected {expected})")


def _check_grounds(grounds: Grounds) -> None:
    for name, text in (("method", grounds.method), ("reason", grounds.reason)):
        if not text.strip():
            raise RequestInvalid(f"bad {name}: {text!r} (expected how it was found, and why, for whoever finds it)")


def _take_turn(connection: Connection, series_id: int) -> None:
    connection.execute(_QUERIES["take_turn"], {"series_id": series_id})


def _standing(connection: Connection, series_id: int, times: Sequence[datetime]) -> dict[datetime, float]:
    return dict(connection.execute(_QUERIES["standing"], {"series_id": series_id, "times": list(times)}).fetchall())


def _say(
    connection: Connection, series: Row, values: Mapping[datetime, float], grounds: Grounds, *, withdrawn: bool
) -> None:
    if not values:
        return
    named = {"series_id": series["id"], "times": list(values), "values": list(values.values())}
    connection.execute(_QUERIES["supersede"], named)
    connection.execute(_QUERIES["add"], {**named, **asdict(grounds), "withdrawn": withdrawn})
    connection.execute(_QUERIES["make_due"], named)
    if series["kind"] == "counter":
        connection.execute(_QUERIES["judge_again"], named)
