"""When an item happened: read as the options say, put into UTC, and held against the time of arrival."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Quality
from veldwatch.wire.local_times import in_zone
from veldwatch.wire.mapping.options import Time
from veldwatch.wire.mapping.paths import Here
from veldwatch.wire.mapping.templates import compile_template
from veldwatch.wire.times import checked, observed, observed_or_arrival, read_time
from veldwatch.wire.values import is_numeric_text, shown

Clock = Callable[[Here, datetime], tuple[datetime, int]]
"""(where, received_at) -> (when in UTC, quality); raises MessageRejected."""

_Reader = Callable[[object, datetime], datetime]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS = {"s": 1_000_000.0, "ms": 1000.0, "us": 1.0, "ns": 0.001}
# Of the year 2286, the last nanoseconds of as many digits as today's; `checked` judges what is nearer.
_LAST = {"s": 1e10, "ms": 1e13, "us": 1e16, "ns": 1e19}
_GO_ZERO = "0001-01-01"
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>[0-9]{2}):?(?P<minutes>[0-5][0-9])", re.ASCII)
# Any day that tells day, month, year and both halves of the day apart.
_SAMPLE = datetime(2026, 11, 22, 17, 34, tzinfo=UTC)
_WHERE = "time"


def compile_time(option: str | Time) -> Clock:
    """Make what reads the time of an item.

    Raises:
        ConfigurationInvalid: the path, the format or the zone is wrong.
    """
    if option == "arrival":
        return _arrival
    told = Time(path=option) if isinstance(option, str) else option
    template = compile_template(told.path, f"{_WHERE}.path" if isinstance(option, Time) else _WHERE)
    read = _reader(told)
    arrives = told.missing == "arrival"
    plain = observed_or_arrival if arrives else observed

    def clock(here: Here, received_at: datetime) -> tuple[datetime, int]:
        value = template.value(here)
        if value is None or value == "" or (arrives and str(value).startswith(_GO_ZERO)):
            if arrives:
                return _arrival(here, received_at)
            raise MessageRejected(Reason.MISSING_TIME, f"no time at {told.path}")
        try:
            if read is None:
                return plain(value, received_at)
            moment = read(value, received_at)
            if arrives and moment < EARLIEST_OBSERVATION:
                return _arrival(here, received_at)
            return checked(moment, received_at)
        except MessageRejected as error:
            raise MessageRejected(error.reason, f"time at {told.path}: {error.detail}") from error

    return clock


def _arrival(here: Here, received_at: datetime) -> tuple[datetime, int]:
    del here
    return received_at, int(Quality.TIME_OF_ARRIVAL)


def _reader(told: Time) -> _Reader | None:
    """None: as every other format's times are read."""
    zone = None if told.zone is None else _zone(told.zone)
    if told.format in _MICROSECONDS:
        return _epoch(told.format)
    if told.format == "auto":
        return None if zone is None else _iso(zone, numbers=True)
    if told.format == "iso":
        return _iso(zone, numbers=False)
    if "%" not in told.format:
        raise ConfigurationInvalid(
            f"{_WHERE}.format: {told.format!r} (expected auto, iso, s, ms, us, ns, or a format such as %d.%m.%Y %H:%M)"
        )
    return _formatted(told.format, zone)


def _epoch(unit: str) -> _Reader:
    microseconds, last = _MICROSECONDS[unit], _LAST[unit]

    def read(value: object, received_at: datetime) -> datetime:
        del received_at
        if isinstance(value, str) and is_numeric_text(value):
            value = int(value) if value.isdigit() else float(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < last:  # true of NaN too
            raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is no time since 1970 in {unit}")
        # Nanoseconds are more than a double holds: whole numbers stay whole.
        exact = value // 1000 if unit == "ns" and isinstance(value, int) else round(value * microseconds)
        return _EPOCH + timedelta(microseconds=exact)

    return read


def _iso(zone: tzinfo | None, *, numbers: bool) -> _Reader:
    def read(value: object, received_at: datetime) -> datetime:
        if not isinstance(value, str) or is_numeric_text(value):
            if numbers:
                return read_time(value)
            raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is not ISO 8601 text")
        if len(value) > 64:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is too long for a time")
        try:
            return _in_utc(datetime.fromisoformat(value.strip()), zone, received_at)
        except (ValueError, OverflowError) as error:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is not ISO 8601") from error

    return read


def _formatted(pattern: str, zone: tzinfo | None) -> _Reader:
    try:
        again = datetime.strptime(_SAMPLE.strftime(pattern), pattern)  # noqa: DTZ007  # only compared
    except ValueError as error:
        raise ConfigurationInvalid(f"{_WHERE}.format: {pattern!r} ({error})") from error
    if again.replace(tzinfo=UTC) != _SAMPLE:
        raise ConfigurationInvalid(
            f"{_WHERE}.format: {pattern!r} (expected one that tells year, month, day, hour, minute)"
        )
    if again.tzinfo is None and zone is None:
        raise ConfigurationInvalid(
            f"{_WHERE}.zone: none, and {pattern!r} has no offset (expected a zone such as Africa/Lusaka)"
        )

    def read(value: object, received_at: datetime) -> datetime:
        text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
        try:
            return _in_utc(datetime.strptime(text[:64].strip(), pattern), zone, received_at)  # noqa: DTZ007  # zone below
        except (ValueError, OverflowError) as error:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is not of the form {pattern!r}") from error

    return read


def _in_utc(moment: datetime, zone: tzinfo | None, received_at: datetime) -> datetime:
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if zone is None:
        raise MessageRejected(Reason.BAD_TIME, f"{shown(moment.isoformat())} has no offset (say time.zone)")
    return in_zone(moment, zone, received_at)


def _zone(name: str) -> tzinfo:
    offset = _OFFSET.fullmatch(name)
    try:
        if offset is not None:
            span = timedelta(hours=int(offset["hours"]), minutes=int(offset["minutes"]))
            return timezone(-span if offset["sign"] == "-" else span)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationInvalid(
            f"{_WHERE}.zone: {name!r} (expected a name such as Africa/Lusaka, UTC, or an offset such as +02:00)"
        ) from error
