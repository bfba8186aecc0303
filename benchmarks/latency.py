"""From publish to alert row, at a steady rate of messages, with every program as a process of its own.

Each message tells the moment at which it leaves as the time of its readings: an alert begins when its message was
published. The clock stops when the transaction that holds the alert has committed, which its NOTIFY tells. One
message in `_ONE_IN` goes beyond the limit of its device's rule; every such alert is waited for.
"""

import multiprocessing
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from benchmarks.machine import processor
from benchmarks.meters import ORGANISATION, meter, register_meters
from benchmarks.publisher import Load, publish_at
from benchmarks.result import Result
from benchmarks.services import program, services
from launch.embedded_broker import Kind
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Selector, Severity
from veldwatch.storage.alerts import CHANNEL
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import count_rows
from veldwatch.storage.wakeups import listen, wait_for_wakeup
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

_LIMIT = 100.0
_ONE_IN = 211
"""Prime, so that every device has its turn."""
_PATIENCE_SECONDS = 120.0
_READY = b"SELECT EXISTS (SELECT FROM watch) AND NOT EXISTS (SELECT FROM rule_version WHERE activated_at IS NULL)"
_NEW_ALERTS = b"SELECT id, opened_at FROM alert WHERE fired_at IS NOT NULL AND opened_at > %s ORDER BY opened_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyResult(Result):
    """What was measured, and where."""

    p50_ms: float
    p99_ms: float
    largest_ms: float
    messages_per_second: int
    messages_per_second_sent: int
    messages: int
    readings_sent: int
    readings_stored: int
    rules: int
    alerts: int
    alerts_expected: int
    broker: str
    database: str
    processor: str
    cores: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading is stored and every alert was seen."""
        return (self.readings_stored, self.alerts) == (self.readings_sent, self.alerts_expected)


def measure_latency(
    *, rate: int = 5000, seconds: int = 30, devices: int = 1000, rules: int = 1000, broker: Kind = "nats"
) -> LatencyResult:
    """Measure on services of its own, in a folder that is gone afterwards; call it from the main thread."""
    messages = rate * seconds
    with services(broker) as running:
        settings = running.settings
        with connect(settings.dsn) as connection:
            _register(connection, devices, rules)
        load = Load(
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            username=settings.mqtt_username,
            password=settings.mqtt_password,
            topics=[topic_for(ORGANISATION, meter(number), "readings") for number in range(devices)],
            payloads=[b""] * messages,
        )
        expected = sum(1 for number in range(messages) if _is_beyond(number))
        with ExitStack() as programs:
            for name in ("ingest", "rules"):
                programs.enter_context(program(name, settings))
            _until_ready(settings.dsn)
            started = time.perf_counter()
            sender = multiprocessing.get_context("fork").Process(target=publish_at, args=(load, rate, _encoded))
            sender.start()
            delays = _delays(settings.dsn, expected)
            sender.join()
            took = time.perf_counter() - started
        with connect(settings.dsn) as connection:
            stored, _ = count_rows(connection)
    p50, p99 = (float(np.percentile(delays, share)) for share in (50, 99)) if delays else (0.0, 0.0)
    return LatencyResult(
        p50_ms=round(p50 * 1000, 1),
        p99_ms=round(p99 * 1000, 1),
        largest_ms=round(max(delays, default=0.0) * 1000, 1),
        messages_per_second=rate,
        messages_per_second_sent=round(messages / took),
        messages=messages,
        readings_sent=3 * messages,
        readings_stored=stored,
        rules=rules,
        alerts=len(delays),
        alerts_expected=expected,
        broker=broker,
        database=running.database,
        processor=processor(),
        cores=os.cpu_count() or 0,
    )


def _until_ready(dsn: str) -> None:
    """Wait until ingest listens and the rules have folded what there was before: nothing of it is measured."""
    until = time.monotonic() + _PATIENCE_SECONDS
    with connect(dsn, autocommit=True) as connection:
        while time.monotonic() < until:
            row = connection.execute(_READY).fetchone()
            if row is not None and row[0]:
                return
            time.sleep(0.1)
    raise TimeoutError(f"ingest and rules were not ready within {_PATIENCE_SECONDS:g} s")


def _delays(dsn: str, expected: int) -> Sequence[float]:
    """Wait for alerts, and tell how long each took from its message on."""
    delays: list[float] = []
    seen: set[object] = set()
    newest = datetime.now(UTC)
    until = time.monotonic() + _PATIENCE_SECONDS
    with connect(dsn, autocommit=True) as listener, connect(dsn, autocommit=True) as reader:
        listen(listener, CHANNEL)
        while len(delays) < expected and time.monotonic() < until:
            if not wait_for_wakeup(listener, 0.5):
                continue
            now = datetime.now(UTC)
            for identity, opened_at in reader.execute(_NEW_ALERTS, (newest,)).fetchall():
                if identity not in seen:
                    seen.add(identity)
                    delays.append((now - opened_at).total_seconds())
    return delays


def _register(connection: Connection, devices: int, rules: int) -> None:
    rule_of = [
        Rule(
            id=f"bench.{number}",
            title="Bench",
            severity=Severity.MINOR,
            condition=Threshold(metric="flow_rate", above=_LIMIT),
            select=Selector(organisation=ORGANISATION, tags=(f"group-{number}",)),
        )
        for number in range(rules)
    ]
    register_meters(connection, devices, rule_of)


def _is_beyond(number: int) -> bool:
    return number % _ONE_IN == _ONE_IN - 1


def _encoded(number: int, at: datetime) -> bytes:
    return encode_readings(
        at,
        {
            "total_volume": (1000 + number / 1000, "m3"),
            "flow_rate": (_LIMIT + 1 if _is_beyond(number) else number % 977 / 10, "L/h"),
            "battery_voltage": (3.6 - number % 60 / 100, "V"),
        },
        sequence=number,
    )
