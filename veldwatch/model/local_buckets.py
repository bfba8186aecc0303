"""Hours, days and months of a time zone, as instants.

A day has 23, 24 or 25 hours, and an hour that a clock change repeats is two buckets.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_NO_PLACES = {"localtime", "posixrules", "Factory"}
_NO_REGIONS = ("right/", "posix/")
"""Files beside the zones: the machine's own time, rules for others, zones with leap seconds, the same zones once more.
The database does not know them."""


class Interval(StrEnum):
    """How long a bucket is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its name.

    Raises:
        ValueError: there is none of that name.
    """
    try:
        zone = ZoneInfo("" if name in _NO_PLACES or name.startswith(_NO_REGIONS) else name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"bad time zone: {name!r} (expected a name like Africa/Nairobi)") from error
    return zone


def to_instant(at: datetime) -> int:
    """Count the microseconds since 1970; exact, which a float of seconds is not."""
    return (at - _EPOCH) // _MICROSECOND


def from_instant(instant: int) -> datetime:
    """Give the UTC time of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def bucket_start(at: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    """Give when the bucket that holds a time begins, in UTC."""
    local = at.astimezone(zone)
    if interval is Interval.HOUR:
        # Back by the minutes of the wall clock, not to a wall-clock time, which may exist twice.
        return at.astimezone(UTC) - timedelta(
            minutes=local.minute, seconds=local.second, microseconds=local.microsecond
        )
    midnight = datetime(local.year, local.month, local.day if interval is Interval.DAY else 1, tzinfo=zone)
    return midnight.astimezone(UTC)


def edges(since: datetime, until: datetime, interval: Interval, zone: ZoneInfo) -> list[datetime]:
    """List where buckets begin from the one that holds `since` on, and where the last before `until` ends, in UTC."""
    found = [bucket_start(since, interval, zone)]
    while found[-1] < until:
        found.append(_next(found[-1], interval, zone))
    return found


def _next(start: datetime, interval: Interval, zone: ZoneInfo) -> datetime:
    if interval is Interval.HOUR:
        following = bucket_start(start + _HOUR, interval, zone)
        # A clock that moves by half an hour (Lord Howe Island) makes an hour of 30 or 90 minutes.
        return following if following > start else following + _HOUR
    local = start.astimezone(zone)
    if interval is Interval.DAY:
        day = local.date() + timedelta(days=1)
    else:
        day = (local.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    # A zone that skips a whole day (Samoa, 2011) has no such midnight: the instant is that of the day after.
    return max(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC), start + _HOUR)
