"""What is wrong with an installation, found by asking it: server, schema, clock, partitions, log, outbox, broker, disk.

Each finding says what was seen and, unless all is well, what to do. Nothing is changed.
"""

import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from veldwatch.config import Settings
from veldwatch.errors import SchemaMismatch, StorageError
from veldwatch.storage import consumption_rollups, rollups
from veldwatch.storage.connection import Connection, connect, translated_errors
from veldwatch.storage.editions import Edition, Server
from veldwatch.storage.maintenance import LOG_KEPT, TELEMETRY
from veldwatch.storage.migrate import check_schema
from veldwatch.storage.queries import load_queries
from veldwatch.storage.storage_status import is_unwell, tell_storage
from veldwatch.storage.tenants import (
    NOTIFICATIONS_PILE_UP,
    find_careless_views,
    find_excess,
    find_open_doors,
    find_slow_readers,
)
from veldwatch.storage.workers import list_workers

_CLOCK_TOLERANCE = timedelta(seconds=2)
_LAG_TOLERANCE = timedelta(minutes=1)
_OUTBOX_TOLERANCE = timedelta(minutes=5)
_READER_TOLERANCE = timedelta(minutes=5)  # a panel has 15 s, unless somebody SET it otherwise
_LEAST_FREE_BYTES = 2 * 2**30  # twice the embedded server's max_wal_size
_QUERIES = load_queries("maintenance")


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and will stop to if nobody looks."""
    ERROR = "error"
    """It does not work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at, in a word or two.
        sentence: what was seen, and what to do unless all is well.
    """

    subject: str
    level: Level
    sentence: str


def examine(settings: Settings, now: datetime) -> list[Finding]:
    """Look at everything, in the order in which things depend on each other; a server that is away is a finding."""
    return [*_examine_database(settings, now), _examine_broker(settings), _examine_disk(settings)]


def _examine_database(settings: Settings, now: datetime) -> Iterator[Finding]:
    if not settings.dsn:
        yield _warning(
            "database", "no address is set (set VELDWATCH_DSN, or start the embedded server by `veldwatch up`)"
        )
        return
    try:
        with connect(settings.dsn, autocommit=True, application="veldwatch-doctor") as connection:
            yield _examine_clock(connection, now)
            try:
                server = check_schema(connection)
            except SchemaMismatch as error:
                yield _error("schema", str(error))
                return
            yield from _examine_schema(connection, server, now)
    except StorageError as error:
        yield _error("database", f"{error} (is the server running, and VELDWATCH_DSN right?)")


def _examine_clock(connection: Connection, now: datetime) -> Finding:
    [[told]] = _rows(connection, "server_time")
    difference = told - now
    seconds = difference / timedelta(seconds=1)
    if abs(difference) > _CLOCK_TOLERANCE:
        return _warning("clock", f"the database's clock differs by {seconds:+.1f} s (synchronise both machines by NTP)")
    return _ok("clock", f"the database's clock differs by {seconds:+.1f} s")


def _examine_schema(connection: Connection, server: Server, now: datetime) -> Iterator[Finding]:
    yield _ok("database", str(server))
    yield _ok("schema", "every migration is applied")
    if server.edition is Edition.PLAIN:
        yield _examine_partitions(connection, now)
    yield from _examine_log(connection, now)
    yield from _examine_workers(connection)
    yield _examine_outbox(connection, now)
    yield _examine_upkeep(connection)
    yield _examine_notifications(connection)
    yield from _examine_tenants(connection)


def _examine_partitions(connection: Connection, now: datetime) -> Finding:
    ahead = now + timedelta(days=7)
    missing = [
        table for table in TELEMETRY if _rows(connection, "has_partition", {"table": table, "at": ahead}) != [(True,)]
    ]
    if missing:
        return _warning("partitions", f"{missing} have none for {ahead:%Y-%m} yet (is `veldwatch maintain` running?)")
    return _ok("partitions", f"every table is ready for {ahead:%Y-%m}")


def _examine_log(connection: Connection, now: datetime) -> Iterator[Finding]:
    consumers = _rows(connection, "consumers")
    if not consumers:
        yield _ok("log", "no consumer has begun to read it")
    for consumer, waiting, oldest in consumers:
        lag = timedelta(0) if oldest is None else now - oldest
        seen = f"{waiting} batches not read, the oldest {_duration(lag)} old"
        if lag > LOG_KEPT:
            yield _error(f"log: {consumer}", f"{seen} ({_remedy(consumer)}: the log cannot end)")
        elif lag > _LAG_TOLERANCE:
            yield _warning(f"log: {consumer}", f"{seen} (is it running?)")
        else:
            yield _ok(f"log: {consumer}", seen)


def _remedy(consumer: str) -> str:
    if consumer in (rollups.CONSUMER, consumption_rollups.CONSUMER):
        # What it has not read is in no figure yet, so it is not to be given up.
        return "start `veldwatch maintain`"
    return "start it, or delete its row in log_cursor"


def _examine_workers(connection: Connection) -> Iterator[Finding]:
    for worker in list_workers(connection):
        name = f"rules: place {worker.place}"
        if worker.taken:
            yield _ok(name, "a program carries it out")
        elif worker.place.division == 1 and not worker.batches:
            yield _ok(name, "nobody carries it out, and nothing waits")
        else:
            yield _warning(name, "nobody carries it out (start `veldwatch rules run` once for each place)")


def _examine_outbox(connection: Connection, now: datetime) -> Finding:
    [(count, due)] = _rows(connection, "outbox_backlog")
    late = timedelta(0) if due is None else now - due
    if late > _OUTBOX_TOLERANCE:
        return _warning(
            "outbox",
            f"{count} messages wait, the oldest due {_duration(late)} ago (is `veldwatch notify run` running?)",
        )
    return _ok("outbox", f"{count} messages wait")


def _examine_upkeep(connection: Connection) -> Finding:
    """Look at the server's own jobs; those of the maintenance program are consumers of the log."""
    jobs = [job for job in tell_storage(connection).upkeep if job.is_failing is not None]
    unwell = [job.work for job in jobs if is_unwell(job)]
    if unwell:
        return _warning("upkeep", f"failing or late: {', '.join(unwell)} (see `veldwatch storage status`)")
    return _ok("upkeep", f"{len(jobs)} jobs of the server's own, all well")


def _examine_notifications(connection: Connection) -> Finding:
    [(usage, keeper)] = _rows(connection, "notifications")
    if usage > NOTIFICATIONS_PILE_UP:
        return _warning(
            "notifications",
            f"{usage:.0%} of the room for NOTIFY is taken: a session that listens has been in a transaction since"
            f" {keeper or 'a time that this account cannot see'} (end it: when the room is full, nothing is stored)",
        )
    return _ok("notifications", f"{usage:.0%} of the room for NOTIFY is taken")


def _examine_tenants(connection: Connection) -> Iterator[Finding]:
    """Look at the roles that tenants' Grafana reads with: missing ones, and what they could do beyond reading."""
    roles = find_excess(connection)
    missing = [role.role for role in roles if role.is_missing]
    excess = [f"{role.role}: {', '.join(role.privileges)}" for role in roles if role.privileges]
    careless = find_careless_views(connection) if roles else []
    opened = find_open_doors(connection) if roles else []
    slow = find_slow_readers(connection, _READER_TOLERANCE)
    if excess:
        yield _error(
            "tenants: rights", f"roles with more than views ({'; '.join(excess)}): revoke it, tenants could see others"
        )
    if careless:
        yield _error(
            "tenants: views", f"{careless} show everybody's rows to every tenant (move them to another schema)"
        )
    if missing:
        yield _warning("tenants: roles", f"{missing} do not exist (run `veldwatch dashboards provision --all`)")
    if opened:
        yield _warning(
            "tenants: doors",
            f"{len(opened)} things are open to every role, such as {opened[0]} (run `veldwatch dashboards provision"
            " --all` as a superuser; docs/how-to/dashboards-for-tenants.md)",
        )
    if slow:
        yield _warning(
            "tenants: transactions", f"transactions of {slow} are long open and may hold up the log (end them)"
        )
    if not (excess or careless or missing or opened or slow):
        yield _ok("tenants", f"{len(roles)} roles, each with its own rows only")


def _examine_broker(settings: Settings) -> Finding:
    address = f"{settings.mqtt_host}:{settings.mqtt_port}"
    if not settings.mqtt_port:
        return _ok("broker", "embedded, on a free port that `veldwatch up` chooses")
    try:
        with socket.create_connection((settings.mqtt_host, settings.mqtt_port), timeout=3):
            return _ok("broker", f"{address} answers")
    except OSError as error:
        return _error("broker", f"{address}: {error} (is it running, and VELDWATCH_MQTT_HOST and _PORT right?)")


def _examine_disk(settings: Settings) -> Finding:
    folder = settings.home.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    seen = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < _LEAST_FREE_BYTES:
        return _warning("disk", f"{seen} (expected {_LEAST_FREE_BYTES / 2**30:.0f} at least: make room)")
    return _ok("disk", seen)


def _rows(connection: Connection, query: str, values: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchall()


def _duration(length: timedelta) -> str:
    return str(timedelta(seconds=round(length / timedelta(seconds=1))))


def _ok(subject: str, sentence: str) -> Finding:
    return Finding(subject=subject, level=Level.OK, sentence=sentence)


def _warning(subject: str, sentence: str) -> Finding:
    return Finding(subject=subject, level=Level.WARNING, sentence=sentence)


def _error(subject: str, sentence: str) -> Finding:
    return Finding(subject=subject, level=Level.ERROR, sentence=sentence)
