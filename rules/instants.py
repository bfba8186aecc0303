"""Times inside folds: whole microseconds since 1970-01-01 UTC, as in the log.

Integers are exact, compare in a fraction of a datetime's time and go into JSON as they are. They become datetimes at
the edge of the pure core.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_instant(time: datetime) -> int:
    """Count the microseconds since 1970; exact, which a float of seconds is not."""
    return (time - _EPOCH) // _MICROSECOND


def to_datetime(instant: int) -> datetime:
    """Give the aware time in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def to_span(duration: timedelta) -> int:
    """Count the microseconds of a duration."""
    return duration // _MICROSECOND
