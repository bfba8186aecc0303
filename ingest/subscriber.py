"""The MQTT side of ingest: a session that outlives us, messages in chunks, acknowledgements after commit.

One thread owns the client: it reads, writes, pings and reconnects; nobody else calls paho. `take` and `acknowledge`
pass chunks and receipts to and from it. A receipt names the connection that it came on, and dies with it: the broker
delivers again what it holds unacknowledged. Construct validates; `start` connects.
"""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import NamedTuple

import structlog
from paho.mqtt import client as mqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ingest import measures, probe
from ingest.receive import BatchedClient, Packet, PlainClient
from veldwatch.broker_tls import broker_tls
from veldwatch.config import Settings
from veldwatch.model.telemetry import Message, Reply
from veldwatch.wire.topics import LONGEST_TOPIC_BYTES, check_filter

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_KEEPALIVE_SECONDS = 30
_SESSION_SECONDS = 30 * 24 * 3600
# What is longer is refused; a byte more is kept, so that it is seen to be.
_TOPIC_LIMIT = LONGEST_TOPIC_BYTES + 1
# Of messages held here: at 256 kB each, those that a broker may have in flight would be gigabytes, and of QoS 0 it may
# send any number.
_HELD_BYTES = 64 * 2**20
_RESUME_BYTES = 32 * 2**20
# Of a message, beside its topic and payload: measured. A short one of QoS 0 has 20 bytes of those.
_PACKET_BYTES = 170
# In one transaction: 60,000 readings of a gateway's long lists, which decoded take twenty times their bytes.
_BATCH_BYTES = 4 * 2**20
_LONGEST_BACK_OFF_SECONDS = 15.0
_GROUP = "veldwatch"
# A broker stops when as many messages are unacknowledged as it allows (Mosquitto: 1,000 of ours). So a batch of
# this size does not wait its whole time for others: a short pause in the stream ends it.
_FULL_ENOUGH = 500
_PAUSE_SECONDS = 0.002


class Receipt(NamedTuple):
    """What acknowledges packets: the connection that they came on, their numbers, the room they take, and when."""

    connection: int
    numbers: list[int]
    held_bytes: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Messages at hand, in order of arrival, with what acknowledges them.

    Attributes:
        probes: when each probe among them was sent, seconds since 1970.
    """

    messages: list[Message]
    receipts: list[Receipt]
    probes: list[float]


class Backlog(NamedTuple):
    """What was received and is not acknowledged."""

    messages: int
    oldest_received_at: datetime | None


class _Chunk(NamedTuple):
    receipt: Receipt
    content_bytes: int
    packets: list[Packet]
    probes: list[float]


class Subscriber:
    """Receives what the settings subscribe to.

    Raises:
        ConfigurationInvalid: a topic filter or a certificate is wrong.
    """

    def __init__(self, settings: Settings) -> None:
        for topic_filter in settings.subscriptions:
            check_filter(topic_filter)
        self._settings = settings
        self._chunks: SimpleQueue[_Chunk] = SimpleQueue()
        self._receipts: deque[Receipt] = deque()
        self._replies: deque[Reply] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._connection = 0
        self._held: set[int] = set()
        self._unacknowledged: deque[Receipt] = deque()
        self._is_shared = False
        self._probe_due = 0.0
        self._held_bytes = 0
        self._old_protocol = settings.mqtt_protocol == "3.1.1"
        self._client = self._make_client()
        self._wake, self._waken = socket.socketpair()
        self._waken.setblocking(False)
        self._wake.setblocking(False)
        self.connected = threading.Event()
        """Set while the broker has our subscriptions."""

    def start(self) -> None:
        """Connect, and stay connected until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Send what is to be acknowledged, and leave; the broker keeps the session."""
        self._stop.set()
        self._poke()
        self._thread.join(timeout=5)
        self._wake.close()
        self._waken.close()

    def take(self, limit: int, first_seconds: float, more_seconds: float) -> Taken:
        """Wait for messages.

        Args:
            limit: give no further chunk once so many messages, or 4 MiB of topics and payloads, are at hand.
            first_seconds: how long to wait for the first.
            more_seconds: how long, from the first on, to wait for others.
        """
        messages: list[Message] = []
        receipts: list[Receipt] = []
        probes: list[float] = []
        wait, until, taken_bytes = first_seconds, 0.0, 0
        while len(messages) < limit and taken_bytes < _BATCH_BYTES:
            try:
                chunk = self._chunks.get(timeout=wait)
            except Empty:
                break
            until = until or time.monotonic() + more_seconds
            receipts.append(chunk.receipt)
            probes += chunk.probes
            taken_bytes += chunk.content_bytes
            messages += [
                Message(_text(packet.topic), packet.payload, chunk.receipt.received_at, packet.retained)
                for packet in chunk.packets
            ]
            wait = max(0.0, until - time.monotonic())
            if len(messages) >= _FULL_ENOUGH:
                wait = min(wait, _PAUSE_SECONDS)
        return Taken(messages=messages, receipts=receipts, probes=probes)

    def acknowledge(self, taken: Taken) -> None:
        """Tell the broker that messages are kept; those of an earlier connection it will bring again."""
        self._receipts.extend(taken.receipts)
        self._poke()

    def publish(self, replies: Sequence[Reply]) -> None:
        """Publish at QoS 0, not retained; without a connection they are dropped: who asked asks again."""
        self._replies.extend(replies)
        self._poke()

    def backlog(self) -> Backlog:
        """Tell what is not acknowledged yet."""
        try:
            oldest = self._unacknowledged[0].received_at
        except IndexError:  # the other thread may have taken the last one just now
            oldest = None
        return Backlog(len(self._held), oldest)

    @property
    def manner(self) -> tuple[str, bool]:
        """Tell the protocol's version, and whether the subscription is shared, of the latest connection."""
        return ("3.1.1" if self._old_protocol else "5", self._is_shared)

    def _poke(self) -> None:
        with suppress(OSError):  # full: the thread is being woken already
            self._waken.send(b"\0")

    # What follows runs in the client's thread.

    def _run(self) -> None:
        back_off = 0.2
        while not self._stop.is_set():
            try:
                self._client.reconnect()
            except (OSError, ValueError) as error:
                _log.warning("broker away", reason=str(error), host=self._settings.mqtt_host)
                self._stop.wait(back_off)
                back_off = min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)
                continue
            started = time.monotonic()
            self._serve()
            self._lose_connection()
            back_off = 0.2 if time.monotonic() - started > 5 else min(back_off * 2, _LONGEST_BACK_OFF_SECONDS)
            self._stop.wait(back_off)

    def _serve(self) -> None:
        """Drive one connection until it ends."""
        client = self._client
        while client is self._client and (sock := client.socket()) is not None:
            readable, writable, _ = select.select([sock, self._wake], [sock] if client.want_write() else [], [], 1.0)
            if self._wake in readable:
                with suppress(BlockingIOError):
                    self._wake.recv(4096)
            self._settle()
            self._probe()
            if sock in readable and client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if sock in writable and client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if self._stop.is_set():
                self._settle()
                client.disconnect()
                return

    def _settle(self) -> None:
        """Acknowledge what was committed on this connection, in one packet."""
        numbers: list[int] = []
        while self._receipts:
            receipt = self._receipts.popleft()
            self._held_bytes -= receipt.held_bytes
            if receipt.connection == self._connection:
                numbers += receipt.numbers
                self._unacknowledged.popleft()
        if numbers:
            self._client.acknowledge(numbers)
            self._held.difference_update(numbers)
        while self._replies:
            reply = self._replies.popleft()
            self._client.publish(reply.topic, reply.payload, qos=0)
        if self._client.paused and self._held_bytes < _RESUME_BYTES:
            self._client.paused = False
        measures.IN_FLIGHT.set(len(self._held))

    def _probe(self) -> None:
        """Send a message of our own through the queue; one that is refused or lost costs nothing but its figure."""
        if self.connected.is_set() and time.monotonic() >= self._probe_due:
            self._probe_due = time.monotonic() + probe.EVERY_SECONDS
            self._client.publish(probe.topic(self._settings.mqtt_client_id), probe.payload(time.time()), qos=1)

    def _lose_connection(self) -> None:
        self._connection += 1
        self._held.clear()
        self._unacknowledged.clear()
        self._replies.clear()
        self.connected.clear()
        measures.CONNECTED.set(0)

    def _received(self, packets: list[Packet]) -> None:
        # A broker may bring again, on a live connection, what it holds unacknowledged (NATS does).
        if any(packet.duplicate for packet in packets):
            packets = [p for p in packets if not (p.duplicate and p.number in self._held)]
        if not packets:
            return
        limit = self._settings.payload_limit_bytes + 1
        if any(len(packet.payload) > limit or len(packet.topic) > _TOPIC_LIMIT for packet in packets):
            packets = [p._replace(topic=p.topic[:_TOPIC_LIMIT], payload=p.payload[:limit]) for p in packets]
        numbers = [packet.number for packet in packets if packet.number]
        packets, probes = probe.told_apart(packets)
        content_bytes = sum(len(packet.topic) + len(packet.payload) for packet in packets)
        held_bytes = content_bytes + _PACKET_BYTES * len(packets)
        self._held.update(numbers)
        self._held_bytes += held_bytes
        if self._held_bytes > _HELD_BYTES:
            self._client.paused = True
        receipt = Receipt(self._connection, numbers, held_bytes, datetime.now(UTC))
        self._unacknowledged.append(receipt)
        self._chunks.put(_Chunk(receipt, content_bytes, packets, probes))

    def _make_client(self) -> PlainClient:
        settings = self._settings
        kind = BatchedClient if BatchedClient.supported() else PlainClient
        five = not self._old_protocol
        client = kind(
            self._received,
            client_id=settings.mqtt_client_id,
            protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311,
            **({} if five else {"clean_session": False}),
        )
        if settings.mqtt_username:
            client.username_pw_set(settings.mqtt_username, settings.mqtt_password)
        if settings.mqtt_tls:
            client.tls_set_context(broker_tls(settings))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        host, port = settings.mqtt_host, settings.mqtt_port
        if five:
            session = _session(settings.in_flight)
            client.connect_async(host, port, _KEEPALIVE_SECONDS, clean_start=False, properties=session)
        else:
            client.connect_async(host, port, _KEEPALIVE_SECONDS)
        return client

    def _on_connect(
        self,
        client: mqtt.Client,
        _given: object,
        _flags: mqtt.ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            _log.warning("broker refused the connection", reason=str(code))
            if self._settings.mqtt_protocol == "auto" and str(code) == "Unsupported protocol version":
                _log.info("falling back to MQTT 3.1.1")
                self._old_protocol = True
                self._client = self._make_client()
            return
        shared = self._is_shared = self._shared(properties)
        plain = list(self._settings.subscriptions)
        grouped = [f"$share/{_GROUP}/{topic_filter}" for topic_filter in plain]
        # The session may remember the other form from an earlier run: both together would deliver all twice.
        client.unsubscribe(plain if shared else grouped)
        wanted = grouped if shared else plain
        if self._old_protocol:
            client.subscribe([(topic_filter, 1) for topic_filter in wanted])
        else:
            client.subscribe([(topic_filter, SubscribeOptions(qos=1)) for topic_filter in wanted])
        _log.info("connected", protocol="3.1.1" if self._old_protocol else "5", shared=shared)

    def _shared(self, properties: Properties | None) -> bool:
        if self._settings.mqtt_shared != "auto":
            return self._settings.mqtt_shared == "always"
        # MQTT 5, 3.2.2.3.13: absent means that the broker has it. 3.1.1 does not say.
        return not self._old_protocol and getattr(properties, "SharedSubscriptionAvailable", 1) == 1

    def _on_subscribe(
        self, _client: mqtt.Client, _given: object, _mid: int, codes: list[ReasonCode], _properties: Properties | None
    ) -> None:
        refused = [str(code) for code in codes if code.is_failure]
        if refused:
            _log.error("broker refused a subscription", reasons=refused, subscriptions=self._settings.subscriptions)
            return
        self.connected.set()
        measures.CONNECTED.set(1)


def _session(in_flight: int) -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = _SESSION_SECONDS
    properties.ReceiveMaximum = in_flight
    return properties


def _text(topic: bytes) -> str:
    return topic.decode(errors="backslashreplace")
