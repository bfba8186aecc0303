"""Readings per second that the rules engine takes with the bundled packs, on the devices that they are made for.

Towns and reserves as simulated for the scorecard, without its faults, each an organisation of its own with its own copy
of every rule of the packs, so that there are about a thousand rules. Whatever its devices say on the first day is
folded before the clock runs; then it runs over the engine's work alone: reading the log, folding, committing. What
the passing of an hour costs, however many readings there are, is told by itself.
"""

import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import yaml

from benchmarks.machine import processor
from benchmarks.result import Result
from benchmarks.services import Database, database_only
from rules.engine import EngineSettings
from rules.rounds import Rounds
from rules.rule_files import PACKS, read_rules
from simulators.building import Run, build_fleet
from simulators.fleet import Fleet
from simulators.moment import Moment
from simulators.registration import register
from simulators.report import Fixes
from simulators.reporting import Reporting
from simulators.scenario_files import SCENARIOS, parse_scenario
from simulators.systems.system import Bank, Rows
from veldwatch.model.rule import Rule
from veldwatch.storage import log
from veldwatch.storage.arrays import Array
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogBatch
from veldwatch.storage.register import ensure_series, find_devices
from veldwatch.storage.rules import save_rule

BUNDLED = ("water", "electricity", "environment", "conservation")
"""The packs for installations; `platform` and `demo` are not measured."""
_MODELS = {
    "water": ("water_meter", "bulk_meter", "pressure_logger", "reservoir", "water_quality_sonde"),
    "electricity": ("electricity_meter", "transformer", "feeder"),
    "environment": ("weather_station", "air_quality_sensor"),
    "conservation": ("collar", "fence_energiser"),
}
_START = datetime(2026, 1, 5, tzinfo=UTC)
_STEP = timedelta(minutes=5)
_BATCH = 15_000
"""Readings of 5,000 messages of three: what intake commits at once under load."""
_EMPTY = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, kw_only=True)
class PacksResult(Result):
    """What was measured, and where.

    Attributes:
        readings_per_processor_second: of the engine's process: on a machine that others use, too, this tells more.
        readings: and fixes.
        organisations: each with its own copy of the rules.
        waking_seconds: not in `seconds`: for what time alone changes and for buckets of grids, an hour of the devices'.
        saving_seconds: not in `seconds`: for saving all folds, which a live engine does every ten minutes.
        cpu_seconds: of the engine's process.
    """

    readings_per_second: int
    readings_per_processor_second: int
    readings: int
    contacts: int
    packs: tuple[str, ...]
    rules: int
    devices: int
    organisations: int
    folds: int
    alerts: int
    rows_given: int
    rows_stored: int
    hours: int
    seconds: float
    waking_seconds: float
    saving_seconds: float
    cpu_seconds: float
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading and fix is stored."""
        return self.rows_stored == self.rows_given


def measure_packs(
    *, packs: Sequence[str] = BUNDLED, devices: int = 10_000, rules: int = 1000, hours: int = 24
) -> PacksResult:
    """Measure on a database of its own, in a folder that is gone afterwards; call it from the main thread.

    Args:
        packs: of `BUNDLED`.
        devices: about so many; rules: about so many, too.
        hours: simulated, after a first day.
    """
    with database_only() as running:
        return _measure(running, packs, _Size(devices=devices, rules=rules, hours=hours))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    devices: int
    rules: int
    hours: int


def _measure(running: Database, packs: Sequence[str], size: _Size) -> PacksResult:
    templates = [rule for pack in packs for rule in read_rules(PACKS / f"{pack}.yaml")]
    copies = max(size.rules // len(templates), 1)
    models = {model for pack in packs for model in _MODELS[pack]}
    scenario = parse_scenario(_content(copies, size.devices, models))
    fleet = build_fleet(scenario, Run(seed=1, begins_at=_milliseconds(_START), live_from=_milliseconds(_START)))
    dsn = running.dsn
    with connect(dsn) as connection:
        register(connection, scenario)
        rules = [rule for number in range(copies) for rule in _copied(templates, number)]
        for rule in rules:
            save_rule(connection, rule, "bench")
    writer = IntakeWriter(dsn)
    said = _Said(writer, fleet)
    with connect(dsn, autocommit=True) as connection:
        clock = _Clock(connection)
        clock.follow(said, 24)
        clock.forget()
        clock.follow(said, size.hours)
        saving = clock.save(said.now)
        folds, alerts, stored = (
            (connection.execute(query).fetchone() or (0,))[0]
            for query in (
                b"SELECT count(*) FROM fold",
                b"SELECT count(*) FROM alert WHERE fired_at IS NOT NULL",
                b"SELECT (SELECT count(*) FROM reading_raw) + (SELECT count(*) FROM position_raw)",
            )
        )
    writer.close()
    return PacksResult(
        readings_per_second=round(clock.readings / clock.seconds),
        readings_per_processor_second=round(clock.readings / clock.cpu_seconds),
        readings=clock.readings,
        contacts=clock.contacts,
        packs=tuple(packs),
        rules=len(rules),
        devices=len(scenario.devices),
        organisations=copies,
        folds=folds,
        alerts=alerts,
        rows_given=said.rows,
        rows_stored=stored,
        hours=size.hours,
        seconds=round(clock.seconds, 2),
        waking_seconds=round(clock.waking / size.hours, 2),
        saving_seconds=round(saving, 2),
        cpu_seconds=round(clock.cpu_seconds, 2),
        database=running.name,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


class _Clock:
    """Runs while the engine works, and at no other time."""

    def __init__(self, connection: Connection) -> None:
        self._engine = Rounds(connection, EngineSettings())
        self._engine.settle(_START)
        self.forget()

    def forget(self) -> None:
        self.seconds = self.cpu_seconds = self.waking = 0.0
        self.readings = self.contacts = 0

    def follow(self, said: "_Said", hours: int) -> None:
        for _ in range(hours):
            now, readings, contacts = said.next_hour()
            started, began = time.perf_counter(), time.process_time()
            while self._engine.read_log(now)[0]:
                pass
            self.seconds += time.perf_counter() - started
            self.cpu_seconds += time.process_time() - began
            started = time.perf_counter()
            while self._engine.wake(now):
                pass
            self.waking += time.perf_counter() - started
            self.readings += readings
            self.contacts += contacts

    def save(self, now: datetime) -> float:
        """Save every fold; returns how long it took."""
        started = time.perf_counter()
        self._engine.flush(now, everything=True)
        return time.perf_counter() - started


class _Said:
    """What a fleet says, stored and logged as intake does, an hour at a time."""

    def __init__(self, writer: IntakeWriter, fleet: Fleet) -> None:
        self._writer, self._fleet = writer, fleet
        self.rows = 0
        step = _STEP // timedelta(milliseconds=1)
        self._banks = [_Told.of(writer.connection, bank, step) for system in fleet.systems for bank in system.banks]
        writer.connection.commit()

    @property
    def now(self) -> datetime:
        """Tell up to when it has spoken."""
        return datetime.fromtimestamp(self._fleet.now / 1000, UTC)

    def next_hour(self) -> tuple[datetime, int, int]:
        """Give the time after it, and how many readings (fixes with them) and contacts it has."""
        until = self._fleet.now + 3_600_000
        parts: list[LogBatch] = []
        while (moment := self._fleet.grid.next(self._fleet.now)).at <= until:
            for system in self._fleet.systems:
                system.advance(moment)
            parts += [told.at(moment) for told in self._banks]
            self._fleet.now = moment.at
        whole = LogBatch(
            readings=np.concatenate([part.readings for part in parts]),
            positions=np.concatenate([part.positions for part in parts]),
            contacts=np.concatenate([part.contacts for part in parts]),
        )
        self._store(whole)
        self.rows += len(whole.readings) + len(whole.positions)
        return self.now, len(whole.readings) + len(whole.positions), len(whole.contacts)

    def _store(self, whole: LogBatch) -> None:
        for table, rows in (("reading_raw", whole.readings), ("position_raw", whole.positions)):
            if len(rows):
                self._writer.make_room(table, rows["observed_at"])
        self._writer.make_room("contact", whole.contacts["received_at"])
        pieces = -(-max(len(whole.readings), len(whole.contacts), 1) // _BATCH)
        for number in range(pieces):
            batch = LogBatch(
                readings=_piece(whole.readings, number, pieces),
                positions=_piece(whole.positions, number, pieces),
                contacts=_piece(whole.contacts, number, pieces),
            )
            with self._writer.connection.transaction():
                self._writer.store_readings(batch.readings)
                self._writer.store_positions(batch.positions)
                self._writer.store_contacts(batch.contacts)
                log.append(self._writer.connection, batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One bank's devices as the register knows them: ids of devices, and of series by metric, by row."""

    bank: Bank
    turns: Reporting
    devices: Array
    series: Mapping[str, Array]

    @staticmethod
    def of(connection: Connection, bank: Bank, step: int) -> "_Told":
        names = [(name.organisation, name.device) for name in bank.rows]
        known = find_devices(connection, names)
        ids = [known[name].device_id for name in names]
        wanted = [(device, metric.name, metric.unit) for metric in bank.metrics for device in ids]
        series = ensure_series(connection, wanted)
        return _Told(
            bank=bank,
            turns=Reporting(bank, step),
            devices=np.array(ids),
            series={
                metric.name: np.array([series[(device, metric.name)].series_id for device in ids])
                for metric in bank.metrics
            },
        )

    def at(self, moment: Moment) -> LogBatch:
        """Give what they say at a moment."""
        rows = self.turns.due(moment.number)
        if not rows.size:
            return LogBatch()
        contacts = np.zeros(len(rows), CONTACTS)
        contacts["device_id"], contacts["received_at"] = self.devices[rows], moment.at * 1000
        contacts["messages"], contacts["online"] = 1, True
        contacts["first_observed_at"] = contacts["last_observed_at"] = moment.at * 1000
        fixes = self.bank.fixes(rows, moment)
        parts = [
            self._readings(metric, rows, value, moment) for metric, value in self.bank.readings(rows, moment).items()
        ]
        return LogBatch(
            readings=np.concatenate(parts) if parts else np.zeros(0, READINGS),
            positions=np.zeros(0, POSITIONS) if fixes is None else self._positions(rows, fixes, moment),
            contacts=contacts,
        )

    def _readings(self, metric: str, rows: Rows, value: Array, moment: Moment) -> Array:
        told = ~np.isnan(value)
        decimals = next(each.decimals for each in self.bank.metrics if each.name == metric)
        readings = np.zeros(int(told.sum()), READINGS)
        readings["series_id"] = self.series[metric][rows[told]]
        readings["observed_at"] = readings["received_at"] = moment.at * 1000
        readings["value"] = np.round(value[told], decimals)
        return readings

    def _positions(self, rows: Rows, fixes: Fixes, moment: Moment) -> Array:
        told = ~np.isnan(fixes.longitude)
        positions = np.zeros(int(told.sum()), POSITIONS)
        positions["device_id"] = self.devices[rows[told]]
        positions["observed_at"] = positions["received_at"] = moment.at * 1000
        positions["longitude"], positions["latitude"] = fixes.longitude[told], fixes.latitude[told]
        positions["accuracy"] = fixes.accuracy[told]
        for name in ("altitude", "speed", "heading"):
            positions[name] = np.nan
        return positions


def _piece(rows: Array, number: int, pieces: int) -> Array:
    return rows[len(rows) * number // pieces : len(rows) * (number + 1) // pieces]


def _copied(templates: Sequence[Rule], number: int) -> Iterator[Rule]:
    """Give an organisation its own copy of rules."""
    for rule in templates:
        select = replace(rule.select, organisation=f"bench-{number}")
        yield replace(rule, id=f"{rule.id}.{number}", select=select)


def _content(copies: int, devices: int, models: Collection[str]) -> dict[str, Any]:
    """Lay out towns and reserves of one organisation each, with about so many devices of some models altogether."""
    parts = [yaml.safe_load((SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")) for name in ("town", "reserve")]
    town = {
        key: [each for part in parts for each in part.get(key, [])]
        for key in ("profiles", "sites", "devices", "fleets")
    }
    town["profiles"] = [each for n, each in enumerate(town["profiles"]) if each not in town["profiles"][:n]]
    kept = {key: [each for each in town[key] if each["model"] in models] for key in ("devices", "fleets")}
    single = len(kept["devices"]) + sum(fleet["count"] for fleet in kept["fleets"])
    times = max(round(devices / copies / single), 1)
    content: dict[str, Any] = {"name": "bench", "step_seconds": _STEP.total_seconds(), "profiles": town["profiles"]}
    content |= {key: [] for key in ("organisations", "sites", "devices", "fleets")}
    for number in range(copies):
        slug = f"bench-{number}"
        content["organisations"].append({"slug": slug, "name": slug, "kind": "utility"})
        content["sites"] += [site | {"organisation": slug, "settings": _undisturbed(site)} for site in town["sites"]]
        content["devices"] += [_again(each, slug, n) for n in range(times) for each in kept["devices"]]
        content["fleets"] += [
            {key: value for key, value in fleet.items() if key != "gateway"}
            | {"organisation": slug, "count": fleet["count"] * times, "id": f"f{n}-{fleet['id']}"}
            for n, fleet in enumerate(kept["fleets"])
        ]
    return content


def _undisturbed(site: Mapping[str, Any]) -> dict[str, Any]:
    """Give the settings of a site whose power is never shed."""
    return {key: value for key, value in site.get("settings", {}).items() if key != "load_shedding"}


def _again(device: Mapping[str, Any], slug: str, number: int) -> dict[str, Any]:
    """Give a device of a scenario once more, with another animal where it is a collar."""
    again = {key: value for key, value in device.items() if key != "gateway"}
    again |= {"organisation": slug, "id": f"{device['id']}-{number}"}
    if "subject" in device:
        again["subject"] = device["subject"] | {"slug": f"{device['subject']['slug']}-{number}"}
    return again


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
