import os
import shutil
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from launch.embedded_broker import EmbeddedBroker, Kind

KINDS: tuple[Kind, ...] = (
    ("nats", "mosquitto") if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") else ("nats",)
)


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[EmbeddedBroker]:
    server = EmbeddedBroker(tmp_path / "home", kind=request.param)
    server.start()
    yield server
    server.stop()


class Subscriber:
    """A client of a fixed name whose session the broker keeps."""

    def __init__(self, broker: EmbeddedBroker, topic_filter: str) -> None:
        self.received: list[mqtt.MQTTMessage] = []
        self._client = client(broker, "subscriber", clean=False)
        self._client.on_message = lambda _client, _userdata, message: self.received.append(message)
        self._granted: list[bool] = []
        self._client.on_subscribe = self._note_grant
        connect(self._client, broker)
        self._client.subscribe(topic_filter, qos=1)
        until(lambda: bool(self._granted))
        assert self._granted == [True]

    def _note_grant(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._granted.append(not codes[0].is_failure)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_a_message_reaches_a_subscriber_of_everything(broker: EmbeddedBroker) -> None:
    subscriber = Subscriber(broker, "#")
    publish(broker, ["a", "/a", "a//b", "a/", "a.b/c", "wasser/größe", "a:b"])
    until(lambda: len(subscriber.received) == 7)
    assert [message.topic for message in subscriber.received] == [
        "a",
        "/a",
        "a//b",
        "a/",
        "a.b/c",
        "wasser/größe",
        "a:b",
    ]
    subscriber.leave()


def test_topics_of_the_broker_itself_are_not_part_of_everything(broker: EmbeddedBroker) -> None:
    subscriber = Subscriber(broker, "#")
    publish(broker, ["$ours/a", "a"])
    until(lambda: bool(subscriber.received))
    time.sleep(0.2)
    assert [message.topic for message in subscriber.received] == ["a"]
    subscriber.leave()


def test_what_is_published_while_the_subscriber_is_away_waits_for_it_also_through_a_restart(
    broker: EmbeddedBroker,
) -> None:
    Subscriber(broker, "#").leave()
    topics = [f"a/{number}" for number in range(500)]
    publish(broker, topics)
    broker.stop()
    broker.start()
    subscriber = Subscriber(broker, "#")
    until(lambda: len(subscriber.received) >= len(topics))
    assert sorted(message.topic for message in subscriber.received) == sorted(topics)
    subscriber.leave()


def test_nats_keeps_what_it_acknowledged_when_it_is_killed(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "home", kind="nats")
    broker.start()
    Subscriber(broker, "#").leave()
    topics = [f"a/{number}" for number in range(500)]
    publish(broker, topics)
    os.kill(broker.pid, signal.SIGKILL)
    broker.stop()
    broker.start()
    subscriber = Subscriber(broker, "#")
    until(lambda: len(subscriber.received) >= len(topics))
    assert sorted(message.topic for message in subscriber.received) == sorted(topics)
    subscriber.leave()
    broker.stop()


def test_the_last_will_of_a_client_that_vanishes_is_published(broker: EmbeddedBroker) -> None:
    subscriber = Subscriber(broker, "#")
    vanishing = client(broker, "vanishing", clean=True)
    vanishing.will_set("status", b"gone", qos=1)
    connect(vanishing, broker)
    vanishing.loop_stop()
    connection = vanishing.socket()
    assert connection is not None
    connection.close()
    until(lambda: bool(subscriber.received))
    assert subscriber.received[0].payload == b"gone"
    subscriber.leave()


def test_a_retained_message_reaches_who_subscribes_later(broker: EmbeddedBroker) -> None:
    publish(broker, ["kept"], retain=True)
    subscriber = Subscriber(broker, "#")
    until(lambda: bool(subscriber.received))
    assert subscriber.received[0].retain
    subscriber.leave()


def test_a_wrong_password_is_refused(broker: EmbeddedBroker) -> None:
    refused: list[str] = []
    stranger = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="stranger", protocol=mqtt.MQTTv311)
    stranger.username_pw_set("veldwatch", "wrong")
    stranger.on_connect = note_answer(refused)
    stranger.connect("127.0.0.1", broker.port)
    stranger.loop_start()
    until(lambda: bool(refused))
    stranger.loop_stop()
    assert refused[0] != "Success"


def test_nats_refuses_mqtt_5_in_words_that_a_client_can_fall_back_on(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path / "home", kind="nats")
    broker.start()
    reasons: list[str] = []
    newer = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="newer", protocol=mqtt.MQTTv5)
    newer.username_pw_set(broker.username, broker.password)
    newer.on_connect = note_answer(reasons)
    newer.connect("127.0.0.1", broker.port, properties=Properties(PacketTypes.CONNECT))
    newer.loop_start()
    until(lambda: bool(reasons))
    newer.loop_stop()
    broker.stop()
    assert reasons[0] == "Unsupported protocol version"


def client(broker: EmbeddedBroker, name: str, *, clean: bool) -> mqtt.Client:
    made = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311, clean_session=clean)
    made.username_pw_set(broker.username, broker.password)
    return made


def note_answer(answers: list[str]) -> "mqtt.CallbackOnConnect_v2":
    def note(
        _client: mqtt.Client, _userdata: object, _flags: mqtt.ConnectFlags, code: ReasonCode, _more: Properties | None
    ) -> None:
        answers.append(str(code))

    return note


def connect(made: mqtt.Client, broker: EmbeddedBroker) -> None:
    made.connect("127.0.0.1", broker.port)
    made.loop_start()
    until(made.is_connected)


def publish(broker: EmbeddedBroker, topics: list[str], *, retain: bool = False) -> None:
    publisher = client(broker, "publisher", clean=True)
    connect(publisher, broker)
    for information in [publisher.publish(topic, b"1", qos=1, retain=retain) for topic in topics]:
        information.wait_for_publish(10)
        assert information.is_published()
    publisher.disconnect()
    publisher.loop_stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
