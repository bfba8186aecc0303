"""What Mosquitto's container runs beside it: accounts that change, and a queue that grows past its memory."""

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.integration.deploy.brokers import ACCOUNTS, broker
from tests.integration.launch.mqtt_clients import is_let_in, until


def test_accounts_that_are_replaced_within_a_second_are_read_again(tmp_path: Path) -> None:
    """A file may then have the inode and the time of the one before the last."""
    with broker("mosquitto", tmp_path) as port:
        assert is_let_in(port, "devices", ACCOUNTS["devices"])
        passwords = tmp_path / "accounts" / "passwords"
        before = passwords.stat()
        lines = passwords.read_text(encoding="utf-8").splitlines(keepends=True)
        passwords.write_text("".join(line for line in lines if not line.startswith("devices:")), encoding="utf-8")
        os.utime(passwords, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert passwords.stat().st_ino == before.st_ino
        until(lambda: not is_let_in(port, "devices", ACCOUNTS["devices"]), "the account that is gone is let in")


class _Device:
    """Publishes at QoS 1, holds what is not acknowledged, and comes back as often as it is cut off."""

    def __init__(self, port: int) -> None:
        self.acknowledged: set[int] = set()
        self._numbers: dict[int, int] = {}
        self.client = Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=MQTTv311, clean_session=False)
        self.client.username_pw_set("devices", ACCOUNTS["devices"])
        self.client.reconnect_delay_set(1, 1)
        self.client.on_publish = self._on_publish
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, number: int) -> None:
        sent = self.client.publish("veldwatch/v1/kasama-water/meter/readings", b"%d" % number, qos=1)
        self._numbers[sent.mid] = number

    def _on_publish(self, _c: Client, _u: object, mid: int, _code: ReasonCode, _properties: Properties) -> None:
        self.acknowledged.add(self._numbers[mid])


@contextmanager
def _ingest(port: int) -> Generator[set[int]]:
    heard: set[int] = set()

    def on_message(_c: Client, _u: object, message: MQTTMessage) -> None:
        heard.add(int(message.payload))

    client = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTv311, clean_session=False)
    client.username_pw_set("ingest", ACCOUNTS["ingest"])
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        until(client.is_connected, "ingest is not let in")
        client.subscribe("#", 1)
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def test_a_queue_that_is_full_takes_nothing_that_it_would_lose_and_goes_on_when_it_was_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with broker("mosquitto", tmp_path, queue_bytes=30_000) as port:
        with _ingest(port):
            time.sleep(0.3)
        device = _Device(port)
        number = 0
        deadline = time.monotonic() + 20
        while "only ingest is let in" not in log.read_text():
            assert time.monotonic() < deadline
            device.publish(number)
            number += 1
            time.sleep(0.005)
        until(lambda: not is_let_in(port, "devices", ACCOUNTS["devices"]), "devices are let in all the same")
        for _ in range(50):
            device.publish(number)
            number += 1
        time.sleep(1.5)
        held = len(device.acknowledged)
        assert held < number
        with _ingest(port) as heard:
            until(lambda: heard == set(range(number)), "ingest hears all that was published")
        assert device.acknowledged == set(range(number))
        assert "everybody is let in again" in log.read_text()
        device.client.disconnect()
        device.client.loop_stop()


def test_a_queue_that_is_full_at_the_start_is_read_first(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts" / "acl").write_text("acl", encoding="utf-8")
    (tmp_path / "accounts" / "passwords").write_text("ingest:a\ndevices:b\n", encoding="utf-8")
    (tmp_path / "queue").write_bytes(b"x" * 101)
    (tmp_path / "mosquitto").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    (tmp_path / "mosquitto").chmod(0o755)
    script = Path(__file__).resolve().parents[3] / "deploy" / "mosquitto" / "run.sh"
    words = ["sh", script, "none", tmp_path / "accounts", tmp_path / "own", tmp_path / "queue", "100"]
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=False, timeout=20)
    assert "only ingest is let in" in done.stderr
    assert (tmp_path / "own" / "passwords").read_text(encoding="utf-8") == "ingest:a\n"
