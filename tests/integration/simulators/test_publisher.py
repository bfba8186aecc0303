"""Publishing in bulk to real brokers: through lost connections and a broker that is killed, nothing is lost."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from launch.embedded_broker import EmbeddedBroker
from simulators.publisher import Publisher
from simulators.report import Message
from veldwatch.config import Settings, load_settings

MANY = 20_000
WINDOW = 2000


class Keeping:
    """A subscriber with a session that outlasts broker and connection."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self.payloads: list[bytes] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="keeping", clean_session=False, protocol=mqtt.MQTTv311
        )
        self._client.username_pw_set(broker.username, broker.password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._subscribe
        self._client.on_subscribe = lambda *_: self._ready.set()  # pyright: ignore[reportUnknownLambdaType]
        self._client.on_message = lambda _c, _u, message: self.payloads.append(bytes(message.payload))  # pyright: ignore[reportUnknownLambdaType, reportUnknownMemberType]
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(20)

    def _subscribe(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe("bulk/#", qos=1)

    def wait_for(self, wanted: set[bytes]) -> set[bytes]:
        """Wait until all is there; gives what is missing."""
        until = time.monotonic() + 60
        while (missing := wanted.difference(self.payloads)) and time.monotonic() < until:
            time.sleep(0.1)
        return missing

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Cable:
    """Passes bytes on to a broker, until it is cut."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._to = port
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for end in self._ends:
            with suppress(OSError):  # it ended by itself
                # Reset rather than close: nothing that is under way arrives.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """End it as the end of a process does. After a reset NATS (2.15.1) does not publish every will."""
        self._ends[1].shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._ends = [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pass, args=(source, sink), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with source, sink, suppress(OSError):  # the other direction closed both, or it was cut
        while content := source.recv(4096):
            sink.sendall(content)


@pytest.fixture(params=["nats", "mosquitto"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[EmbeddedBroker]:
    if request.param == "mosquitto" and not shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin"):
        pytest.skip("there is no mosquitto on this machine")
    server = EmbeddedBroker(tmp_path / "broker", kind=request.param)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def keeping(either: EmbeddedBroker) -> Generator[Keeping]:
    opened = Keeping(either)
    yield opened
    opened.close()


def to(broker: EmbeddedBroker, port: int = 0) -> Settings:
    return load_settings(mqtt_port=port or broker.port, mqtt_username=broker.username, mqtt_password=broker.password)


def numbered(first: int, count: int) -> list[Message]:
    return [Message(0, f"bulk/{n % 100}", b"%d" % n) for n in range(first, first + count)]


def pieces() -> Iterator[list[Message]]:
    for first in range(0, MANY, 500):
        yield numbered(first, 500)


def test_messages_arrive_once_each_and_in_order(either: EmbeddedBroker, keeping: Keeping) -> None:
    with Publisher(to(either), threading.Event(), client_id="bulk") as publisher:
        assert publisher.publish_many(numbered(0, 5000))
        assert publisher.publish("bulk/last", b"5000")
        assert publisher.publish_many([])
        assert publisher.flush(30)
    assert not keeping.wait_for({b"%d" % n for n in range(5001)})
    assert keeping.payloads == [b"%d" % n for n in range(5001)]


def test_a_connection_that_is_cut_again_and_again_loses_nothing(either: EmbeddedBroker, keeping: Keeping) -> None:
    cable = Cable(either.port)
    with Publisher(to(either, cable.port), threading.Event(), client_id="bulk") as publisher:
        for number, piece in enumerate(pieces()):
            assert publisher.publish_many(piece)
            if number % 10 == 9:
                cable.cut()
        assert publisher.flush(60)
    cable.close()
    assert not keeping.wait_for({b"%d" % n for n in range(MANY)})


def test_every_connection_begins_with_the_birth_and_a_lost_one_ends_with_the_will(
    either: EmbeddedBroker, keeping: Keeping
) -> None:
    cable = Cable(either.port)
    will, birth = ("bulk/status", b"offline"), ("bulk/status", b"online")
    with Publisher(to(either, cable.port), threading.Event(), client_id="b", will=will, birth=birth) as publisher:
        assert not keeping.wait_for({b"online"})
        cable.end()
        assert not keeping.wait_for({b"offline"})
        while keeping.payloads.count(b"online") < 2:
            time.sleep(0.05)
        assert publisher.flush(30)
    cable.close()
    assert keeping.payloads == [b"online", b"offline", b"online"]


def test_a_broker_that_is_killed_loses_nothing_that_it_had_not_acknowledged(
    either: EmbeddedBroker, keeping: Keeping
) -> None:
    handed = [0]

    def publish() -> None:
        for piece in pieces():
            for message in piece:
                assert publisher.publish_many([message])
                handed[0] += 1

    if either.name == "mosquitto":
        _wait_until_saved(either, b"keeping", b"bulk/#")
    with Publisher(to(either), threading.Event(), client_id="bulk") as publisher:
        publishing = threading.Thread(target=publish)
        publishing.start()
        while handed[0] < MANY // 4:
            time.sleep(0.01)
        os.kill(either.pid, signal.SIGKILL)
        either.stop()  # reaps what was killed
        # The last acknowledgements are read after the kill: they count until the publisher has seen that all is over.
        _wait_for_another_try(either.port, b"bulk")
        while publisher.unacknowledged < WINDOW and publishing.is_alive():
            time.sleep(0.01)
        acknowledged = handed[0] - publisher.unacknowledged
        assert handed[0] < MANY
        either.start()
        publishing.join(60)
        assert publisher.flush(60)
    # NATS has a message in its file before it acknowledges it; Mosquitto saves every second what it acknowledged.
    first = 0 if either.name == "nats" else acknowledged + 1
    assert not keeping.wait_for({b"%d" % n for n in range(first, MANY)})


def _wait_until_saved(mosquitto: EmbeddedBroker, *words: bytes) -> None:
    """Wait until the subscriber's session is in Mosquitto's file, which it writes every second or so."""
    file = mosquitto.account_files.folder / "store" / "mosquitto.db"
    while not (file.exists() and all(word in file.read_bytes() for word in words)):
        time.sleep(0.05)


def _wait_for_another_try(port: int, client_id: bytes) -> None:
    """Wait, in the place of the broker, until a client connects anew."""
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                if client_id in connection.recv(1024):
                    return


def test_a_broker_that_takes_nothing_is_waited_for_until_it_is_time_to_stop(either: EmbeddedBroker) -> None:
    either.stop()
    stop = threading.Event()
    with Publisher(to(either), stop, client_id="bulk") as publisher:
        threading.Timer(0.5, stop.set).start()
        assert not publisher.publish_many(numbered(0, MANY))
        assert publisher.unacknowledged == WINDOW
        assert not publisher.flush(0.1)
        either.start()
        assert publisher.flush(60)
