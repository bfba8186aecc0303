"""Upkeep of the database: rollups, partitions made ahead, the log's end, and retention where it is asked for.

`run` is the program `veldwatch maintain`. More than one at a time do no harm: each chore is idempotent and
takes its turn by a lock.
"""

import random
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from veldwatch.config import Settings, patience_of
from veldwatch.errors import StorageUnavailable
from veldwatch.storage import partitions
from veldwatch.storage.calendars import spread_calendars
from veldwatch.storage.connection import Connection, connect, translated_errors
from veldwatch.storage.consumption_rollups import DAYS as CONSUMPTION_DAYS
from veldwatch.storage.consumption_rollups import TABLE as CONSUMPTION
from veldwatch.storage.consumption_rollups import judge_new
from veldwatch.storage.editions import Edition
from veldwatch.storage.migrate import check_schema
from veldwatch.storage.queries import load_queries
from veldwatch.storage.retention_sweep import Swept, sweep
from veldwatch.storage.rollups import roll_up
from veldwatch.storage.schema_hold import SchemaHold
from veldwatch.storage.tenants import end_slow_readers

LOG_KEPT = timedelta(hours=6)
"""A consumer that was away this long finds the log as it left it, whatever the others read."""

TELEMETRY = ("reading_raw", "position_raw", "event_raw", "contact")
_ROLLUPS = ("reading_hourly_rollup", "reading_daily_rollup")
_AHEAD = timedelta(days=45)  # always the next month, and the one after from the middle of a month on
_BATCHES_AT_ONCE = 2000
_CHORES_SECONDS = 60.0
_PAUSE_SECONDS = 1.0
_SWEEP_SECONDS = 600.0
_CONSUMPTION_SECONDS = 5.0  # one judgement for all that a register said meanwhile
_QUERIES = load_queries("maintenance")
_DROP_SETTLED = load_queries("quarantine")["drop_settled"]
_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceReport:
    """What one round did.

    Attributes:
        hours: hourly buckets renewed.
        consumption_hours: hours of registers judged.
        batches_dropped: from the log.
        swept: what retention dropped.
    """

    hours: int
    consumption_hours: int
    batches_dropped: int
    swept: Swept


def run_once(connection: Connection, now: datetime, *, retention_days: int | None = None) -> MaintenanceReport:
    """Do every chore once, to the end; each commits by itself.

    Args:
        retention_days: raw telemetry of which no policy says anything is dropped when it is older; None: it is not.
    """
    edition = check_schema(connection).edition
    connection.commit()
    make_partitions(connection, edition, now)
    return MaintenanceReport(
        hours=roll_up_all(connection),
        consumption_hours=judge_all(connection),
        batches_dropped=drop_batches(connection, now - LOG_KEPT),
        swept=sweep(connection, now, retention_days),
    )


def roll_up_all(connection: Connection) -> int:
    """Roll up all that is to be rolled up, and count the hours."""
    hours = 0
    while True:
        done = partitions.with_partitions(connection, lambda: roll_up(connection))
        hours += done.hours
        if not done.more:
            return hours


def judge_all(connection: Connection) -> int:
    """Judge all registers that are to be judged, and count the hours."""
    hours = 0
    while True:
        done = partitions.with_partitions(connection, lambda: judge_new(connection))
        hours += done.hours
        if not done.more:
            return hours


def make_partitions(connection: Connection, edition: Edition, now: datetime) -> None:
    """Make the partitions of this month and the next, so that a month begins without waiting."""
    if edition is Edition.PLAIN:
        for table in (*TELEMETRY, *_ROLLUPS, CONSUMPTION, CONSUMPTION_DAYS):
            partitions.ensure(connection, table, now, now + _AHEAD)


def drop_batches(connection: Connection, before: datetime) -> int:
    """Drop the log's batches older than a time that every registered consumer has passed, and count them."""
    dropped = 0
    while True:
        with translated_errors(), connection.transaction():
            cursor = connection.execute(_QUERIES["drop_batches"], {"before": before, "limit": _BATCHES_AT_ONCE})
            count = cursor.rowcount
        dropped += count
        if count < _BATCHES_AT_ONCE:
            return dropped


def drop_settled(connection: Connection, before: datetime) -> int:
    """Drop the quarantined messages that were replayed or discarded before a time, and count them; the tally stays."""
    dropped = 0
    while True:
        with translated_errors(), connection.transaction():
            row = connection.execute(_DROP_SETTLED, {"before": before, "limit": _BATCHES_AT_ONCE}).fetchone()
        count = 0 if row is None else row[0]
        dropped += count
        if count < _BATCHES_AT_ONCE:
            return dropped


def run(settings: Settings, stop: threading.Event) -> None:
    """Keep the database up until told to stop; a database that is away is waited for.

    Raises:
        SchemaMismatch: the database wants another version of this program.
    """
    failures = 0
    while not stop.is_set():
        try:
            with connect(settings.dsn, application="veldwatch-maintain") as connection:
                failures = 0
                _keep_up(connection, settings, stop)
        except StorageUnavailable as error:
            failures += 1
            # Back-off with jitter, so that programs that lost the server together do not come back together.
            pause = random.uniform(0.5, 1.0) * min(30.0, 0.5 * 2**failures)  # noqa: S311  # no secret depends on it
            _log.warning("database away", error=str(error), retry_in_seconds=round(pause, 1))
            stop.wait(pause)


def _keep_up(connection: Connection, settings: Settings, stop: threading.Event) -> None:
    edition = check_schema(connection).edition
    connection.commit()
    chores_due = consumption_due = sweep_due = 0.0
    hold = SchemaHold(connection)
    while not stop.is_set():
        began = time.monotonic()
        with connection.transaction():
            hold.take(connection)
        if began >= chores_due:
            _do_chores(connection, edition)
            drop_settled(connection, datetime.now(UTC) - timedelta(days=settings.quarantine_days))
            spread_calendars(connection, UTC, datetime.now(UTC), patience_of(settings))
            connection.commit()
            chores_due = began + _CHORES_SECONDS
        more = partitions.with_partitions(connection, lambda: roll_up(connection)).more
        # A sweep waits for what is not judged yet.
        if began >= min(consumption_due, sweep_due):
            behind = partitions.with_partitions(connection, lambda: judge_new(connection)).more
            more |= behind
            consumption_due = began if behind else began + _CONSUMPTION_SECONDS
        if not more and began >= sweep_due:
            _sweep(connection, settings.retention_days)
            sweep_due = began + _SWEEP_SECONDS
        # Half of one connection's time at most while behind, a fifth otherwise: intake goes first.
        spent = time.monotonic() - began
        stop.wait(spent if more else max(_PAUSE_SECONDS, 4 * spent))


def _do_chores(connection: Connection, edition: Edition) -> None:
    now = datetime.now(UTC)
    make_partitions(connection, edition, now)
    dropped = drop_batches(connection, now - LOG_KEPT)
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["drop_register_changes"])
        ended = end_slow_readers(connection)
    if ended:
        _log.warning("transactions of tenants ended: open too long", roles=ended)
    if dropped:
        _log.info("log shortened", batches=dropped)


def _sweep(connection: Connection, retention_days: int | None) -> None:
    done = sweep(connection, datetime.now(UTC), retention_days)
    if done != Swept():
        _log.info("old data dropped", parts=done.parts, rows=done.rows, postponed=done.postponed)
