"""When a subject has to be where it belongs: hours of the wall clock on days of the week."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.conditions.span import Instant
from veldwatch.model.conditions.movement import Geofence
from veldwatch.model.local_buckets import find_zone, from_instant, to_instant
from veldwatch.model.schedule import WEEKDAYS


class Window(NamedTuple):
    """From an instant to another one, which does not belong to it."""

    begin: Instant
    end: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTimes:
    """A stretch of the wall clock, on the days on which it begins.

    Attributes:
        until: not later than `since`: on the next day.
        days: Monday is 0.
    """

    since: time
    until: time
    days: frozenset[int]
    zone: ZoneInfo

    def window(self, at: Instant) -> Window | None:
        """Give the stretch that holds an instant; None: nothing is due then."""
        today = from_instant(at).astimezone(self.zone).date()
        for day in (today, today - timedelta(days=1)):
            if day.weekday() not in self.days:
                continue
            later = day if self.until > self.since else day + timedelta(days=1)
            window = Window(self._instant(day, self.since), self._instant(later, self.until))
            if window.begin <= at < window.end:
                return window
        return None

    def _instant(self, day: date, clock: time) -> Instant:
        return to_instant(datetime.combine(day, clock, self.zone).astimezone(UTC))


def due_times(geofence: Geofence) -> DueTimes:
    """Read the times of a definition."""
    assert geofence.due_from is not None  # noqa: S101  # `outside_when_due` has them
    assert geofence.due_to is not None  # noqa: S101
    days = geofence.due_days or WEEKDAYS
    return DueTimes(
        since=time.fromisoformat(geofence.due_from),
        until=time.fromisoformat(geofence.due_to),
        days=frozenset(WEEKDAYS.index(day) for day in days),
        zone=find_zone(geofence.time_zone),
    )
