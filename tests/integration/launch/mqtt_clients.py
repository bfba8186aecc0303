"""MQTT clients for tests of who may do what: they note what they were told, and raise when they are not let in."""

import ssl
import time
from collections.abc import Callable
from threading import Event
from typing import Self

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

PATIENCE_SECONDS = 15.0


class Peer:
    """One connection to a broker on this machine, left at the end of the block."""

    def __init__(
        self,
        port: int,
        username: str,
        password: str,
        *,
        client_id: str = "",
        will: str | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.heard: list[str] = []
        self.granted: list[bool] = []
        self.cut_off = Event()
        self._let_in = Event()
        self._refused = Event()
        self._name = username
        self._address = (host, port)
        self.client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or f"t-{username}-{time.monotonic_ns()}".replace(".", "-")[:60],
            protocol=MQTTv311,
            clean_session=not client_id,
        )
        if username:
            self.client.username_pw_set(username, password)
        if will is not None:
            self.client.will_set(will, b"offline", 1, retain=True)
        if tls is not None:
            self.client.tls_set_context(tls)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe

    def __enter__(self) -> Self:
        try:
            self.client.connect(*self._address)
        except OSError as error:
            raise PermissionError(self._name) from error
        self.client.loop_start()
        until(lambda: self._let_in.is_set() or self._refused.is_set(), f"no answer to {self._name}")
        if not self._let_in.is_set():
            self.client.loop_stop()
            raise PermissionError(self._name)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, topic: str, *, retain: bool = False) -> None:
        """Publish what may be published, and wait for the acknowledgement."""
        self.client.publish(topic, b"{}", qos=1, retain=retain).wait_for_publish(PATIENCE_SECONDS)

    def attempt(self, topic: str, *, retain: bool = False) -> None:
        """Publish what may not be: a broker acknowledges and drops it, or closes the connection."""
        answered = Event()
        self.client.on_publish = lambda _c, _u, _mid, _code, _properties: answered.set()
        self.client.publish(topic, b"forged", qos=1, retain=retain)
        deadline = time.monotonic() + 1
        while not answered.is_set() and not self.cut_off.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)

    def subscribe(self, topic_filter: str) -> bool:
        """Tell whether a subscription was granted; Mosquitto grants all and delivers only what may be heard."""
        before = len(self.granted)
        self.client.subscribe(topic_filter, 1)
        until(lambda: len(self.granted) > before, "no answer to the subscription")
        return self.granted[-1]

    def vanish(self) -> None:
        """Break the connection without a goodbye, so that the broker publishes the will."""
        self.client.loop_stop()
        sock = self.client.socket()
        assert sock is not None
        sock.close()

    def _on_connect(self, _c: Client, _u: object, _f: ConnectFlags, code: ReasonCode, _p: Properties | None) -> None:
        (self._refused if code.is_failure else self._let_in).set()

    def _on_disconnect(
        self, _c: Client, _u: object, _f: DisconnectFlags, _code: ReasonCode, _p: Properties | None
    ) -> None:
        self.cut_off.set()
        if not self._let_in.is_set():
            self._refused.set()

    def _on_message(self, _c: Client, _u: object, message: MQTTMessage) -> None:
        self.heard.append(message.topic)

    def _on_subscribe(self, _c: Client, _u: object, _mid: int, codes: list[ReasonCode], _p: Properties | None) -> None:
        self.granted.append(not codes[0].is_failure)


def until(condition: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def is_let_in(port: int, username: str, password: str) -> bool:
    try:
        with Peer(port, username, password):
            return True
    except PermissionError:
        return False
