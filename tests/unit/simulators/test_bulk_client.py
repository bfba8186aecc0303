"""Publishing in bulk: what it asks of paho, and packets and acknowledgements however the network cuts them."""

import socket
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.bulk_client import BulkClient
from simulators.report import Message

CONNACK = b"\x20\x02\x00\x00"
PINGRESP = b"\xd0\x00"


class Ends:
    """A client on one end of a socket, and the broker's end; the test is the loop."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.told = 0
        self.client = BulkClient("t", self._count)
        self.client.on_connect = lambda *_: self.client.resume()  # pyright: ignore[reportUnknownLambdaType]  # paho's five arguments
        self.client.connect("127.0.0.1", self.listener.getsockname()[1])
        self.broker = self.accept()

    def _count(self) -> None:
        self.told += 1

    def accept(self) -> socket.socket:
        """Take the client's connection, and say yes."""
        broker, _ = self.listener.accept()
        broker.settimeout(10)
        assert broker.recv(4096)[0] == 0x10
        broker.sendall(CONNACK)
        return broker

    def read(self) -> None:
        """Let the client read what has come."""
        self.client.loop_read()

    def written(self, count: int) -> list[tuple[int, int, bytes, bytes]]:
        """Give what the client sends next: head, identifier, topic, payload."""
        found: list[tuple[int, int, bytes, bytes]] = []
        content = b""
        while len(found) < count:
            self.client.loop_write()
            content += self.broker.recv(1 << 22)
            found = packets(content)
        return found

    def close(self) -> None:
        self.client.disconnect()
        self.broker.close()
        self.listener.close()


def packets(content: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """Read the packets that have come whole."""
    found: list[tuple[int, int, bytes, bytes]] = []
    at = 0
    while at < len(content):
        head, start = content[at], at + 1
        while start < len(content) and content[start] > 127:
            start += 1
        end = start + 1 + sum((byte & 127) << 7 * place for place, byte in enumerate(content[at + 1 : start + 1]))
        if end > len(content):
            break
        size = int.from_bytes(content[start + 1 : start + 3], "big")
        topic = content[start + 3 : start + 3 + size]
        number = int.from_bytes(content[start + 3 + size : start + 5 + size], "big")
        found.append((head, number, topic, content[start + 5 + size : end]))
        at = end
    return found


def puback(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


@contextmanager
def opened() -> Generator[Ends]:
    made = Ends()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def ends() -> Generator[Ends]:
    with opened() as made:
        yield made


def messages(*payloads: bytes) -> list[Message]:
    return [Message(0, f"a/{number}", payload) for number, payload in enumerate(payloads)]


def test_paho_has_what_the_bulk_client_stands_on() -> None:
    assert BulkClient.supported()


@pytest.mark.parametrize("size", [0, 1, 117, 118, 119, 16_373, 16_374, 16_375, 2_200_000])
def test_a_payload_of_any_size_arrives(ends: Ends, size: int) -> None:
    ends.read()
    ends.client.send(messages(b"x" * size))
    assert ends.written(1) == [(0x32, 1, b"a/0", b"x" * size)]


def test_before_the_broker_accepts_messages_are_only_kept(ends: Ends) -> None:
    ends.client.send(messages(b"early"))
    assert ends.client.unacknowledged == 1
    ends.read()
    assert ends.written(1) == [(0x3A, 1, b"a/0", b"early")]


def test_what_is_unacknowledged_is_sent_again_after_a_reconnect_in_order_and_marked(ends: Ends) -> None:
    ends.read()
    ends.client.send(messages(b"0", b"1", b"2", b"3"))
    assert [packet[0] for packet in ends.written(4)] == [0x32] * 4
    ends.broker.sendall(puback(2) + puback(4)[:3])
    ends.read()
    ends.broker.close()
    ends.client.reconnect()
    ends.client.send(messages(b"meanwhile"))
    ends.broker = ends.accept()
    ends.read()
    assert [(head, payload) for head, _, _, payload in ends.written(4)] == [
        (0x3A, payload) for payload in (b"0", b"2", b"3", b"meanwhile")
    ]


def test_an_identifier_that_is_in_use_is_not_given_again(ends: Ends) -> None:
    ends.read()
    ends.client.send(messages(b"stays"))
    assert ends.written(1)[0][1] == 1
    for _ in range(2):
        for start in range(0, 65_534, 9000):
            numbers = list(range(start + 2, min(start + 9002, 65_536)))
            ends.client.send(messages(*[b"" for _ in numbers]))
            assert [packet[1] for packet in ends.written(len(numbers))] == numbers
            ends.broker.sendall(b"".join(puback(number) for number in numbers))
            while ends.client.unacknowledged > 1:
                ends.read()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), max_size=8), st.lists(st.booleans(), min_size=40, max_size=40))
def test_acknowledgements_count_however_the_network_cuts_them(cuts: list[int], pings: list[bool]) -> None:
    with opened() as ends:
        ends.read()
        ends.client.send(messages(*[b"m"] * 40))
        content = b"".join(puback(n + 1) + (PINGRESP if ping else b"") for n, ping in enumerate(pings))
        for cut in [*cuts, len(content)]:
            piece, content = content[:cut], content[cut:]
            if piece:
                ends.broker.sendall(piece)
                ends.client.socket().setblocking(True)  # pyright: ignore[reportOptionalMemberAccess, reportAttributeAccessIssue, reportUnknownMemberType]
                ends.read()
        assert ends.client.unacknowledged == 0
        assert ends.told > 0
