import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from uuid import UUID

import httpx
import pytest

from rules.notify.webhook import WebhookChannel
from tests.integration.rules.notify.alerts import NOW
from tests.integration.rules.notify.http_receiver import drip, http_receiver, status
from tests.unit.rules.notify.notifications import notification
from veldwatch.errors import DeliveryFailed
from veldwatch.model.notifications import Channel


@contextmanager
def dripping_handshake() -> Generator[str]:
    """Answer a TLS greeting with a record that never ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"\x16\x03\x03\x40\x00")
                    while not over.wait(0.1):
                        connection.sendall(b"\x00")

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}/"
        over.set()


def refused(client: httpx.Client, address: str, longest_seconds: float = 1.0) -> DeliveryFailed:
    channel = WebhookChannel(client=client, clock=lambda: NOW, longest_seconds=longest_seconds)
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(notification(channel=Channel.WEBHOOK, address=address))
    return caught.value


def test_an_answer_that_drips_ends_at_the_deadline(client: httpx.Client) -> None:
    released = threading.Event()
    with http_receiver(drip(released)) as dripping:
        started = time.monotonic()
        failure = refused(client, dripping.url)
        assert 0.9 < time.monotonic() - started < 4
        released.set()
    assert not failure.permanent
    assert str(failure) == "no whole answer within 1 s"


def test_a_handshake_that_drips_ends_at_the_deadline(client: httpx.Client) -> None:
    with dripping_handshake() as address:
        started = time.monotonic()
        failure = refused(client, address)
        assert 0.9 < time.monotonic() - started < 4
    assert not failure.permanent


def test_each_message_has_the_whole_time_for_itself(client: httpx.Client) -> None:
    channel = WebhookChannel(client=client, clock=lambda: NOW, longest_seconds=1.0)
    with http_receiver(status(204)) as quick:
        for number in range(3):
            channel.send(notification(number, channel=Channel.WEBHOOK, address=quick.url))
            time.sleep(0.5)
        assert [request.headers["webhook-id"] for request in quick.requests] == [str(UUID(int=n)) for n in range(3)]


# Labels that are good as they are written, and not as they are asked for.
@pytest.mark.parametrize("host", ["\u00fc" * 62 + ".example.org", "\u3002\u3002.example.org"])
def test_a_name_that_nobody_can_ask_for_is_refused_for_good(client: httpx.Client, host: str) -> None:
    assert refused(client, f"http://{host}/", 5.0).permanent
