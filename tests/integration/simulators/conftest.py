"""A broker of the test's own, and somebody who listens to everything."""

import threading
from collections.abc import Generator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from launch.embedded_broker import EmbeddedBroker


class Listener:
    """Keeps every message of ours, in the order of arrival."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self.ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener")
        self._client.username_pw_set(broker.username, broker.password)
        self._client.on_subscribe = self._note_subscription
        self._client.on_message = self._keep
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("veldwatch/v1/#", qos=1)
        assert self.ready.wait(10)

    def _note_subscription(self, *_: object) -> None:
        self.ready.set()

    def _keep(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Generator[EmbeddedBroker]:
    server = EmbeddedBroker(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def listener(broker: EmbeddedBroker) -> Generator[Listener]:
    opened = Listener(broker)
    yield opened
    opened.close()
