"""Publishing in bulk at QoS 1: paho-mqtt's client, with its sending and its reading of acknowledgements in one pass.

paho's own path costs 60 µs a message (a lock, several objects, a wake-up and three reads of the socket for each); this
one 2 µs. Connecting, TLS, will, keep-alive and reconnecting stay paho's. It stands on names of paho 2.2 that are
private; a test holds them fast.

What is sent is kept until it is acknowledged, and sent again after a reconnect, marked DUP, in the same order.
Source: MQTT 3.1.1, sections 3.3, 3.4 and 4.4.
"""

import inspect
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from simulators.report import Message
from veldwatch.wire.mqtt_packets import bounds

_READ_BYTES = 65_536
_PUBLISH = 0x30
_PUBACK = b"\x40"
_TWO = b"\x02"
_AT_QOS_1 = 0x32
_AGAIN = b"\x3a"
_IDENTIFIERS = 65_535
_PIECE = 500
"""Packets handed to paho as one: it copies what is left of a piece at each write that the socket takes in part."""
_MANY = 200
_GATHER_SECONDS = 0.001
"""Mosquitto writes each acknowledgement by itself; to wake for each costs 20 µs a message where many are due."""
_PRIVATE = ("_packet_queue", "_packet_handle", "_loop_rc_handle")


class BulkClient(mqtt.Client):
    """A client whose `send` takes many messages at once.

    `loop_start` drives it; any thread may `send`. `on_connect` has to call `resume`.

    Args:
        on_acknowledged: called by the network's thread after some were acknowledged.
    """

    def __init__(self, client_id: str, on_acknowledged: Callable[[], None]) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        self._on_acknowledged = on_acknowledged
        self._lock = threading.Lock()
        self._kept: dict[int, bytes] = {}
        self._last = 0
        self._is_ready = False
        self._read_from: object = None
        self._rest = b""

    @staticmethod
    def supported() -> bool:
        """Tell whether paho has the private names that this class stands on."""
        return (
            all(callable(getattr(mqtt.Client, name, None)) for name in _PRIVATE)
            and {"_sock", "_in_packet", "_last_bytes_received"} <= set(vars(mqtt.Client(CallbackAPIVersion.VERSION2)))
            and list(
                inspect.signature(mqtt.Client._packet_queue).parameters  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the contract
            )[:5]
            == ["self", "command", "packet", "mid", "qos"]
        )

    @property
    def unacknowledged(self) -> int:
        """Return how many messages the broker has not acknowledged."""
        return len(self._kept)

    def send(self, messages: Iterable[Message]) -> None:
        """Keep messages, and send them where there is a connection."""
        with self._lock:
            packets = [self._packet(message.topic, message.payload) for message in messages]
            if self._is_ready:
                self._queue(packets)

    def resume(self) -> None:
        """Send what is kept once more; to be called when the broker has accepted the connection."""
        with self._lock:
            self._queue([_AGAIN + packet[1:] for packet in self._kept.values()])
            self._is_ready = True

    def reconnect(self) -> MQTTErrorCode:
        """Connect; until the broker has accepted, messages are only kept."""
        with self._lock:
            self._is_ready = False
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what the socket holds: acknowledgements here, other packets paho's way."""
        del max_packets
        connection = self._sock
        if connection is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        if self._read_from is not connection:
            self._read_from, self._rest = connection, b""
        if len(self._kept) > _MANY:
            time.sleep(_GATHER_SECONDS)
        try:
            received = connection.recv(_READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            received = b""
        if not received:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        self._last_bytes_received = time.monotonic()
        return self._take(self._rest + received)

    def _packet(self, topic: str, payload: bytes) -> bytes:
        """Make a PUBLISH, and keep it under an identifier that is free."""
        number = self._last % _IDENTIFIERS + 1
        while number in self._kept:
            number = number % _IDENTIFIERS + 1
        self._last = number
        encoded = topic.encode()
        size = len(encoded)
        packet = b"".join(
            (_head(4 + size + len(payload)), size.to_bytes(2, "big"), encoded, number.to_bytes(2, "big"), payload)
        )
        self._kept[number] = packet
        return packet

    def _queue(self, packets: Sequence[bytes]) -> None:
        for place in range(0, len(packets), _PIECE):
            self._packet_queue(_PUBLISH, b"".join(packets[place : place + _PIECE]), 0, 1)

    def _take(self, content: bytes) -> MQTTErrorCode:
        count = len(content) // 4
        if len(content) == count * 4 and content[::4] == _PUBACK * count and content[1::4] == _TWO * count:
            self._rest = b""
            self._acknowledge(struct.unpack(f"!{count * 2}H", content)[1::2])
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        place = 0
        numbers: list[int] = []
        while (found := bounds(content, place)) is not None:
            start, end = found
            if content[place] == _PUBACK[0] and end - start == 2:
                numbers.append(content[start] << 8 | content[start + 1])
            else:
                code = self._other(content[place], content[start:end])
                if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    self._acknowledge(numbers)
                    return self._loop_rc_handle(code)
            place = end
        self._rest = content[place:]
        self._acknowledge(numbers)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _acknowledge(self, numbers: Sequence[int]) -> None:
        if not numbers:
            return
        with self._lock:
            forget = self._kept.pop
            for number in numbers:
                forget(number, None)
        self._on_acknowledged()

    def _other(self, command: int, content: bytes) -> MQTTErrorCode:
        """Let paho take a packet as if it had read it itself."""
        self._in_packet = {
            "command": command,
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "remaining_length": len(content),
            "packet": bytearray(content),
            "to_process": 0,
            "pos": 0,
        }
        return self._packet_handle()


def _head(remaining: int) -> bytes:
    """Return a PUBLISH packet's fixed header at QoS 1."""
    if remaining < 128:
        return bytes((_AT_QOS_1, remaining))
    if remaining < 16_384:
        return bytes((_AT_QOS_1, remaining & 127 | 128, remaining >> 7))
    encoded = bytearray((_AT_QOS_1,))
    while remaining > 127:
        encoded.append(remaining & 127 | 128)
        remaining >>= 7
    encoded.append(remaining)
    return bytes(encoded)
