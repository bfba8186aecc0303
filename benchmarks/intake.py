"""Messages at QoS 1, of three readings each or of many, to committed and acknowledged rows; and to one who only counts.

Both subscribers get the same messages from the same broker, one after the other; both acknowledge. The clock runs from
the first message published to the last one committed (or counted). Broker, database, publisher and, where rules are
asked for, the rules engine run on the same machine as processes of their own; the engine's alerts are counted
against those that the readings were made to hold.
"""

import multiprocessing
import os
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess

from benchmarks.machine import cpu_seconds, processor
from benchmarks.meters import ORGANISATION, meter, register_meters
from benchmarks.publisher import Load, forget_session, publish
from benchmarks.result import Result
from benchmarks.services import Services, program, services
from ingest.subscriber import Subscriber
from ingest.worker import Worker
from launch.embedded_broker import Kind
from veldwatch.config import Settings
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Selector, Severity
from veldwatch.process import collect_garbage_seldom
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import count_rows
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings, joined

_LIMIT = 100.0
_STEP = timedelta(minutes=15)
_ONE_IN = 20_011
"""Moments between two that go beyond the limit; prime, so that every device has its turn."""
_SECONDS_FOR_RULES = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult(Result):
    """What was measured, and where; times of processors are in microseconds a message, of all that ran."""

    messages_per_second: float
    readings_per_second: float
    counting_messages_per_second: float
    share_of_counting: float
    messages: int
    payload_bytes: int
    readings_sent: int
    readings_stored: int
    duplicates: int
    quarantined: int
    rules: int
    alerts: int
    alerts_expected: int
    rules_done_after_seconds: float
    cpu_microseconds: dict[str, float]
    broker: str
    database: str
    processor: str
    cores: int
    batch_size: int

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading is stored once, and every alert is there."""
        return (self.readings_stored, self.alerts) == (self.readings_sent, self.alerts_expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    seconds: float
    rules_after: float
    cpu: dict[str, float]


def measure_intake(
    *, messages: int = 200_000, devices: int = 1000, rules: int = 1000, broker: Kind = "nats", items: int = 1
) -> IntakeResult:
    """Measure intake on services of its own, in a folder that is gone afterwards.

    Args:
        rules: that the engine carries out meanwhile, each for the devices of one group; 0: no engine runs.
        items: moments in each message, three readings each: what a gateway or a logger collected.

    Call it from the main thread.
    """
    payloads, expected = _payloads(messages, devices, items)
    sent = 3 * items * messages
    topics = [topic_for(ORGANISATION, meter(number), "readings") for number in range(devices)]
    collect_garbage_seldom()  # as `veldwatch ingest run` does
    with services(broker) as running:
        settings = running.settings
        load = Load(
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            username=settings.mqtt_username,
            password=settings.mqtt_password,
            topics=topics,
            payloads=payloads,
        )
        counting = _count(settings, load)
        with connect(settings.dsn) as connection:
            register_meters(connection, devices, [_rule(number) for number in range(rules)])
        stored = _store(running, load, rules=rules)
        with connect(settings.dsn) as connection:
            readings, quarantined = count_rows(connection)
            alerts = _fired(connection)
    return IntakeResult(
        messages_per_second=round(messages / stored.seconds),
        readings_per_second=round(sent / stored.seconds),
        counting_messages_per_second=round(messages / counting),
        share_of_counting=round(counting / stored.seconds, 3),
        messages=messages,
        payload_bytes=round(sum(map(len, payloads)) / messages),
        readings_sent=sent,
        readings_stored=readings,
        duplicates=max(0, readings - sent),
        quarantined=quarantined,
        rules=rules,
        alerts=alerts,
        alerts_expected=expected if rules else 0,
        rules_done_after_seconds=round(stored.rules_after, 2),
        cpu_microseconds={name: round(seconds / messages * 1e6, 1) for name, seconds in stored.cpu.items()},
        broker=broker,
        database=running.database,
        processor=processor(),
        cores=os.cpu_count() or 0,
        batch_size=settings.batch_size,
    )


def _count(settings: Settings, load: Load) -> float:
    """Receive, acknowledge, and nothing else."""
    subscriber = Subscriber(settings.model_copy(update={"mqtt_client_id": "bench-count", "mqtt_shared": "never"}))
    subscriber.start()
    _wait(subscriber)
    seen = 0
    started = time.perf_counter()
    sender = _publishing(load)
    while seen < len(load.payloads):
        taken = subscriber.take(settings.batch_size, 1, settings.batch_delay_seconds)
        subscriber.acknowledge(taken)
        seen += len(taken.messages)
    seconds = time.perf_counter() - started
    sender.join()
    subscriber.stop()
    forget_session(load, "bench-count")
    return seconds


def _store(running: Services, load: Load, *, rules: int) -> _Stored:
    """Run ingest, and the rules beside it, until the last reading is there and was looked at."""
    settings = running.settings.model_copy(update={"mqtt_shared": "never"})
    with _engine(settings, wanted=rules > 0) as engine:
        worker, stop = Worker(settings), threading.Event()
        working = threading.Thread(target=worker.run, args=(stop,))
        pids = running.pids | {"rules": None if engine is None else engine.pid}
        ours = time.process_time()
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        working.start()
        _wait(worker.subscriber)
        started = time.perf_counter()
        sender = _publishing(load)
        while worker.total.messages < len(load.payloads):
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        if engine is not None:
            _until_consumed(settings.dsn)
        after = time.perf_counter() - started
        cpu = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
        cpu |= {"ingest": time.process_time() - ours, "publisher": cpu_seconds(sender.pid)}
        sender.join()
        stop.set()
        working.join()
    return _Stored(seconds=seconds, rules_after=after if rules else 0.0, cpu=cpu)


@contextmanager
def _engine(settings: Settings, *, wanted: bool) -> Generator["subprocess.Popen[bytes] | None"]:
    """Run the rules program as a process of its own, until it has folded what it knew before."""
    if not wanted:
        yield None
        return
    with program("rules", settings) as process:
        _until_activated(settings.dsn)
        yield process


def _until_activated(dsn: str) -> None:
    with connect(dsn, autocommit=True) as connection:
        for _ in _patiently():
            row = connection.execute(b"SELECT count(*) FROM rule_version WHERE activated_at IS NULL").fetchone()
            if row is not None and row[0] == 0:
                return


def _until_consumed(dsn: str) -> None:
    with connect(dsn, autocommit=True) as connection:
        for _ in _patiently():
            cursor = log.load_cursor(connection, "rules")
            if cursor is not None and not log.read(connection, cursor, 1):
                return


def _patiently() -> Generator[None]:
    until = time.monotonic() + _SECONDS_FOR_RULES
    while time.monotonic() < until:
        yield
        time.sleep(0.05)
    raise TimeoutError(f"the rules engine was not done within {_SECONDS_FOR_RULES} s")


def _rule(number: int) -> Rule:
    """Every other group has the rule that fires, the others one that does not."""
    condition: Condition = Threshold(metric="flow_rate", above=_LIMIT, dead_band=1)
    if number % 10 > 7:
        condition = ContinuousFlow(metric="total_volume", duration=timedelta(days=300))
    return Rule(
        id=f"bench.{number}",
        title="Bench",
        severity=Severity.MINOR,
        condition=condition,
        select=Selector(organisation=ORGANISATION, tags=(f"group-{number}",)),
    )


def _fired(connection: Connection) -> int:
    row = connection.execute(b"SELECT count(*) FROM alert WHERE fired_at IS NOT NULL").fetchone()
    return 0 if row is None else row[0]


def _wait(subscriber: Subscriber) -> None:
    if not subscriber.connected.wait(20):
        raise TimeoutError("no subscription within 20 s")


def _publishing(load: Load) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=publish, args=(load,))
    process.start()
    return process


def _payloads(messages: int, devices: int, items: int) -> tuple[list[bytes], int]:
    """Encode all messages, in order of their times, and count the excursions that rules are to find."""
    steps = (messages // devices + 1) * items
    first = datetime.now(UTC).replace(microsecond=0) - _STEP * steps
    encoded: list[bytes] = []
    for number in range(messages):
        began, device = divmod(number, devices)
        at = first + _STEP * items * began + timedelta(microseconds=device)
        said = [_item(number * items + item, at + _STEP * item) for item in range(items)]
        encoded.append(said[0] if items == 1 else joined(said))
    found = (index for index in range(_ONE_IN - 1, messages * items, _ONE_IN))
    return encoded, sum(index // items % devices % 10 <= 7 for index in found)


def _item(index: int, at: datetime) -> bytes:
    beyond = index % _ONE_IN == _ONE_IN - 1
    return encode_readings(
        at,
        {
            "total_volume": (1000 + index / 1000, "m3"),
            "flow_rate": (_LIMIT + 1 if beyond else index % 977 / 10, "L/h"),
            "battery_voltage": (3.6 - index % 60 / 100, "V"),
        },
        sequence=index,
    )
