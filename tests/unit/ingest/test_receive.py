"""The receive path in bulk: what it asks of paho, and packets however the network cuts them."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.receive import BatchedClient, Packet, PlainClient

CONNACK = {mqtt.MQTTv311: b"\x20\x02\x00\x00", mqtt.MQTTv5: b"\x20\x03\x00\x00\x00"}


@dataclass
class Ends:
    """A client on one end of a socket, and the broker's end."""

    client: PlainClient
    broker: socket.socket
    packets: list[Packet] = field(default_factory=list[Packet])


@contextmanager
def connected(kind: type[PlainClient], protocol: int) -> Generator[Ends]:
    listener = socket.create_server(("127.0.0.1", 0))
    packets: list[Packet] = []
    client = kind(packets.extend, client_id="t", protocol=mqtt.MQTTv5 if protocol == 5 else mqtt.MQTTv311)
    client.connect("127.0.0.1", listener.getsockname()[1])
    broker, _ = listener.accept()
    listener.close()
    broker.recv(4096)
    broker.sendall(CONNACK[mqtt.MQTTv5 if protocol == 5 else mqtt.MQTTv311])
    yield Ends(client, broker, packets)
    client.disconnect()
    broker.close()


@pytest.fixture(params=[(BatchedClient, 4), (BatchedClient, 5), (PlainClient, 4), (PlainClient, 5)])
def ends(request: pytest.FixtureRequest) -> Generator[Ends]:
    with connected(*request.param) as made:
        yield made


def publish(topic: bytes, payload: bytes, number: int, head: int, *, five: bool, properties: bytes = b"") -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (number.to_bytes(2, "big") if head & 6 else b"")
    if five:
        body += variable(len(properties)) + properties
    body += payload
    return bytes((0x30 | head,)) + variable(len(body)) + body


def variable(size: int) -> bytes:
    encoded = bytearray()
    while True:
        size, low = divmod(size, 128)
        encoded.append(low | (128 if size else 0))
        if not size:
            return bytes(encoded)


def read_all(ends: Ends, wanted: int) -> None:
    for _ in range(1000):
        ends.client.loop_read()
        if len(ends.packets) >= wanted:
            return


def test_paho_has_what_the_batched_client_stands_on() -> None:
    assert BatchedClient.supported()


def test_each_message_is_handed_over_with_all_that_it_has(ends: Ends) -> None:
    five = ends.client.protocol == mqtt.MQTTv5
    ends.broker.sendall(
        publish(b"a/b", b"one", 7, 0b0010, five=five)
        + publish(b"a/c", b"", 0, 0b0001, five=five)
        + publish(b"a/d", b"x" * 300, 65535, 0b1010, five=five)
    )
    read_all(ends, 3)
    assert ends.packets == [
        Packet(b"a/b", b"one", 7, duplicate=False, retained=False),
        Packet(b"a/c", b"", 0, duplicate=False, retained=True),
        Packet(b"a/d", b"x" * 300, 65535, duplicate=True, retained=False),
    ]


def test_acknowledgements_are_packets_of_mqtt(ends: Ends) -> None:
    five = ends.client.protocol == mqtt.MQTTv5
    ends.broker.sendall(publish(b"a", b"", 1, 2, five=five) + publish(b"a", b"", 258, 2, five=five))
    read_all(ends, 2)
    ends.client.acknowledge([1, 258])
    received = b""
    while len(received) < 8:
        received += ends.broker.recv(100)
    assert received == b"\x40\x02\x00\x01\x40\x02\x01\x02"


@settings(deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.lists(st.integers(1, 900), min_size=1))
def test_however_the_network_cuts_them_packets_come_whole(sizes: list[int], cuts: list[int]) -> None:
    stream = b"".join(
        publish(b"t", bytes([n % 256]) * size, n + 1, 2, five=True, properties=b"\x26\x00\x01a\x00\x01b" * (n * 30))
        for n, size in enumerate(sizes)
    )
    with connected(BatchedClient, 5) as ends:
        at = 0
        while at < len(stream):
            cut = cuts[at % len(cuts)]
            ends.broker.sendall(stream[at : at + cut])
            ends.client.loop_read()
            at += cut
        read_all(ends, len(sizes))
        assert [packet.payload for packet in ends.packets] == [bytes([n % 256]) * s for n, s in enumerate(sizes)]


def test_a_paused_client_reads_nothing_and_loses_nothing() -> None:
    with connected(BatchedClient, 4) as ends:
        ends.client.paused = True
        ends.broker.sendall(publish(b"a", b"x", 1, 2, five=False))
        ends.client.loop_read()
        assert ends.packets == []
        ends.client.paused = False
        read_all(ends, 1)
        assert len(ends.packets) == 1
