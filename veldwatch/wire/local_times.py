"""Times of devices that say their own wall clock, without an offset: a zone from the source's options, or arrival.

A device with a clock on its wall publishes at once, so where no zone is known the time of arrival is nearer to the
truth than any guess, and of the two readings of an hour that a clock change repeats, arrival tells which one is meant.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Quality
from veldwatch.wire.times import SLIGHTLY_AHEAD, checked, observed_or_arrival
from veldwatch.wire.values import shown

# Dots between the parts of a date: Tasmota before version 5.12.
_DOTTED = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})(?= )", re.ASCII)
_WALL_CLOCK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?", re.ASCII)


def read_zone(name: str) -> ZoneInfo | None:
    """Find a time zone by its name; empty: none.

    Raises:
        ConfigurationInvalid: there is no such zone.
    """
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationInvalid(f"bad time_zone: {name!r} (expected a name like Africa/Nairobi)") from error


def observed_locally(value: object, zone: ZoneInfo | None, received_at: datetime) -> tuple[datetime, int]:
    """Read a time that may lack its offset.

    Args:
        zone: of times without one; None: arrival stands for such a time.

    Raises:
        MessageRejected: unreadable, or more than a day ahead of arrival.
    """
    local = _wall_clock(value)
    if local is None:
        return observed_or_arrival(value, received_at)
    if zone is None or local.replace(tzinfo=UTC) < EARLIEST_OBSERVATION:
        return received_at, int(Quality.TIME_OF_ARRIVAL)
    return checked(in_zone(local, zone, received_at), received_at)


def utc_unless_said(value: object) -> object:
    """Give a time without an offset the offset of UTC, for formats that say that such a time is in UTC."""
    return f"{value}Z" if _WALL_CLOCK.fullmatch(str(value)) and isinstance(value, str) else value


def in_zone(local: datetime, zone: tzinfo, received_at: datetime) -> datetime:
    """Put a wall-clock time of a zone into UTC.

    Of the two that a repeated hour gives, the later is taken where it is neither ahead of arrival nor an hour old:
    whoever sends at once means it. What came later than that is taken as the earlier.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # A gap (spring) gives second < first.
    meant = -SLIGHTLY_AHEAD <= received_at - second < timedelta(hours=1)
    return second if first < second and meant else first


def _wall_clock(value: object) -> datetime | None:
    """Read text as a time without an offset; None: it is no such text."""
    if not isinstance(value, str):
        return None
    text = _DOTTED.sub(r"\1-\2-\3", value, count=1) if value[4:5] == "." else value
    if _WALL_CLOCK.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MessageRejected(Reason.BAD_TIME, f"{shown(value)}: {error}") from error
