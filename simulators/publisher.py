"""Publishing at QoS 1: bounded, patient, and complete as long as the process lives.

Contract: `publish` and `publish_many` wait while too many messages are unacknowledged (a broker that is away or slow),
and give up only when asked to stop. What is unacknowledged is kept, and sent again after a reconnect.
"""

import threading
from collections.abc import Sequence
from typing import Self

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.reasoncodes import ReasonCode

from simulators.bulk_client import BulkClient
from simulators.report import Message
from veldwatch.broker_tls import broker_tls
from veldwatch.config import Settings

_log = structlog.get_logger()
# Enough to keep the broker busy while this process makes the next messages; twice as many are no faster.
_MOST_UNACKNOWLEDGED = 2000
# Room is waited for in quarters, so that neither side is woken for every few messages.
_WORTH_WAITING_FOR = _MOST_UNACKNOWLEDGED // 4


class Publisher:
    """One connection to the broker; a context manager that flushes at its end.

    Args:
        will: topic and payload that the broker publishes when this connection is lost.
        birth: topic and payload published at every connect.
    """

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        *,
        client_id: str,
        will: tuple[str, bytes] | None = None,
        birth: tuple[str, bytes] | None = None,
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._birth = birth
        self._changed = threading.Condition()
        self._client = BulkClient(client_id, self._on_acknowledged)
        self._client.reconnect_delay_set(1, 10)
        if settings.mqtt_username:
            self._client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
        if settings.mqtt_tls:
            self._client.tls_set_context(broker_tls(settings))
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect

    def __enter__(self) -> Self:
        self._client.connect_async(self._settings.mqtt_host, self._settings.mqtt_port, keepalive=20)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self.flush(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def unacknowledged(self) -> int:
        """Return how many messages the broker has not acknowledged."""
        return self._client.unacknowledged

    def publish(self, topic: str, payload: bytes) -> bool:
        """Hand over one message; False: asked to stop while the broker took nothing."""
        return self.publish_many((Message(0, topic, payload),))

    def publish_many(self, messages: Sequence[Message]) -> bool:
        """Hand over messages in their order; False: asked to stop while the broker took nothing, the rest is not sent.

        Fast in pieces of some hundred; when they are due is not looked at.
        """
        place = 0
        while place < len(messages):
            room = self._room(len(messages) - place)
            if not room:
                return False
            self._client.send(messages[place : place + room])
            place += room
        return True

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until everything is acknowledged; False: time ran out."""
        with self._changed:
            return self._changed.wait_for(lambda: self._client.unacknowledged == 0, timeout_seconds)

    def _room(self, wanted: int) -> int:
        """Wait until the broker has acknowledged enough; 0: asked to stop meanwhile."""
        enough = _MOST_UNACKNOWLEDGED - min(wanted, _WORTH_WAITING_FOR)
        while (unacknowledged := self._client.unacknowledged) > enough:
            if self._stop.is_set():
                return 0
            with self._changed:
                self._changed.wait_for(lambda: self._client.unacknowledged <= enough, 0.2)
        return min(wanted, _MOST_UNACKNOWLEDGED - unacknowledged)

    def _on_acknowledged(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _on_connect(
        self, client: mqtt.Client, _userdata: object, _flags: mqtt.ConnectFlags, reason: ReasonCode, _properties: object
    ) -> None:
        del client
        if reason.is_failure:
            _log.warning("broker refused the connection", reason=str(reason))
            return
        _log.info("connected to the broker")
        self._client.resume()
        if self._birth is not None:
            self._client.send((Message(0, *self._birth),))

    def _on_disconnect(
        self, _client: mqtt.Client, _userdata: object, _flags: object, reason: ReasonCode, _properties: object
    ) -> None:
        if reason.is_failure:
            _log.warning("connection to the broker lost", reason=str(reason))
