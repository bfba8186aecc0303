"""When people are told of a rule's alerts: weekdays and local times. It says nothing of what is so.

Outside its hours an alert is recorded, and its message waits; when the hours begin, it is told if it still holds.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD = 9
"""Days: each hour of a week comes within these, whatever clocks are put forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Stretches of local time on some weekdays.

    Attributes:
        days: of `WEEKDAYS`; where a stretch goes on after midnight, the day on which it begins.
        begin: first moment.
        end: first moment that is no part of it; not after `begin`: on the next day.
    """

    days: tuple[str, ...]
    begin: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Hours in a time zone, any of them."""

    time_zone: str
    hours: tuple[Hours, ...]


def opens_at(schedule: Schedule, now: datetime) -> datetime | None:
    """Tell when people may be told next; None: now.

    Args:
        now: aware, UTC.

    Returns:
        Aware, UTC.
    """
    zone = ZoneInfo(schedule.time_zone)
    today = now.astimezone(zone).date()
    begins: list[datetime] = []
    for number in range(-1, _LOOK_AHEAD):
        day = today + timedelta(days=number)
        for hours in schedule.hours:
            if WEEKDAYS[day.weekday()] not in hours.days:
                continue
            last = day if hours.end > hours.begin else day + timedelta(days=1)
            begin = datetime.combine(day, hours.begin, zone).astimezone(UTC)
            end = datetime.combine(last, hours.end, zone).astimezone(UTC)
            if begin <= now < end:
                return None
            if begin > now:
                begins.append(begin)
    return min(begins)
