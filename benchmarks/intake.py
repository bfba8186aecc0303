"""Messages of three readings, at QoS 1, to committed and acknowledged rows; and to a subscriber that only counts.

Both subscribers get the same messages from the same broker, one after the other; both acknowledge. The clock runs from
the first message published to the last one committed (or counted).
"""

import multiprocessing
import os
import platform
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.publisher import Load, forget_session, publish
from ingest.subscriber import Subscriber
from ingest.worker import Worker
from launch.embedded_broker import EmbeddedBroker, Kind
from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.config import Settings, load_settings
from veldwatch.storage.connection import connect
from veldwatch.storage.intake import count_rows
from veldwatch.storage.migrate import migrate
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

_ORGANISATION = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """What was measured, and where."""

    messages_per_second: float
    counting_messages_per_second: float
    share_of_counting: float
    messages: int
    payload_bytes: int
    readings_sent: int
    readings_stored: int
    duplicates: int
    quarantined: int
    broker: str
    database: str
    processor: str
    cores: int
    batch_size: int

    def document(self) -> dict[str, object]:
        """Give it as a JSON object."""
        return asdict(self)


def measure_intake(*, messages: int = 200_000, devices: int = 1000, broker: Kind = "nats") -> IntakeResult:
    """Measure intake on services of its own, in a folder that is gone afterwards.

    Call it from the main thread.
    """
    payloads = _payloads(messages, devices)
    topics = [topic_for(_ORGANISATION, f"meter-{number:05}", "readings") for number in range(devices)]
    with _services(broker) as (settings, database):
        load = Load(
            host=settings.mqtt_host,
            port=settings.mqtt_port,
            username=settings.mqtt_username,
            password=settings.mqtt_password,
            topics=topics,
            payloads=payloads,
        )
        counting = _count(settings, load)
        stored = _store(settings, load)
        readings, quarantined = _rows(settings.dsn)
    return IntakeResult(
        messages_per_second=round(messages / stored),
        counting_messages_per_second=round(messages / counting),
        share_of_counting=round(counting / stored, 3),
        messages=messages,
        payload_bytes=round(sum(map(len, payloads)) / messages),
        readings_sent=3 * messages,
        readings_stored=readings,
        duplicates=max(0, readings - 3 * messages),
        quarantined=quarantined,
        broker=broker,
        database=database,
        processor=_processor(),
        cores=os.cpu_count() or 0,
        batch_size=settings.batch_size,
    )


@contextmanager
def _services(broker: Kind) -> Generator[tuple[Settings, str]]:
    with tempfile.TemporaryDirectory(prefix="veldwatch-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        postgres, mqtt = EmbeddedPostgres(home), EmbeddedBroker(home, kind=broker)
        try:
            postgres.start()
            mqtt.start()
            postgres.create_database("bench")
            with connect(postgres.dsn("bench")) as connection:
                database = str(migrate(connection).server)
            yield (
                load_settings(
                    dsn=postgres.dsn("bench"),
                    mqtt_port=mqtt.port,
                    mqtt_username=mqtt.username,
                    mqtt_password=mqtt.password,
                    register_unknown_devices=True,
                ),
                database,
            )
        finally:
            mqtt.stop()
            postgres.stop()


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


def _store(settings: Settings, load: Load) -> float:
    """Run ingest until the last reading is there."""
    worker, stop = Worker(settings.model_copy(update={"mqtt_shared": "never"})), threading.Event()
    working = threading.Thread(target=worker.run, args=(stop,))
    working.start()
    _wait(worker.subscriber)
    started = time.perf_counter()
    sender = _publishing(load)
    while worker.total.messages < len(load.payloads):
        time.sleep(0.01)
    seconds = time.perf_counter() - started
    sender.join()
    stop.set()
    working.join()
    return seconds


def _wait(subscriber: Subscriber) -> None:
    if not subscriber.connected.wait(20):
        raise TimeoutError("no subscription within 20 s")


def _publishing(load: Load) -> BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=publish, args=(load,))
    process.start()
    return process


def _payloads(messages: int, devices: int) -> list[bytes]:
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=15) * (messages // devices + 1)
    return [
        encode_readings(
            first + timedelta(minutes=15) * (number // devices) + timedelta(microseconds=number % devices),
            {
                "total_volume": (1000 + number / 1000, "m3"),
                "flow_rate": (number % 977 / 10, "L/h"),
                "battery_voltage": (3.6 - number % 60 / 100, "V"),
            },
            sequence=number,
        )
        for number in range(messages)
    ]


def _rows(dsn: str) -> tuple[int, int]:
    with connect(dsn) as connection:
        return count_rows(connection)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
