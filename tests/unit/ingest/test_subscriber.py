"""What is held of messages that were received is bounded."""

import tracemalloc
from collections.abc import Generator

import pytest

import ingest.subscriber
from ingest.receive import Packet
from ingest.subscriber import Subscriber
from veldwatch.config import Settings


@pytest.fixture
def subscriber() -> Generator[Subscriber]:
    """Give one that is never connected."""
    made = Subscriber(Settings(dsn="postgresql://nowhere", payload_limit_bytes=1000))
    yield made
    for end in (made._wake, made._waken):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # `stop` closes what was started
        end.close()


def receive(subscriber: Subscriber, *packets: Packet) -> None:
    subscriber._received(list(packets))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as the client calls it


@pytest.mark.parametrize("topic", [b"x" * 60_000, "é".encode() * 30_000, b"\xff" * 60_000])
def test_of_long_topics_and_payloads_the_beginning_is_held(subscriber: Subscriber, topic: bytes) -> None:
    receive(subscriber, Packet(topic, b"y" * 60_000, 1, duplicate=False, retained=False))
    taken = subscriber.take(10, 1, 0)
    assert [receipt.held_bytes for receipt in taken.receipts] == [1025 + 1001 + 170]
    (message,) = taken.messages
    assert len(message.payload) == 1001
    assert 1024 < len(message.topic.encode()) < 5000


def test_topics_count_among_what_is_held(subscriber: Subscriber) -> None:
    receive(subscriber, *(Packet(b"x" * 1000, b"", n, duplicate=False, retained=False) for n in range(1, 5001)))
    assert len(subscriber.take(10_000, 1, 0).messages) == 5000, "one chunk is not cut"
    assert subscriber.backlog().messages == 5000
    for _ in range(20):
        receive(subscriber, *(Packet(b"x" * 1000, b"", n, duplicate=False, retained=False) for n in range(1, 5001)))
    assert len(subscriber.take(10**6, 1, 1).messages) == 5000, "a batch ends with so many bytes"
    assert subscriber._client.paused  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def test_short_messages_count_with_what_each_takes_beside_its_bytes(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest.subscriber, "_HELD_BYTES", 6 * 2**20)
    tracemalloc.start()
    try:
        while not subscriber._client.paused:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            receive(
                subscriber, *(Packet(b"tele/%d/x" % n, b"%d" % n, 0, False, False) for n in range(1000, 2000))
            )  # not DUP, not retained
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 10 * 2**20
