"""How long the rules engine takes to be live again after a restart, with many series and rules, on a real database.

An engine folds some readings of every series and saves its folds; perhaps it folds more that it does not save, and is
killed; then one more reading of each comes while nobody runs. The clock runs from the start of a new engine until it
has read the log to its end: rules, the register's picture, matching them, loading folds, reading the log again from
what was saved, and catching up with what came meanwhile.
"""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.machine import processor
from benchmarks.result import Result
from benchmarks.services import Database, database_only
from rules.engine import EngineSettings
from rules.rounds import Rounds
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Selector, Severity
from veldwatch.storage import log, register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import READINGS, LogBatch
from veldwatch.storage.rules import save_rule

_START = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = _START + timedelta(hours=2)
_BATCH = 15_000
_DEVICES = b"""
INSERT INTO device (organisation_id, external_id, name, source, tags)
SELECT %s, 'm' || n, 'm' || n, 'bench', ARRAY['group-' || n %% %s] FROM generate_series(1, %s) AS n
"""
_SERIES = b"INSERT INTO series (device_id, metric, unit) SELECT id, 'volume', 'm3' FROM device ORDER BY id RETURNING id"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartResult(Result):
    """What was measured, and where.

    Attributes:
        unsaved: readings of each series that the killed engine had folded and not saved.
        matched_seconds: until rules are matched with the register.
        seconds: until the log is read to its end.
        refresh_seconds: of a later look at rules and register, in which nothing has changed.
    """

    seconds: float
    matched_seconds: float
    refresh_seconds: float
    series: int
    rules: int
    unsaved: int
    folds: int
    folds_expected: int
    alerts: int
    alerts_expected: int
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every fold is there, and every alert of what came while nobody ran."""
        return (self.folds, self.alerts) == (self.folds_expected, self.alerts_expected)


def measure_restart(*, series: int = 100_000, rules: int = 1000, unsaved: int = 0) -> RestartResult:
    """Measure on a database of its own, in a folder that is gone afterwards; call it from the main thread."""
    with database_only() as running:
        return _measure(running, series, rules, unsaved)


def _measure(running: Database, series: int, rules: int, unsaved: int) -> RestartResult:
    dsn = running.dsn
    with connect(dsn, autocommit=True) as connection:
        ids = _register(connection, series, rules)
    writer = IntakeWriter(dsn)
    with connect(dsn, autocommit=True) as connection:
        engine = Rounds(connection, EngineSettings())
        engine.settle(_NOW)
        for minute in range(2):
            _write(writer, ids, minute, 1.0)
        engine.settle(_NOW)
        engine.flush(_NOW, everything=True)
        for minute in range(2, 2 + unsaved):
            _write(writer, ids, minute, 1.0)
        engine.settle(_NOW)
    expected = _write(writer, ids, 2 + unsaved, 9.0)
    with connect(dsn, autocommit=True) as connection:
        started = time.perf_counter()
        engine = Rounds(connection, EngineSettings())
        engine.refresh(_NOW)
        matched = time.perf_counter() - started
        while engine.read_log(_NOW)[0]:
            pass
        seconds = time.perf_counter() - started
        begun = time.perf_counter()
        engine.refresh(_NOW)
        refreshed = time.perf_counter() - begun
        folds, alerts = (
            connection.execute(query).fetchone() or (0,)
            for query in (b"SELECT count(*) FROM fold", b"SELECT count(*) FROM alert WHERE fired_at IS NOT NULL")
        )
    writer.close()
    return RestartResult(
        seconds=round(seconds, 2),
        matched_seconds=round(matched, 2),
        refresh_seconds=round(refreshed, 2),
        series=series,
        rules=rules,
        unsaved=unsaved,
        folds=folds[0],
        folds_expected=series,
        alerts=alerts[0],
        alerts_expected=expected,
        database=running.name,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


def _register(connection: Connection, series: int, rules: int) -> list[int]:
    """Make devices in as many groups as rules, a series each, and a rule for each group."""
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "bench")
        connection.execute(_DEVICES, (organisation, rules, series))
        ids = sorted(row[0] for row in connection.execute(_SERIES))
        for number in range(rules):
            condition = Threshold(metric="volume", above=5.0)
            select = Selector(organisation="bench", tags=(f"group-{number}",))
            rule = Rule(
                id=f"bench.{number}", title="Bench", severity=Severity.MINOR, condition=condition, select=select
            )
            save_rule(connection, rule, "bench")
    connection.execute(b"ANALYZE device, series")
    return ids


def _write(writer: IntakeWriter, ids: list[int], minute: int, most: float) -> int:
    """Store and log a reading of each series, one in a hundred of them at `most`; give how many go beyond the limit."""
    rows = np.zeros(len(ids), READINGS)
    rows["series_id"] = ids
    rows["observed_at"] = int((_START + timedelta(minutes=minute)).timestamp()) * 1_000_000
    rows["received_at"] = rows["observed_at"]
    rows["value"] = np.where(np.arange(len(ids)) % 100 == 0, most, 1.0)
    writer.make_room("reading_raw", rows["observed_at"])
    for begin in range(0, len(rows), _BATCH):
        with writer.connection.transaction():
            stored = writer.store_readings(rows[begin : begin + _BATCH])
            log.append(writer.connection, LogBatch(readings=rows[begin : begin + _BATCH][stored.new]))
    return int((rows["value"] > 5).sum())
