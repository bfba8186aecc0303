"""Sparkplug B through broker, ingest and database: what is not known is asked for, and what was known stays so."""

import signal
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.pipeline import Pipeline
from tests.integration.ingest.conftest import Publisher, eventually, make_pipeline, publishing, running
from tests.integration.ingest.test_killed import started
from tests.unit.veldwatch.wire.sparkplug.edge_node import bd_seq, metric, milliseconds
from veldwatch.config import Settings, Source
from veldwatch.model.register import Device, DeviceStatus
from veldwatch.model.telemetry import Message
from veldwatch.storage import memories, quarantine, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.wire.sparkplug.memory import restore
from veldwatch.wire.sparkplug.payload_pb2 import Payload

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


class EdgeNode:
    """Writes the messages of the edge node `g/e`, a second apart."""

    def __init__(self) -> None:
        self.seq = 0
        self.now = START

    def write(self, kind: str, *metrics: Payload.Metric, device: str = "") -> tuple[str, bytes]:
        self.now += timedelta(seconds=1)
        payload = Payload(timestamp=milliseconds(self.now), metrics=metrics)
        if kind == "NBIRTH":
            self.seq = 0
        if kind != "NDEATH":
            payload.seq = self.seq
            self.seq = (self.seq + 1) % 256
        return f"spBv1.0/g/{kind}/e" + (f"/{device}" if device else ""), payload.SerializeToString()

    def births(self) -> list[tuple[str, bytes]]:
        return [
            self.write("NBIRTH", bd_seq(1), metric("volt", 24.0, alias=1)),
            self.write("DBIRTH", metric("flow", 0.0, alias=2), device="m"),
        ]

    def data(self, value: float) -> tuple[str, bytes]:
        return self.write("DDATA", metric(None, value, None, alias=2), device="m")


def flows(connection: Connection) -> list[float]:
    found = connection.execute(
        "SELECT r.value FROM reading r JOIN series s ON s.id = r.series_id JOIN device d ON d.id = s.device_id"
        " WHERE d.external_id = 'g/e/m' AND s.metric = 'flow' ORDER BY r.observed_at"
    ).fetchall()
    connection.rollback()
    return [value for (value,) in found]


def online(connection: Connection) -> dict[str, bool]:
    """Tell, of each device, what its last contact said."""
    found = connection.execute(
        "SELECT DISTINCT ON (d.external_id) d.external_id, c.online FROM contact c JOIN device d ON d.id = c.device_id"
        " ORDER BY d.external_id, c.received_at DESC"
    ).fetchall()
    connection.rollback()
    return dict(found)


def waiting(connection: Connection) -> dict[str, int]:
    found = dict(quarantine.summary(connection))
    connection.rollback()
    return found


@contextmanager
def commands(settings: Settings) -> Generator[list[mqtt.MQTTMessage]]:
    """Hear what is asked of edge nodes."""
    heard: list[mqtt.MQTTMessage] = []
    ready = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
    client.on_message = lambda _client, _given, message: heard.append(message)
    client.on_subscribe = lambda _client, _given, _number, _codes, _properties: ready.set()
    client.connect(settings.mqtt_host, settings.mqtt_port)
    client.subscribe("spBv1.0/+/NCMD/#")
    client.loop_start()
    try:
        assert ready.wait(10)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def send(publisher: Publisher, *messages: tuple[str, bytes]) -> None:
    for topic, payload in messages:
        publisher.send(topic, payload)
    publisher.flush()


def test_data_before_a_birth_wait_and_the_edge_node_is_asked(live: Settings, connection: Connection) -> None:
    node = EdgeNode()
    with commands(live) as heard, running(live), publishing(live) as publisher:
        early = node.data(1.0)
        send(publisher, early, node.data(2.0))
        eventually(lambda: waiting(connection) == {"unknown_alias": 2})
        eventually(lambda: len(heard) == 1)
        assert heard[0].topic == "spBv1.0/g/NCMD/e"
        asked = Payload.FromString(bytes(heard[0].payload)).metrics[0]
        assert (asked.name, asked.boolean_value) == ("Node Control/Rebirth", True)
        send(publisher, *node.births(), node.data(3.0))
        eventually(lambda: flows(connection) == [0.0, 3.0])
        send(publisher, early)  # as a replay gives it again: its birth is known by now
        eventually(lambda: flows(connection) == [1.0, 0.0, 3.0])
    assert len(heard) == 1


def test_births_outlive_the_ingestor(live: Settings, connection: Connection) -> None:
    node = EdgeNode()
    with running(live), publishing(live) as publisher:
        send(publisher, *node.births())
        eventually(lambda: flows(connection) == [0.0])
    with commands(live) as heard:
        with publishing(live) as publisher:
            send(publisher, node.data(1.0))
        with running(live), publishing(live) as publisher:
            send(publisher, node.data(2.0))
            eventually(lambda: flows(connection) == [0.0, 1.0, 2.0])
        assert heard == []
    assert waiting(connection) == {}, [(r.topic, r.payload) for r in quarantine.newest(connection)]


def test_a_lost_message_is_asked_about(live: Settings, connection: Connection) -> None:
    node = EdgeNode()
    with commands(live) as heard, running(live), publishing(live) as publisher:
        send(publisher, *node.births(), node.data(1.0))
        node.data(2.0)  # is never sent
        send(publisher, node.data(3.0))
        eventually(lambda: flows(connection) == [0.0, 1.0, 3.0])
        eventually(lambda: len(heard) == 1)


def test_a_death_says_offline_of_all_devices_and_a_birth_online(live: Settings, connection: Connection) -> None:
    node = EdgeNode()
    with running(live), publishing(live) as publisher:
        send(publisher, *node.births())
        eventually(lambda: online(connection) == {"g/e": True, "g/e/m": True})
        send(publisher, node.write("NDEATH", bd_seq(1)))
        eventually(lambda: online(connection) == {"g/e": False, "g/e/m": False})
        send(publisher, *node.births())
        eventually(lambda: online(connection) == {"g/e": True, "g/e/m": True})
        send(publisher, node.write("DDEATH", device="m"))
        eventually(lambda: online(connection) == {"g/e": True, "g/e/m": False})
    kinds = connection.execute("SELECT kind, count(*) FROM event GROUP BY kind").fetchall()
    connection.rollback()
    assert dict(kinds) == {"birth": 4, "death": 3}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_an_ingestor_that_is_killed_mistakes_no_alias(live: Settings, connection: Connection) -> None:
    """Births give the aliases to other metrics around each kill; what the broker brings again comes late."""
    node, process = EdgeNode(), started(live)
    try:
        with publishing(live) as publisher:
            until = time.monotonic() + 60
            while not online(connection):
                assert time.monotonic() < until
                send(publisher, *node.births())
                time.sleep(0.5)
            names = ("even", "odd")
            for number in range(90):
                if number % 10 == 0:
                    names = ("even", "odd") if number % 20 == 0 else ("odd", "even")
                    metrics = [metric(name, -1.0, alias=3 + place) for place, name in enumerate(names)]
                    send(publisher, *node.births()[:1], node.write("DBIRTH", *metrics, device="k"))
                alias = 3 + names.index("odd" if number % 2 else "even")
                send(publisher, node.write("DDATA", metric(None, float(number), None, alias=alias), device="k"))
                if number in (25, 60):
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    process = started(live)
        eventually(
            lambda: sum(map(len, parities(connection).values())) + waiting(connection).get("unknown_alias", 0) >= 90, 60
        )
    finally:
        process.kill()
        process.wait()
    found = parities(connection)
    assert {value % 2 for value in found["even"]} == {0}
    assert {value % 2 for value in found["odd"]} == {1}
    assert waiting(connection).keys() <= {"unknown_alias"}


def parities(connection: Connection) -> dict[str, list[float]]:
    found = connection.execute(
        "SELECT s.metric, array_agg(r.value ORDER BY r.observed_at) FROM reading r JOIN series s ON s.id = r.series_id"
        " WHERE s.metric IN ('even', 'odd') AND r.value >= 0 GROUP BY s.metric"
    ).fetchall()
    connection.rollback()
    return dict(found)


def as_messages(written: list[tuple[str, bytes]]) -> list[Message]:
    return [Message(topic, payload, datetime.now(UTC)) for topic, payload in written]


def test_two_ingestors_that_share_an_edge_node_know_the_same(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    node = EdgeNode()
    pipelines = [make_pipeline(settings), make_pipeline(settings)]
    pipelines[0].store(writer, as_messages(node.births()))
    for number in range(6):
        pipelines[number % 2].store(writer, as_messages([node.data(float(number))]))
    assert flows(connection) == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    node.now += timedelta(minutes=1)
    pipelines[1].store(writer, as_messages([*node.births(), node.data(9.0)]))
    pipelines[0].store(writer, as_messages([node.data(10.0)]))
    assert flows(connection)[-3:] == [0.0, 9.0, 10.0]
    assert waiting(connection) == {}, [(r.topic, r.payload) for r in quarantine.newest(connection)]


@pytest.mark.several_backends("ingestors take turns by a lock of their sessions, which one backend gives to both")
def test_two_ingestors_at_the_same_time_lose_and_mistake_nothing(
    settings: Settings, connection: Connection, dsn: str
) -> None:
    """Each batch of the one comes between two of the other; a message may overtake those before it."""
    node = EdgeNode()
    patient = Source(name="s", topic_filter="spBv1.0/#", decoder="sparkplug", options={"reorder_seconds": 60})
    settings = settings.model_copy(update={"sources": (patient,)})
    births = as_messages(node.births())
    batches = [as_messages([node.data(float(n))]) for n in range(1, 121)]
    with closing(IntakeWriter(dsn)) as first, closing(IntakeWriter(dsn)) as second:
        make_pipeline(settings).store(first, births)
        failures: list[BaseException] = []

        def work(writer: IntakeWriter, mine: list[list[Message]]) -> None:
            pipeline = make_pipeline(settings)
            try:
                for batch in mine:
                    pipeline.store(writer, batch)
            except BaseException as error:  # noqa: BLE001  # told by the main thread
                failures.append(error)

        threads = [
            threading.Thread(target=work, args=(writer, batches[place::2]))
            for place, writer in enumerate((first, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert failures == []
    assert flows(connection) == [0.0, *map(float, range(1, 121))]
    assert waiting(connection) == {}
    stored = memories.load(connection, "sparkplug", "g/e")
    session = restore(stored.head, stored.parts).session
    assert (session.missing, session.rebirth_wanted) == ((), "")
    assert stored.version == 121


def test_the_death_of_an_edge_node_reaches_its_registered_devices(
    settings: Settings, writer: IntakeWriter, connection: Connection
) -> None:
    organisation = register.ensure_organisation(connection, settings.default_organisation)
    meter = Device(organisation_id=organisation, external_id="g/e/m", source="sparkplug", status=DeviceStatus.ACTIVE)
    register.ensure_device(connection, meter)
    connection.commit()
    closed: Pipeline = make_pipeline(settings.model_copy(update={"register_unknown_devices": False}))
    node = EdgeNode()
    closed.store(writer, as_messages(node.births()))
    closed.store(writer, as_messages([node.write("NDEATH", bd_seq(1))]))
    assert online(connection) == {"g/e/m": False}
    assert waiting(connection) == {"unknown_device": 2}


@pytest.mark.parametrize("alone", [True, False], ids=["in one batch each", "in one batch"])
def test_what_was_read_is_read_the_same_when_it_comes_again(
    settings: Settings, writer: IntakeWriter, connection: Connection, *, alone: bool
) -> None:
    node = EdgeNode()
    messages = as_messages([*node.births(), *(node.data(float(n)) for n in range(5))])
    pipeline = make_pipeline(settings)
    for _ in range(2):
        for batch in [[message] for message in messages] if alone else [messages]:
            pipeline.store(writer, batch)
    assert flows(connection) == [0.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert waiting(connection) == {}, [(r.topic, r.payload) for r in quarantine.newest(connection)]
