"""How long a back-test of a year of meters takes, on a real database, with rows and alerts reconciled.

The history is written by the server itself, as rows lie when all meters report in step. Now and then readings are
beyond the rule's limit, for an hour; how often is known by arithmetic. The clock runs over everything that a back-test
does: the register's picture, reading, folding, and bringing alerts together, in as many processes as there are cores.
"""

import os
import resource
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from benchmarks.machine import processor
from benchmarks.result import Result
from benchmarks.services import Database, database_only
from rules.backtest import run_backtests
from rules.backtests.spread import Spread
from rules.backtests.stretch import Stretch
from rules.postgres_store import PostgresStore
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.register import Device
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage import partitions, register
from veldwatch.storage.backtests import read_one_moment
from veldwatch.storage.connection import Connection, connect

_START = datetime(2025, 1, 1, tzinfo=UTC)
_WRITTEN_AT_ONCE = timedelta(days=7)
_LIMIT = 100.0
_STRIDE, _PERIOD = 7919, 20_011
"""Primes: a meter is beyond the limit in the hours h, counted from 1970, for which (id * stride + h) % period is 0."""
_FILL = b"""
INSERT INTO reading_raw (observed_at, series_id, delay_seconds, value)
SELECT t, s, 5,
       10 + (s * 31 + extract(epoch FROM t)::bigint / 60 * 17) %% 80
       + CASE WHEN (s::bigint * %s + extract(epoch FROM t)::bigint / 3600) %% %s = 0 THEN 200 ELSE 0 END
FROM generate_series(%s::timestamptz, %s::timestamptz - interval '1 second', %s::interval) AS t,
     unnest(%s::integer[]) AS s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult(Result):
    """What was measured, and where; the largest process is the largest of those that fold."""

    seconds: float
    readings_per_second: int
    readings: int
    readings_stored: int
    meters: int
    step_minutes: int
    days: int
    alerts: int
    alerts_expected: int
    processes: int
    largest_process_mb: int
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading was folded and every alert found."""
        return self.readings == self.readings_stored and self.alerts == self.alerts_expected


def measure_backtest(*, meters: int = 1000, step_minutes: int = 60, days: int = 365) -> BacktestResult:
    """Measure on a database of its own, in a folder that is gone afterwards; call it from the main thread."""
    with database_only() as running:
        return _measure(running, meters, timedelta(minutes=step_minutes), timedelta(days=days))


def _measure(running: Database, meters: int, step: timedelta, length: timedelta) -> BacktestResult:
    dsn = running.dsn
    with connect(dsn, autocommit=True) as connection:
        series = _register(connection, meters)
        _fill(connection, series, step, length)
        row = connection.execute(b"SELECT count(*) FROM reading_raw").fetchone()
    stretch = Stretch(since=_START, until=_START + length)
    rule = Rule(
        id="bench", title="Bench", severity=Severity.MINOR, condition=Threshold(metric="flow_rate", above=_LIMIT)
    )
    processes = os.cpu_count() or 1
    started = time.perf_counter()
    with connect(dsn) as connection:
        read_one_moment(connection)
        store = PostgresStore(connection=connection, until=stretch.until)
        spread = Spread(dsn=dsn, connection=connection, rules=(rule,), processes=processes)
        (report,) = run_backtests(store, [rule], stretch, fold=spread)
    seconds = time.perf_counter() - started
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return BacktestResult(
        seconds=round(seconds, 2),
        readings_per_second=round(report.observations / seconds),
        readings=report.observations,
        readings_stored=0 if row is None else row[0],
        meters=meters,
        step_minutes=step // timedelta(minutes=1),
        days=length.days,
        alerts=len(report.findings),
        alerts_expected=_expected(series, length),
        processes=processes,
        largest_process_mb=largest // 1024,
        database=running.name,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


def _register(connection: Connection, meters: int) -> list[int]:
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "bench")
        devices = [
            register.ensure_device(
                connection, Device(organisation_id=organisation, external_id=f"m{number}", source="bench")
            )
            for number in range(meters)
        ]
        known = register.ensure_series(connection, [(device, "flow_rate", "L/h") for device in devices])
    return [known[(device, "flow_rate")].series_id for device in devices]


def _fill(connection: Connection, series: list[int], step: timedelta, length: timedelta) -> None:
    partitions.ensure(connection, "reading_raw", _START, _START + length)
    begin = _START
    while begin < _START + length:
        end = min(begin + _WRITTEN_AT_ONCE, _START + length)
        connection.execute(_FILL, (_STRIDE, _PERIOD, begin, end, step, series))
        begin = end
    connection.execute(b"ANALYZE reading_raw")


def _expected(series: list[int], length: timedelta) -> int:
    first = int(_START.timestamp()) // 3600
    hours = length // timedelta(hours=1)
    # Of an interval, how many numbers have a given remainder.
    return sum(
        (first + hours - 1 + one * _STRIDE) // _PERIOD - (first - 1 + one * _STRIDE) // _PERIOD for one in series
    )
