"""Read out what registers counted, judged from the readings that are stored: of a device, or of what devices were on.

A subject (a service point, a pump) keeps its consumption when its meter is exchanged: it is the sum of what each meter
counted while it was there, and nothing is made of the difference between two meters.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from veldwatch.errors import NotFound, RequestInvalid
from veldwatch.metering.judged import Instants
from veldwatch.metering.spread import BUCKETS, spread_arrays
from veldwatch.model.consumption import Code
from veldwatch.model.consumption_buckets import Bucket
from veldwatch.model.local_buckets import Interval, edges, from_instant, to_instant
from veldwatch.model.register_steps import from_counts, to_counts
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.readings import ReadingFilter
from veldwatch.storage.registers import BEYOND, Judged, judge_series, load_anchors, load_registers, unit_factor

MOST_SERIES = 500
MOST_READINGS = 400_000
"""That takes about a second and 40 MB."""
MOST_BUCKETS = 500_000
"""500 series with a page of 1,000 each; an hour each for 57 years of one series. About two seconds."""
MOST_ROWS = 100_000
"""Of all series together, as they are answered: they take 100 MB."""

_QUERIES = load_queries("consumption")
_EVER = 2**62
_HOUR = 3_600_000_000
_FARTHER = (1, 4, 16)
_LAST = to_instant(datetime(2200, 1, 1, tzinfo=UTC))
_LONGEST = {Interval.HOUR: 3 * _HOUR // 2, Interval.DAY: 49 * _HOUR, Interval.MONTH: 32 * 24 * _HOUR}
"""Of a clock that moves; Samoa's day that never was makes one of 48 hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which stretch of time, and how it is cut.

    Attributes:
        since: None: from the beginning of what is stored.
        until: None: to its end.
        interval: None: from reading to reading.
        register_modulus: instead of what the register of devices says; None: as that says.
        most: how many buckets are wanted of each series, the first ones; None: all.
    """

    since: datetime | None
    until: datetime | None
    interval: Interval | None
    zone: ZoneInfo
    register_modulus: float | None = None
    most: int | None = None

    @property
    def span(self) -> tuple[int, int]:
        """Give first and last instant."""
        return (
            -_EVER if self.since is None else to_instant(self.since),
            _EVER if self.until is None else to_instant(self.until),
        )


def list_consumption(connection: Connection, scope: int | None, which: ReadingFilter, asked: Asked) -> list[Row]:
    """List what each of some series counted in each bucket, by time, then series.

    Only counters have any, but a series that is asked for by its metric or number is read as a register all the same.

    Args:
        scope: the one organisation that the asker may see; None: all.

    Raises:
        RequestInvalid: more series match, or more readings or buckets are needed, than one answer is made of.
    """
    values = {**asdict(which), "scope": scope, "limit": MOST_SERIES + 1}
    series = {row["id"]: row for row in fetch_rows(connection, _QUERIES["matching"], values)}
    if len(series) > MOST_SERIES:
        raise RequestInvalid(f"more than {MOST_SERIES} series match (name a device, a series or a rarer metric)")
    parts = _page(connection, list(series), asked)
    _check_rows(parts)
    rows: list[Row] = []
    for series_id, part in parts.items():
        named = {name: series[series_id][name] for name in ("device", "device_id", "metric", "unit")}
        rows += [{**_row(bucket), **named, "series_id": series_id, "subject": None} for bucket in _buckets(part)]
    return sorted(rows, key=lambda row: (row["bucket"], row["series_id"]))


def _page(connection: Connection, series_ids: list[int], asked: Asked) -> dict[int, npt.NDArray[Any]]:
    """Judge as much of the time as the first buckets take, not all of it for each page."""
    for horizon in _horizons(connection, series_ids, asked):
        part = replace(asked, until=from_instant(horizon))
        parts = _counted(_judge(connection, series_ids, part), part)
        if sum(map(len, parts.values())) >= (asked.most or 0):
            return _first(parts, asked)
    return _first(_counted(_judge(connection, series_ids, asked), asked), asked)


def _horizons(connection: Connection, series_ids: list[int], asked: Asked) -> Iterator[int]:
    """Give ends of buckets, each farther than the one before, that lie before the end of what is asked for.

    Up to the first of them there are buckets enough where each series has one for each interval. From reading to
    reading there are none: what reaches over such an end may begin before all the others.
    """
    if asked.most is None or asked.interval is None or not series_ids:
        return
    begin = asked.since or fetch_rows(connection, _QUERIES["beginning"], {"series_ids": series_ids})[0]["at"]
    if begin is None:
        return
    span = (asked.most // len(series_ids) + 2) * _LONGEST[asked.interval]
    for times in _FARTHER:
        end = to_instant(begin) + times * span
        if end + _LONGEST[asked.interval] >= min(asked.span[1], _LAST):
            return
        yield int(_edges(end, end + 1, asked.interval, asked.zone)[-1])


def _counted(judged: Sequence[Judged], asked: Asked) -> dict[int, npt.NDArray[Any]]:
    """Cut what was judged into buckets, as long as they are not too many."""
    parts: dict[int, npt.NDArray[Any]] = {}
    total = 0
    for one in judged:
        parts[one.series_id] = part = _parts(one.increments, asked)
        total += len(part)
        _check_buckets(total)
    return parts


def _first(parts: dict[int, npt.NDArray[Any]], asked: Asked) -> dict[int, npt.NDArray[Any]]:
    """Leave out what lies behind the first buckets of all series together."""
    if asked.most is None or sum(map(len, parts.values())) <= asked.most:
        return parts
    begins = np.concatenate([part["begin"] for part in parts.values()])
    last = np.partition(begins, asked.most - 1)[asked.most - 1]
    return {series_id: part[part["begin"] <= last] for series_id, part in parts.items()}


def _check_buckets(count: int, most: int = MOST_BUCKETS) -> None:
    if count > most:
        raise RequestInvalid(
            f"more than {most} buckets are needed (ask for a shorter time, a longer interval or fewer devices)"
        )


def _check_rows(parts: Mapping[int, npt.NDArray[Any]]) -> None:
    _check_buckets(sum(map(len, parts.values())), MOST_ROWS)


def judge_buckets(connection: Connection, series_ids: list[int], asked: Asked) -> dict[int, list[Row]]:
    """Judge registers by what is stored of them now: what each counted in its buckets, oldest first.

    Raises:
        RequestInvalid: more readings are needed, or more buckets, than one answer is made of.
    """
    parts: dict[int, npt.NDArray[Any]] = {}
    for judged in _judge(connection, series_ids, asked):
        parts[judged.series_id] = _parts(judged.increments, asked)
    _check_rows(parts)
    return {series_id: [_row(bucket) for bucket in _buckets(part)] for series_id, part in parts.items()}


def list_subject_consumption(
    connection: Connection, scope: int | None, subject: str, organisation: str | None, metric: str, asked: Asked
) -> list[Row]:
    """List what was counted on a subject in each bucket, whichever device was on it; in the first one's unit.

    Raises:
        NotFound: there is no such subject, or the asker may not see it.
        RequestInvalid: several organisations have one of that name, an interval is missing, or the units of two
            devices measure different things.
    """
    if asked.interval is None:
        raise RequestInvalid("bad interval: 'reading' (expected hour, day or month where a subject is asked for)")
    values = {"subject": subject, "organisation": organisation, "scope": scope}
    found = fetch_rows(connection, _QUERIES["subject"], values)
    if not found:
        raise NotFound(f"subject {subject!r} does not exist")
    if len(found) > 1:
        raise RequestInvalid(f"several organisations have a subject {subject!r} (name the organisation)")
    deployments = fetch_rows(connection, _QUERIES["deployed"], {"subject_id": found[0]["id"], "metric": metric})
    if not deployments:
        return []
    named = {"device": None, "device_id": None, "series_id": None, "metric": metric, "subject": subject}
    named["unit"] = next((row["unit"] for row in deployments if row["unit"]), "")
    ids = sorted({row["series_id"] for row in deployments})
    judged = {one.series_id: one.increments for one in _judge(connection, ids, asked)}
    pieces = [_piece(row, judged[row["series_id"]], named["unit"]) for row in deployments]
    return [{**_row(bucket), **named} for bucket in _joined(pieces, asked)]


def _judge(connection: Connection, series_ids: list[int], asked: Asked) -> list[Judged]:
    registers = load_registers(connection, series_ids, counters_only=False)
    since, until = asked.span
    anchors = load_anchors(connection, dict.fromkeys(registers, since)) if asked.since is not None else {}
    if asked.register_modulus is not None:
        # What is stored was judged by another width.
        anchors, modulus = {}, to_counts(asked.register_modulus)
        registers = {i: replace(register, modulus=modulus) for i, register in registers.items()}
    found = judge_series(
        connection,
        registers,
        anchors,
        dict.fromkeys(registers, until),
        beyond=BEYOND if asked.until is not None else 0,
        limit=MOST_READINGS + 1,
    )
    if sum(len(one.increments) for one in found) > MOST_READINGS - len(found):
        raise RequestInvalid(
            f"more than {MOST_READINGS} readings are needed (ask for a shorter time, or fewer devices)"
        )
    return found


def _parts(increments: npt.NDArray[Any], asked: Asked) -> npt.NDArray[Any]:
    """Cut increments at the buckets' edges and at those of the time that is asked for."""
    since, until = asked.span
    kept = increments[(increments["end"] > since) & (increments["begin"] < until)]
    if not len(kept):
        return np.empty(0, BUCKETS)
    limits = max(since, int(kept["begin"][0])), min(until, int(kept["end"][-1]))
    # Where nothing is left out between increments, each bucket holds something, and the first ones are enough.
    is_whole = bool((kept["begin"][1:] == kept["end"][:-1]).all())
    wanted = asked.most + 1 if asked.most is not None and is_whole else None
    if asked.interval is None:
        cuts = np.unique(np.clip(np.append(kept["begin"], kept["end"][-1]), *limits))[:wanted]
    else:
        first, last = limits
        if wanted is not None:
            last = min(last, first + (wanted + 1) * _LONGEST[asked.interval])
        _check_buckets((last - first) // _LONGEST[asked.interval])
        cuts = _edges(first, last, asked.interval, asked.zone)[:wanted]
        cuts[0], cuts[-1] = max(since, int(cuts[0])), min(until, int(cuts[-1]))
    return spread_arrays(kept[kept["begin"] < cuts[-1]], cuts)


def _edges(first: int, last: int, interval: Interval, zone: ZoneInfo) -> Instants:
    found = edges(from_instant(first), from_instant(last), interval, zone)
    return np.array([to_instant(edge) for edge in found], np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What one device counted while it was on a subject."""

    begin: int
    until: int
    increments: npt.NDArray[Any]


def _piece(deployment: Mapping[str, Any], increments: npt.NDArray[Any], unit: str) -> _Piece:
    begin = -_EVER if deployment["begin"] is None else deployment["begin"]
    until = _EVER if deployment["until"] is None else deployment["until"]
    kept = increments[(increments["end"] > begin) & (increments["begin"] < until)]
    factor = unit_factor(deployment["unit"], unit)
    if factor is None:
        raise RequestInvalid(
            f"two devices of this subject measure in {deployment['unit']!r} and {unit!r} (expected units of one kind)"
        )
    if factor != 1:
        kept = kept.copy()
        for name in ("amount", "excess"):
            kept[name] = np.rint(kept[name] * factor).astype(np.int64)
    return _Piece(begin=begin, until=until, increments=kept)


def _joined(pieces: Sequence[_Piece], asked: Asked) -> list[Bucket]:
    """Add up the pieces of a subject in the buckets of all of them; mark where one device followed another."""
    since, until = asked.span
    held = [
        (
            max(since, piece.begin, int(piece.increments["begin"][0])),
            min(until, piece.until, int(piece.increments["end"][-1])),
            piece.increments,
        )
        for piece in pieces
        if len(piece.increments)
    ]
    held = [(begin, end, found) for begin, end, found in held if begin < end]
    if not held or asked.interval is None:
        return []
    first, last = min(begin for begin, *_ in held), max(end for _, end, _ in held)
    _check_buckets((last - first) // _LONGEST[asked.interval])
    cuts = _edges(first, last, asked.interval, asked.zone)
    limits = np.clip(cuts, since, until).tolist()
    buckets = [Bucket(begin=begin, end=end) for begin, end in itertools.pairwise(limits)]
    for begin, end, found in held:
        inner = np.unique(np.concatenate([[begin, end], cuts[(cuts > begin) & (cuts < end)]]))
        for part in _buckets(spread_arrays(found, inner)):
            _add(buckets[int(np.searchsorted(cuts, part.begin, "right")) - 1], part)
    for (_, end, _), (begin, _, _) in itertools.pairwise(held):
        # Between one device's last reading and the next one's first nobody counted.
        first = max(int(np.searchsorted(cuts, min(begin, end), "right")) - 1, 0)
        for bucket in buckets[first : max(first + 1, int(np.searchsorted(cuts, begin, "left")))]:
            bucket.codes |= int(Code.EXCHANGE | (Code.GAP if begin > end else Code.NONE))
            bucket.covered = True
    return [bucket for bucket in buckets if bucket.covered]


def _add(bucket: Bucket, part: Bucket) -> None:
    bucket.amount += part.amount
    bucket.excess += part.excess
    bucket.readings += part.readings
    bucket.codes |= part.codes
    bucket.covered = True


def _buckets(array: npt.NDArray[Any]) -> list[Bucket]:
    columns = [array[name].tolist() for name in ("begin", "end", "amount", "excess", "codes", "readings")]
    return [
        Bucket(begin=begin, end=end, amount=amount, excess=excess, codes=codes, readings=readings, covered=True)
        for begin, end, amount, excess, codes, readings in zip(*columns, strict=True)
    ]


def _row(bucket: Bucket) -> Row:
    return {
        "bucket": from_instant(bucket.begin),
        "until": from_instant(bucket.end),
        "amount": from_counts(bucket.amount),
        "excess": from_counts(bucket.excess),
        "codes": bucket.codes,
        "readings": bucket.readings,
    }
