"""A real broker of each kind that this machine has, ingest running on it, and a publisher."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.decoding import Decoding
from ingest.names import Names
from ingest.pipeline import Pipeline
from ingest.worker import Worker
from launch.embedded_broker import EmbeddedBroker
from veldwatch.config import Settings
from veldwatch.storage.intake import IntakeWriter
from veldwatch.wire.sources import Sources

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
BROKERS = ["nats", "mosquitto"] if MOSQUITTO else ["nats"]


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Generator[EmbeddedBroker]:
    home = Path(tempfile.mkdtemp(prefix="veldwatch-tests-"))
    made = EmbeddedBroker(home, kind=request.param)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def settings(dsn: str) -> Settings:
    """Give settings of an ingest that registers whoever speaks."""
    return Settings(dsn=dsn, register_unknown_devices=True)


@pytest.fixture
def live(settings: Settings, broker: EmbeddedBroker) -> Settings:
    """Give the same, on a broker."""
    connection = {"mqtt_port": broker.port, "mqtt_username": broker.username, "mqtt_password": broker.password}
    return settings.model_copy(update=connection)


@pytest.fixture
def writer(dsn: str) -> Generator[IntakeWriter]:
    opened = IntakeWriter(dsn)
    yield opened
    opened.close()


@pytest.fixture
def pipeline(settings: Settings) -> Pipeline:
    return make_pipeline(settings)


def make_pipeline(settings: Settings) -> Pipeline:
    decoding = Decoding(
        Sources(settings.sources),
        payload_limit_bytes=settings.payload_limit_bytes,
        default_organisation=settings.default_organisation,
    )
    return Pipeline(decoding, Names(settings))


@contextmanager
def running(settings: Settings) -> Generator[Worker]:
    """Run ingest in a thread until the end of the block."""
    worker, stop = Worker(settings), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        assert worker.subscriber.connected.wait(15), "no subscription within 15 s"
        yield worker
    finally:
        stop.set()
        thread.join(timeout=15)
        assert not thread.is_alive(), "ingest did not stop within 15 s"


@dataclass
class Publisher:
    """Publishes at QoS 1; `flush` waits until the broker has all of it."""

    client: mqtt.Client
    sent: list[mqtt.MQTTMessageInfo]

    def send(self, topic: str, payload: bytes, *, qos: int = 1) -> None:
        self.sent.append(self.client.publish(topic, payload, qos=qos))

    def flush(self) -> None:
        for info in self.sent:
            info.wait_for_publish(20)
        self.sent.clear()


@contextmanager
def publishing(settings: Settings) -> Generator[Publisher]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
    client.max_inflight_messages_set(0)
    client.connect(settings.mqtt_host, settings.mqtt_port)
    client.loop_start()
    try:
        yield Publisher(client, [])
    finally:
        client.disconnect()
        client.loop_stop()


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.05)
