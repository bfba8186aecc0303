"""Back up once a day until told to stop, and tell how old the newest backup is.

The first one is made at once where there is none of the last day: a new installation has something to go back to, and a
machine that was off at the hour makes up for it. One that failed is tried again every quarter of an hour.

A backup of the future, made when the clock was ahead, puts nothing off: it counts as none, and is said until it is
deleted.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import structlog
from prometheus_client import Counter, Gauge

from launch import backups
from launch.backups import AHEAD
from veldwatch.errors import ConfigurationInvalid, VeldwatchError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OVERDUE = timedelta(hours=26)
"""A day, and what a large database may take to be written."""

_DAY = timedelta(days=1)
_AGAIN = timedelta(minutes=15)

_newest = Gauge("veldwatch_backup_newest_timestamp_seconds", "when the newest backup was begun; 0: there is none")
_ahead = Gauge("veldwatch_backup_future_files", "backups of the future, made when a clock was ahead")
_size = Gauge("veldwatch_backup_newest_bytes", "size of the newest backup")
_failures = Counter("veldwatch_backup_failures", "backups that could not be made")


def parse_time(text: str) -> time:
    """Read a time of the day, UTC.

    Raises:
        ConfigurationInvalid: it is none.
    """
    try:
        found = datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad --daily: {text!r} (expected a time of the day, UTC, as 01:30)") from error
    return found.time()


def due(newest: datetime | None, failed: datetime | None, at: time, now: datetime) -> datetime:
    """Tell when the next backup is to be begun; not after `now`: at once.

    Args:
        newest: when the newest one was begun; None: there is none.
        failed: when the last attempt was begun, if it failed.
    """
    if failed is not None:
        return failed + _AGAIN if failed <= now + AHEAD else now
    if newest is None or newest > now + AHEAD or now - newest >= _DAY:
        return now
    today = datetime.combine(newest.date(), at, tzinfo=UTC)
    return today if today > newest else today + _DAY


@dataclass(slots=True, kw_only=True)
class DailyBackup:
    """Makes backups in a folder.

    Attributes:
        keep: so many of the newest stay; 0: all.
        clock: gives the time, UTC.
    """

    dsn: str
    folder: Path
    keep: int
    at: time
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _failed: datetime | None = field(default=None, init=False)
    _began: datetime | None = field(default=None, init=False)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        self._began = self.clock()
        backups.drop_parts(self.folder)
        while not stop.is_set():
            now = self.clock()
            wait = (due(self._tell(now), self._failed, self.at, now) - now).total_seconds()
            if wait <= 0:
                self.make_one()
            else:
                # The clock may be set meanwhile; a suspended machine wakes up late.
                stop.wait(min(wait, 60))

    def make_one(self) -> None:
        """Make a backup now; one that fails is counted, and leaves those before it."""
        now = self.clock()
        try:
            path = backups.back_up(self.dsn, self.folder, now)
            dropped = backups.drop_old(self.folder, self.keep, now) if self.keep else ()
        except (VeldwatchError, OSError) as error:
            self._failed = now
            _failures.inc()
            _log.error("no backup was made", reason=str(error), folder=str(self.folder))
            return
        self._failed = None
        if ahead := backups.of_the_future(self.folder, now):
            _log.warning("backups of the future: look at the clock, delete them", files=[path.name for path in ahead])
        _log.info("backed up", file=path.name, bytes=path.stat().st_size, dropped=[old.name for old in dropped])

    def is_well(self) -> bool:
        """Tell whether the last attempt succeeded, the newest backup is not overdue and none is of the future."""
        now = self.clock()
        if self._failed is not None or backups.of_the_future(self.folder, now):
            return False
        if self._began is not None and self._began > now + AHEAD:
            self._began = now  # the clock was ahead when we began
        since = max(filter(None, (self._tell(now), self._began)), default=now)
        return now - since < OVERDUE

    def _tell(self, now: datetime) -> datetime | None:
        found = backups.newest(self.folder, now)
        _newest.set(0 if found is None else found.begun_at.timestamp())
        _size.set(0 if found is None else found.size_bytes)
        _ahead.set(len(backups.of_the_future(self.folder, now)))
        return None if found is None else found.begun_at
