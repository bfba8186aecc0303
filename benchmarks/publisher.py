"""A publisher in a process of its own: messages encoded beforehand, sent at QoS 1 as fast as the broker takes them.

It speaks MQTT 3.1.1 over a bare socket: paho itself sends at most 15,000 messages a second on the reference machine
and would be what is measured.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to publish: message i goes to topics[i % len(topics)]."""

    host: str
    port: int
    username: str
    password: str
    topics: list[str]
    payloads: list[bytes]
    in_flight: int = 2000


def publish(load: Load) -> None:
    """Send all, and return when the broker has acknowledged all."""
    with socket.create_connection((load.host, load.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_connect("bench-publisher", load.username, load.password))
        if connection.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker refused the publisher")
        room = threading.Semaphore(load.in_flight)
        reader = threading.Thread(target=_count, args=(connection, len(load.payloads), room))
        reader.start()
        _send(connection, load, room)
        reader.join()


def forget_session(load: Load, client: str) -> None:
    """End a client's session on the broker, which would go on queueing for it."""
    with socket.create_connection((load.host, load.port)) as connection:
        connection.sendall(_connect(client, load.username, load.password) + b"\xe0\x00")
        connection.recv(4)


def _send(connection: socket.socket, load: Load, room: threading.Semaphore) -> None:
    ready: list[bytes] = []
    topics = [_field(topic.encode()) for topic in load.topics]
    for number, payload in enumerate(load.payloads):
        if not room.acquire(blocking=False):
            connection.sendall(b"".join(ready))
            ready = []
            room.acquire()
        identifier = (number % 65_535 + 1).to_bytes(2, "big")
        body = topics[number % len(topics)] + identifier + payload
        ready.append(b"\x32" + _length(len(body)) + body)
        if len(ready) >= 100:
            connection.sendall(b"".join(ready))
            ready = []
    connection.sendall(b"".join(ready))


def _count(connection: socket.socket, wanted: int, room: threading.Semaphore) -> None:
    """Each acknowledgement has four bytes; nothing else comes on this connection."""
    received = 0
    while received < wanted * 4:
        content = connection.recv(65_536)
        if not content:
            raise ConnectionError("the broker closed the publisher's connection")
        done = (received + len(content)) // 4 - received // 4
        received += len(content)
        room.release(done)


def _connect(client: str, username: str, password: str) -> bytes:
    flags = 0b1100_0010 if username else 0b0000_0010
    body = _field(b"MQTT") + bytes((4, flags, 0, 0)) + _field(client.encode())
    if username:
        body += _field(username.encode()) + _field(password.encode())
    return b"\x10" + _length(len(body)) + body


def _field(content: bytes) -> bytes:
    return len(content).to_bytes(2, "big") + content


def _length(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (128 if size else 0))
        if not size:
            return bytes(encoded)


def publish_at(load: Load, rate: int, encode: Callable[[int, datetime], bytes]) -> None:
    """Send as many messages as there are payloads, `rate` a second, each encoded when it is sent.

    Args:
        encode: makes the payload of a message of its number and the moment at which it leaves.
    """
    with socket.create_connection((load.host, load.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_connect("bench-publisher", load.username, load.password))
        if connection.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker refused the publisher")
        count = len(load.payloads)
        reader = threading.Thread(target=_count, args=(connection, count, threading.Semaphore(load.in_flight)))
        reader.start()
        topics = [_field(topic.encode()) for topic in load.topics]
        started, sent = time.monotonic(), 0
        while sent < count:
            due = min(count, int((time.monotonic() - started) * rate) + 1)
            ready: list[bytes] = []
            for number in range(sent, due):
                identifier = (number % 65_535 + 1).to_bytes(2, "big")
                body = topics[number % len(topics)] + identifier + encode(number, datetime.now(UTC))
                ready.append(b"\x32" + _length(len(body)) + body)
            connection.sendall(b"".join(ready))
            sent = due
            time.sleep(0.005)
        reader.join()
