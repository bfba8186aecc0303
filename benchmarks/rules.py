"""Readings per second that the rules engine takes from the log, with many rules, on a real database.

Readings are stored and logged first, as intake does; then the engine reads the log to its end. The clock runs over
that, and so over decoding the log, folding, and committing alerts, folds and the cursor. Rules: seven tenths
thresholds, two tenths continuous flow, a tenth geofences that match nothing; each is for the devices of one of as many
groups, and a device may be in several. The alerts that come of it are counted against those that the readings were made
to hold.
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
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Selector, Severity
from veldwatch.storage import log, register
from veldwatch.storage.arrays import Array
from veldwatch.storage.connection import connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import READINGS, LogBatch
from veldwatch.storage.rules import save_rule

_AREA = '{"coordinates":[[[0.0,0.0],[0.1,0.0],[0.1,0.1],[0.0,0.0]]],"type":"Polygon"}'
_START = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_STEP_SECONDS = 60
_BATCH = 15_000
"""Readings of 5,000 messages of three: what intake commits at once under load."""
_LIMIT = 100.0
_DEVICE = b"INSERT INTO device (organisation_id, external_id, name, source, tags) VALUES (%s, %s, '', 'bench', %s)"
_SERIES = b"INSERT INTO series (device_id, metric, unit) SELECT id, 'volume', 'm3' FROM device ORDER BY id RETURNING id"
_ONE_IN = 20_000
"""Readings between two that go beyond the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesResult(Result):
    """What was measured, and where.

    Attributes:
        matches: rules that each series (or its device) matches.
        evaluations: readings times the rules that fold them.
        beyond: share of the readings that go beyond a limit.
        saving_seconds: of `seconds`, for saving every fold, which a live engine does every ten minutes.
        limit_per_second: readings that NumPy compares with a limit of their series, in batches as large, doing nothing
            else.
    """

    readings_per_second: int
    readings: int
    rules: int
    series: int
    matches: int
    evaluations: int
    alerts: int
    alerts_expected: int
    beyond: float
    seconds: float
    saving_seconds: float
    limit_per_second: int
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every alert is there."""
        return self.alerts == self.alerts_expected


def measure_rules(
    *, readings: int = 1_500_000, rules: int = 1000, series: int = 10_000, matches: int = 1
) -> RulesResult:
    """Measure on a database of its own, in a folder that is gone afterwards; call it from the main thread."""
    with database_only() as running:
        return measure_on(running, readings, World(rules=rules, series=series, matches=matches))


def measure_on(running: Database, readings: int, world: "World") -> RulesResult:
    """Measure on a database that nobody has used yet."""
    dsn = running.dsn
    writer = IntakeWriter(dsn)
    ids = _register(writer, world)
    rounds = readings // world.series
    with connect(dsn, autocommit=True) as connection:
        engine = Rounds(connection, EngineSettings())
        engine.settle(_NOW)
        # The first round makes the folds; it is not measured.
        _write(writer, ids, range(1), world)
        engine.settle(_NOW)
        expected = _write(writer, ids, range(1, rounds), world)
        started = time.perf_counter()
        while engine.read_log(_NOW)[0]:
            pass
        read = time.perf_counter()
        engine.flush(_NOW, everything=True)
        seconds = time.perf_counter() - started
        row = connection.execute(b"SELECT count(*) FROM alert WHERE fired_at IS NOT NULL").fetchone()
    writer.close()
    measured = (rounds - 1) * len(ids)
    return RulesResult(
        readings_per_second=round(measured / seconds),
        readings=measured,
        rules=world.rules,
        series=len(ids),
        matches=world.matches,
        evaluations=(rounds - 1) * sum(sum(rule % 10 > 0 for rule in world.of(n)) for n in range(len(ids))),
        alerts=0 if row is None else row[0],
        alerts_expected=expected,
        beyond=world.beyond,
        seconds=round(seconds, 2),
        saving_seconds=round(seconds - (read - started), 2),
        limit_per_second=_limit(min(measured, 10 * _BATCH), len(ids)),
        database=running.name,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How many rules and series there are.

    Attributes:
        matches: how many rules each series matches.
        beyond: share of the readings that go beyond the limit.
    """

    rules: int
    series: int
    matches: int = 1
    beyond: float = 1 / _ONE_IN

    def of(self, number: int) -> list[int]:
        """Number the rules that a device matches."""
        return [(number + step) % self.rules for step in range(self.matches)]


def _register(writer: IntakeWriter, world: World) -> list[int]:
    """Make devices in as many groups as rules, a series each, and the rules."""
    connection = writer.connection
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "bench")
        tags = [[f"group-{rule}" for rule in world.of(number)] for number in range(world.series)]
        connection.cursor().executemany(_DEVICE, [(organisation, f"m{n}", own) for n, own in enumerate(tags)])
        ids = [row[0] for row in connection.execute(_SERIES).fetchall()]
        for number in range(world.rules):
            save_rule(connection, _rule(number), "bench")
    return ids


def _rule(number: int) -> Rule:
    condition: Condition
    match number % 10:
        case 0:
            condition = Geofence(event=GeofenceEvent.EXIT, polygon=_AREA)
        case 1 | 2:
            condition = ContinuousFlow(metric="volume", duration=timedelta(days=30))
        case _:
            condition = Threshold(metric="volume", above=_LIMIT, dead_band=1)
    return Rule(
        id=f"bench.{number}",
        title="Bench",
        severity=Severity.MINOR,
        condition=condition,
        select=Selector(organisation="bench", tags=(f"group-{number}",)),
    )


def _write(writer: IntakeWriter, ids: list[int], rounds: range, world: World) -> int:
    """Store and log rounds of one reading of each series; give how many alerts are in them."""
    expected = 0
    draw = np.random.default_rng(1)
    pending: list[Array] = []
    held = np.zeros(len(ids), bool)
    thresholds = np.array([sum(rule % 10 > 2 for rule in world.of(n)) for n in range(len(ids))])
    for number in rounds:
        rows = np.zeros(len(ids), READINGS)
        rows["series_id"] = ids
        rows["observed_at"] = int(_START.timestamp() + number * _STEP_SECONDS) * 1_000_000
        rows["received_at"] = rows["observed_at"]
        rows["value"] = draw.uniform(0, _LIMIT - 2, len(ids))
        beyond = draw.random(len(ids)) < world.beyond
        rows["value"][beyond] = _LIMIT + 1
        expected += int(thresholds[beyond & ~held].sum())
        held = beyond
        pending.append(rows)
    if pending:
        _commit(writer, np.concatenate(pending))
    return expected


def _limit(readings: int, series: int) -> int:
    """Measure how many readings a second are compared with limits in arrays, found by the number of their series."""
    draw = np.random.default_rng(1)
    low, high = np.full(series, -np.inf), np.full(series, _LIMIT)
    batches = [
        (draw.integers(0, series, _BATCH), draw.uniform(0, _LIMIT - 2, _BATCH))
        for _ in range(max(readings // _BATCH, 1))
    ]
    started = time.perf_counter()
    beyond = sum(int(((value < low[own]) | (value > high[own])).sum()) for own, value in batches)
    assert not beyond  # noqa: S101  # all are drawn below the limit
    return round(len(batches) * _BATCH / (time.perf_counter() - started))


def _commit(writer: IntakeWriter, rows: Array) -> None:
    writer.make_room("reading_raw", rows["observed_at"])
    for begin in range(0, len(rows), _BATCH):
        with writer.connection.transaction():
            stored = writer.store_readings(rows[begin : begin + _BATCH])
            log.append(writer.connection, LogBatch(readings=rows[begin : begin + _BATCH][stored.new]))
