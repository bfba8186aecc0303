"""When a device says that something happened: read, put into UTC, and held against the time of arrival."""

import re
from datetime import UTC, datetime, timedelta

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Quality
from veldwatch.wire.values import is_numeric_text, shown

FURTHEST_AHEAD = timedelta(hours=24)
"""A device that is wrong by its whole time zone is within; past it the clock is not a clock."""

SLIGHTLY_AHEAD = timedelta(minutes=1)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds since 1970 reach this number in the year 5138, milliseconds reached it in 1973; so on for each finer unit.
FIRST_MILLISECONDS = 1e11
FIRST_MICROSECONDS = 1e14
FIRST_NANOSECONDS = 1e17
_LAST_NANOSECONDS = 1e20
_GOOD = int(Quality.GOOD)
_AHEAD = int(Quality.CLOCK_AHEAD)
_ARRIVAL = int(Quality.TIME_OF_ARRIVAL)
# ISO 8601 with a date, a time and an offset; extended or basic form; a blank for the T (RFC 3339, 5.6).
_ISO = re.compile(
    r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ][0-9:]{4,8}(?:[.,][0-9]{1,18})?(?:[Zz]|[+-][0-9]{2}:?(?:[0-9]{2})?)", re.ASCII
)


def observed(value: object, received_at: datetime) -> tuple[datetime, int]:
    """Read a time of observation.

    Args:
        value: ISO 8601 text with an offset, or a number since 1970 (seconds, milliseconds or finer), kept to
            microseconds.

    Returns:
        The time in UTC, and the quality that it gives to what was observed then.

    Raises:
        MessageRejected: missing, unreadable, before 1980, or more than a day ahead of arrival.
    """
    if isinstance(value, str) and value.endswith("Z") and value[10:11] == "T":
        # The usual form and time, at a third of the price of the way below.
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = EARLIEST_OBSERVATION
        if EARLIEST_OBSERVATION < moment <= received_at and value[5:6] != "W":
            return moment, _GOOD
    if value is None:
        raise MessageRejected(Reason.MISSING_TIME, "no time of observation")
    return checked(read_time(value), received_at)


def observed_or_arrival(value: object, received_at: datetime) -> tuple[datetime, int]:
    """Read the time of something that is published at once, so that arrival can stand for a time that was never set.

    Never set are: none at all, empty text, Go's zero time (`0001-01-01`), and a clock that runs since 1970.

    Raises:
        MessageRejected: unreadable, or more than a day ahead of arrival.
    """
    if value is None or value == "":
        return received_at, _ARRIVAL
    moment = None if isinstance(value, str) and value.startswith("0001-01-01") else read_time(value)
    if moment is None or moment < EARLIEST_OBSERVATION:
        return received_at, _ARRIVAL
    return checked(moment, received_at)


def checked(moment: datetime, received_at: datetime) -> tuple[datetime, int]:
    """Hold a time against the epoch of GPS and the time of arrival."""
    if moment <= received_at and moment >= EARLIEST_OBSERVATION:
        return moment, _GOOD
    if moment < EARLIEST_OBSERVATION:
        raise MessageRejected(Reason.BAD_TIME, f"{moment.isoformat()} is before 1980-01-06: a clock that was never set")
    if moment - received_at > FURTHEST_AHEAD:
        raise MessageRejected(Reason.FUTURE_TIME, f"{moment.isoformat()} is {moment - received_at} ahead of arrival")
    return moment, _AHEAD if moment - received_at > SLIGHTLY_AHEAD else _GOOD


def read_time(value: object) -> datetime:
    """Read ISO text or a number since 1970 into UTC, without judging it."""
    if isinstance(value, str):
        return read_epoch(_numeric(value)) if is_numeric_text(value) else _read_iso(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is not a time (expected ISO 8601 text or a number)")
    return read_epoch(value)


def read_epoch(value: float) -> datetime:
    """Read seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size."""
    if not abs(value) < _LAST_NANOSECONDS:  # true of NaN too, and of integers that no double holds
        raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is no time since 1970 in any unit from s to ns")
    try:
        return _EPOCH + timedelta(microseconds=_microseconds(value))
    except OverflowError as error:  # before the year 1: the calendar begins there
        raise MessageRejected(Reason.BAD_TIME, f"{shown(value)} is before the year 1") from error


def _microseconds(value: float) -> int:
    if abs(value) < FIRST_MILLISECONDS:
        return round(value * 1e6)
    if abs(value) < FIRST_MICROSECONDS:
        return round(value * 1e3)
    # What is an integer stays one: a double holds nanoseconds of today to a quarter of a microsecond only.
    return round(value) if abs(value) < FIRST_NANOSECONDS else int(value) // 1000


def _numeric(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def _read_iso(text: str) -> datetime:
    if len(text) > 64 or _ISO.fullmatch(text) is None:
        raise MessageRejected(
            Reason.BAD_TIME, f"{shown(text)} is not ISO 8601 with an offset (expected like 2026-11-22T10:00:00Z)"
        )
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MessageRejected(Reason.BAD_TIME, f"{shown(text)}: {error}") from error
