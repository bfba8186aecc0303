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
from veldwatch.model.register import Device
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
_ONE_IN = 20_000
"""Readings between two that go beyond the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesResult(Result):
    """What was measured, and where.

    Attributes:
        matches: rules that each series (or its device) matches.
        evaluations: readings times the rules that fold them.
    """

    readings_per_second: int
    readings: int
    rules: int
    series: int
    matches: int
    evaluations: int
    alerts: int
    alerts_expected: int
    seconds: float
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every alert is there."""
        return self.alerts == self.alerts_expected


def measure_growth(readings: int) -> list[RulesResult]:
    """Measure how cost grows with rules, series, and the rules that a series matches, one varied at a time."""
    base = {"rules": 100, "series": 2000, "matches": 1}
    varied: dict[str, tuple[int, ...]] = {"rules": (10, 100, 1000), "series": (200, 20_000), "matches": (4, 16)}
    return [
        measure_rules(readings=readings, **(base | {name: value}))
        for name, values in varied.items()
        for value in values
    ]


def measure_rules(
    *, readings: int = 1_500_000, rules: int = 1000, series: int = 10_000, matches: int = 1
) -> RulesResult:
    """Measure on a database of its own, in a folder that is gone afterwards; call it from the main thread."""
    with database_only() as running:
        return _measure(running, readings, _World(rules=rules, series=series, matches=matches))


def _measure(running: Database, readings: int, world: "_World") -> RulesResult:
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
        seconds=round(seconds, 2),
        database=running.name,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """How many rules and series there are, and how many rules each series matches."""

    rules: int
    series: int
    matches: int

    def of(self, number: int) -> list[int]:
        """Number the rules that a device matches."""
        return [(number + step) % self.rules for step in range(self.matches)]


def _register(writer: IntakeWriter, world: _World) -> list[int]:
    """Make devices in as many groups as rules, a series each, and the rules."""
    connection = writer.connection
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "bench")
        devices = [
            register.ensure_device(
                connection,
                Device(
                    organisation_id=organisation,
                    external_id=f"m{n}",
                    source="bench",
                    tags=tuple(f"group-{rule}" for rule in world.of(n)),
                ),
            )
            for n in range(world.series)
        ]
        known = register.ensure_series(connection, [(device, "volume", "m3") for device in devices])
        for number in range(world.rules):
            save_rule(connection, _rule(number), "bench")
    return [known[(device, "volume")].series_id for device in devices]


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


def _write(writer: IntakeWriter, ids: list[int], rounds: range, world: _World) -> int:
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
        beyond = draw.integers(0, _ONE_IN, len(ids)) == 0
        rows["value"][beyond] = _LIMIT + 1
        expected += int(thresholds[beyond & ~held].sum())
        held = beyond
        pending.append(rows)
    if pending:
        _commit(writer, np.concatenate(pending))
    return expected


def _commit(writer: IntakeWriter, rows: Array) -> None:
    writer.make_room("reading_raw", rows["observed_at"])
    for begin in range(0, len(rows), _BATCH):
        with writer.connection.transaction():
            stored = writer.store_readings(rows[begin : begin + _BATCH])
            log.append(writer.connection, LogBatch(readings=rows[begin : begin + _BATCH][stored.new]))
