"""Times of a file: ISO 8601 or numbers since 1970, and wall-clock times in a time zone.

A logger writes in order, so of two readings that the clock shows alike the first in the file is the earlier: within a
device, once the clock has jumped back, later rows are in the second pass.

`read_column` reads many at once: the usual forms by Arrow, wall-clock times by the offset of their hour. What is left
(odd forms, hours in which a clock changes, what is no time) is read one by one, in file order.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from ingest.imports.cells import Column
from ingest.imports.numbers import as_numpy, read_numbers
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.times import FIRST_MICROSECONDS, FIRST_MILLISECONDS, FIRST_NANOSECONDS, read_time
from veldwatch.wire.values import is_numeric_text, shown

_arrow, _compute = cast("Any", pyarrow), cast("Any", pyarrow.compute)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600_000_000
_DATE = r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_LOCAL = f"^{_DATE}[T ]{_TIME}"
_OFFSET = r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$"
# Days that every month has; the others are tried only where Arrow finds all of them in the calendar.
_EVERY_MONTH = r"^[0-9]{4}-[0-9]{2}-(?:[01][0-9]|2[0-8])"
_NO_OFFSET = np.iinfo(np.int64).min

Moments = npt.NDArray[np.int64]
Failures = dict[int, MessageRejected]


class FileClock:
    """Reads the times of a file in file order.

    Args:
        zone: of times without an offset; empty: such times are rejected.
        last: what `state` gave, to go on.

    Raises:
        ConfigurationInvalid: there is no such zone.
    """

    def __init__(self, zone: str, last: dict[str, int] | None = None) -> None:
        try:
            self._zone = ZoneInfo(zone) if zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationInvalid(f"bad time zone: {zone!r} (expected a name like Africa/Nairobi)") from error
        # A zone whose clocks never change needs no memory; it tells its offset without a time.
        self._changes = self._zone is not None and self._zone.utcoffset(None) is None
        self._last: dict[str, int] = dict(last or {})
        self._offsets: dict[int, int] = {}

    def state(self) -> dict[str, int]:
        """Give the latest wall-clock time of each device, in microseconds since 1970."""
        return dict(self._last)

    def read(self, device: str, text: str) -> datetime:
        """Read one time into UTC.

        Raises:
            MessageRejected: not a time, or of no zone.
        """
        if is_numeric_text(text):
            return read_time(text)
        try:
            local = datetime.fromisoformat(text)
        except ValueError as error:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(text)} is not ISO 8601") from error
        if local.tzinfo is not None:
            return _utc(local, text)
        if self._zone is None:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(text)} has no offset (say --time-zone)")
        return self._in_zone(device, local, self._zone, text)

    def read_column(
        self, devices: Sequence[str], device: npt.NDArray[np.intp], cells: Column
    ) -> tuple[Moments, Failures]:
        """Read a column.

        Args:
            devices: names.
            device: of each row, its place in `devices`; negative: the row is left out.

        Returns:
            Microseconds since 1970, 0 where there is no time; and why not, by row. Rows that are left out have neither.
        """
        moments = np.zeros(len(device), dtype=np.int64)
        taken = device >= 0
        done = taken & _read_aware(cells, moments)
        done |= taken & ~done & _read_numeric(cells, moments, ~done)
        local = np.zeros(len(device), dtype=np.int64)
        walled = taken & ~done & _read_local(cells, local)
        plain = self._put_in_zone(walled, local, moments)
        single = taken & ~done & ~plain
        failures = self._read_single(devices, device, cells, moments, plain, single)
        return moments, failures

    def _put_in_zone(self, walled: npt.NDArray[np.bool_], local: Moments, moments: Moments) -> npt.NDArray[np.bool_]:
        """Convert the wall-clock times of hours in which no clock changes; tell which."""
        if self._zone is None or not walled.any():
            return np.zeros(len(walled), dtype=bool)
        hours, places = np.unique(local[walled] // _HOUR, return_inverse=True)
        offsets = np.array([self._offset(hour, self._zone) for hour in hours.tolist()], dtype=np.int64)[places]
        plain = walled.copy()
        plain[walled] = offsets != _NO_OFFSET
        moments[plain] = local[plain] - offsets[offsets != _NO_OFFSET]
        return plain

    def _offset(self, hour: int, zone: ZoneInfo) -> int:
        """Tell an hour's offset from UTC, in microseconds; `_NO_OFFSET` where it is not one all the hour long."""
        known = self._offsets.get(hour)
        if known is None:
            begin = datetime(1970, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001  # a wall clock's
            edges = (begin, begin + timedelta(hours=1))
            found = {edge.replace(tzinfo=zone, fold=fold).utcoffset() for edge in edges for fold in (0, 1)}
            offset = found.pop()
            known = _NO_OFFSET if found or offset is None else offset // _MICROSECOND
            self._offsets[hour] = known
        return known

    def _read_single(  # the arrays of one column
        self,
        devices: Sequence[str],
        device: npt.NDArray[np.intp],
        cells: Column,
        moments: Moments,
        plain: npt.NDArray[np.bool_],
        single: npt.NDArray[np.bool_],
    ) -> Failures:
        failures: Failures = {}
        ordered = np.isin(device, device[single]) & (plain | single) if single.any() else single
        for row in np.flatnonzero(ordered).tolist():
            name = devices[int(device[row])]
            if plain[row]:
                self._remember(name, int(moments[row]))
                continue
            try:
                moments[row] = (self.read(name, as_text(cells[row].as_py())) - _EPOCH) // _MICROSECOND
            except MessageRejected as error:
                failures[row] = error
        if self._changes:
            rest = plain & ~ordered
            latest = np.full(len(devices), _NO_OFFSET, dtype=np.int64)
            np.maximum.at(latest, device[rest], moments[rest])
            for place in np.flatnonzero(latest != _NO_OFFSET).tolist():
                self._remember(devices[place], int(latest[place]))
        return failures

    def _in_zone(self, device: str, local: datetime, zone: ZoneInfo, text: str) -> datetime:
        first = _utc(local.replace(tzinfo=zone, fold=0), text)
        second = _utc(local.replace(tzinfo=zone, fold=1), text)
        last = self._last.get(device)
        began, again = (first - _EPOCH) // _MICROSECOND, (second - _EPOCH) // _MICROSECOND
        # A gap (spring) gives again < began; only a repeated hour gives two real times, began < again.
        repeated = last is not None and began <= last < again
        self._remember(device, again if repeated else began)
        return second if repeated else first

    def _remember(self, device: str, moment: int) -> None:
        if self._changes and moment > self._last.get(device, _NO_OFFSET):
            self._last[device] = moment


def as_text(value: object) -> str:
    """Write a cell as it would stand in a CSV file; None is blank."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _utc(moment: datetime, text: str) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise MessageRejected(Reason.BAD_TIME, f"{shown(text)}: {error}") from error


def _read_aware(cells: Column, moments: Moments) -> npt.NDArray[np.bool_]:
    return _read_form(cells, moments, _LOCAL + _OFFSET, _arrow.timestamp("us", "UTC"), "1970-01-01T00:00:00Z")


def _read_local(cells: Column, moments: Moments) -> npt.NDArray[np.bool_]:
    return _read_form(cells, moments, _LOCAL + "$", _arrow.timestamp("us"), "1970-01-01T00:00:00")


def _read_form(cells: Column, moments: Moments, form: str, kind: Any, other: str) -> npt.NDArray[np.bool_]:  # noqa: ANN401  # Arrow's own class
    if not _arrow.types.is_string(cells.type):
        return _take_typed(cells, moments, kind)
    matches = _compute.match_substring_regex(cells, form)
    if not _compute.any(matches).as_py():
        return np.zeros(len(cells), dtype=bool)
    try:
        found = _compute.cast(_compute.if_else(matches, cells, other), kind)
    except _arrow.ArrowInvalid:  # a day that its month does not have
        matches = _compute.and_(matches, _compute.match_substring_regex(cells, _EVERY_MONTH))
        found = _compute.cast(_compute.if_else(matches, cells, other), kind)
    which = as_numpy(matches)
    moments[which] = as_numpy(_compute.cast(found, _arrow.int64()))[which]
    return which


def _take_typed(cells: Column, moments: Moments, kind: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401  # as above
    """Take timestamps of microseconds: those with a zone, or those without, as `kind` has one."""
    if (cells.type.tz is None) != (kind.tz is None):
        return np.zeros(len(cells), dtype=bool)
    which = as_numpy(cells.is_valid())
    moments[which] = as_numpy(_compute.fill_null(_compute.cast(cells, _arrow.int64()), 0))[which]
    return which


def _read_numeric(cells: Column, moments: Moments, wanted: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Read numbers since 1970, whose unit their size tells, as `veldwatch.wire.times.read_epoch` does."""
    if not wanted.any() or not _arrow.types.is_string(cells.type):
        return np.zeros(len(cells), dtype=bool)
    numeric = _compute.match_substring_regex(cells, r"^-?[0-9]")
    if not _compute.any(numeric).as_py():
        return np.zeros(len(cells), dtype=bool)
    # Blanks around a number are none in a value, but make a time unreadable.
    bare = _compute.equal(_compute.binary_length(_compute.ascii_trim_whitespace(cells)), _compute.binary_length(cells))
    numbers = read_numbers(cells)
    sure = numbers.sure & as_numpy(bare) & (np.abs(numbers.values) < FIRST_MICROSECONDS)
    seconds = np.abs(numbers.values) < FIRST_MILLISECONDS
    microseconds = np.rint(np.where(seconds, numbers.values * 1e6, np.where(sure, numbers.values, 0) * 1e3))
    moments[sure] = np.where(sure, microseconds, 0).astype(np.int64)[sure]
    return sure | _read_finer(cells, moments)


def _read_finer(cells: Column, moments: Moments) -> npt.NDArray[np.bool_]:
    """Read microseconds and nanoseconds, which are integers: a double does not hold the latter."""
    matches = _compute.match_substring_regex(cells, r"^[1-8][0-9]{14,18}$")
    if not _compute.any(matches).as_py():
        return np.zeros(len(cells), dtype=bool)
    which = as_numpy(matches)
    found = as_numpy(_compute.cast(_compute.if_else(matches, cells, "0"), _arrow.int64()))
    moments[which] = np.where(found < FIRST_NANOSECONDS, found, found // 1000)[which]
    return which
