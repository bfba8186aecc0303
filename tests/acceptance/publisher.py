"""A publisher that keeps every message until the broker has acknowledged it, whatever becomes of the connection."""

import time
from collections.abc import Mapping
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode


class KeepingPublisher:
    """Publishes at QoS 1; paho keeps what is not acknowledged, and sends it again after a reconnect.

    Args:
        address: `mqtt` of `run.json`.
        most_unacknowledged: messages under way at once.
    """

    def __init__(self, address: Mapping[str, Any], name: str = "acceptance", *, most_unacknowledged: int = 200) -> None:
        self._most = most_unacknowledged
        self._handed_over = 0
        self._acknowledged = 0
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv311)
        self._client.username_pw_set(address["username"], address["password"])
        self._client.max_inflight_messages_set(0)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_publish = self._note_acknowledgement
        self._client.connect_async(address["host"], address["port"])
        self._client.loop_start()

    @property
    def unacknowledged(self) -> int:
        return self._handed_over - self._acknowledged

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand a message over; waits while too many are unacknowledged."""
        while self.unacknowledged >= self._most:
            time.sleep(0.002)
        self._handed_over += 1
        self._client.publish(topic, payload, qos=1)

    def finish(self, seconds: float = 60) -> None:
        """Wait until everything is acknowledged, and leave."""
        deadline = time.monotonic() + seconds
        while self.unacknowledged:
            assert time.monotonic() < deadline, f"{self.unacknowledged} messages were never acknowledged"
            time.sleep(0.01)
        self._client.disconnect()
        self._client.loop_stop()

    def _note_acknowledgement(
        self, _client: mqtt.Client, _given: object, _number: int, _code: ReasonCode, _properties: Properties
    ) -> None:
        self._acknowledged += 1
