"""The broker's files as they are deployed, in a real broker: who may publish and hear what."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.deploy.brokers import ACCOUNTS, BASES, broker, passwords
from tests.integration.launch.mqtt_clients import Peer, is_let_in, until
from veldwatch.model.register import Device
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import NewCredential


@pytest.fixture(params=["nats", "mosquitto"])
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[int]:
    with broker(request.param, tmp_path) as opened:
        yield opened


@contextmanager
def _client(port: int, account: str, password: str | None = None) -> Generator[tuple[Client, list[str]]]:
    heard: list[str] = []
    connected = Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=f"t-{account}", protocol=MQTTv311, clean_session=False)
    client.username_pw_set(account, ACCOUNTS.get(account, "") if password is None else password)

    def on_connect(_c: Client, _u: object, _f: object, code: object, _p: object) -> None:
        if str(code) == "Success":
            connected.set()

    def on_message(_c: Client, _u: object, message: MQTTMessage) -> None:
        heard.append(message.topic)

    client.on_connect = on_connect
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        if not connected.wait(5):
            raise PermissionError(account)
        yield client, heard
    finally:
        client.disconnect()
        client.loop_stop()


def _publish(port: int, account: str, topic: str) -> None:
    with _client(port, account) as (client, _):
        client.publish(topic, b"{}", qos=1).wait_for_publish(5)


def _try_to_publish(port: int, account: str, topic: str) -> None:
    """Send what the account may not: acknowledged and dropped; Mosquitto 2.0.11 may close the connection instead."""
    with _client(port, account) as (client, _):
        client.publish(topic, b"{}", qos=1)
        time.sleep(0.3)


def _until(heard: list[str], count: int) -> list[str]:
    for _ in range(100):
        if len(heard) >= count:
            break
        time.sleep(0.05)
    return sorted(heard)


def test_each_account_publishes_only_where_it_may_and_ingest_hears_it(port: int) -> None:
    with _client(port, "ingest") as (ingest, heard):
        ingest.subscribe("#", 1)
        time.sleep(0.3)
        _publish(port, "simulators", "veldwatch/v1/demo-water/meter/readings")
        _try_to_publish(port, "simulators", "veldwatch/v1/kasama-water/forged/readings")
        _publish(port, "devices", "wmbusmeters/meter")
        _publish(port, "devices", "veldwatch/v1/kasama-water/meter/readings")
        _try_to_publish(port, "devices", "somewhere/else")
        ingest.publish("veldwatch/v1/demo-water/forged/readings", b"{}", qos=1)
        allowed = [
            "veldwatch/v1/demo-water/meter/readings",
            "veldwatch/v1/kasama-water/meter/readings",
            "wmbusmeters/meter",
        ]
        assert _until(heard, 3) == allowed
        time.sleep(0.3)
        assert sorted(heard) == allowed


def test_ingest_asks_an_edge_node_of_sparkplug_and_only_ingest_does(port: int) -> None:
    with _client(port, "ingest") as (ingest, heard):
        ingest.subscribe("spBv1.0/#", 1)
        time.sleep(0.3)
        _try_to_publish(port, "devices", "spBv1.0/g/NCMD/e")
        _publish(port, "devices", "spBv1.0/g/DDATA/e/meter")
        assert _until(heard, 1) == ["spBv1.0/g/DDATA/e/meter"]
        with _client(port, "devices") as (devices, asked):
            devices.subscribe("spBv1.0/g/NCMD/e", 1)
            time.sleep(0.3)
            ingest.publish("spBv1.0/g/NCMD/e", b"", qos=0)
            assert _until(asked, 1) == ["spBv1.0/g/NCMD/e"]


def test_devices_hear_nothing_of_others(port: int) -> None:
    with _client(port, "devices") as (devices, heard):
        devices.subscribe("veldwatch/v1/#", 1)
        time.sleep(0.3)
        _publish(port, "simulators", "veldwatch/v1/demo-water/meter/readings")
        time.sleep(0.5)
    assert heard == []


@pytest.mark.parametrize(("account", "password"), [("devices", "wrong"), ("nobody", "x"), ("devices", "")])
def test_without_the_right_password_nobody_gets_in(port: int, account: str, password: str) -> None:
    with pytest.raises(PermissionError), _client(port, account, password):
        pass


@contextmanager
def _accounts_written(dsn: str, kind: str, folder: Path) -> Generator[None]:
    """Run what the service `accounts` runs."""
    options = [f"--kind={kind}", f"--base={BASES[kind]}", f"--passwords={passwords(folder.parent)}"]
    command = [sys.executable, "-m", "launch", "broker", "accounts", str(folder), *options]
    with (folder / "watch.log").open("w") as log:
        process = subprocess.Popen(command, env={**os.environ, "VELDWATCH_DSN": dsn}, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(15) == 0


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_a_device_of_the_register_is_let_in_and_cut_off_within_seconds(
    kind: str, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    organisation = register.ensure_organisation(connection, "kasama-water")
    register.ensure_device(connection, Device(organisation_id=organisation, external_id="meter-1", source="veldwatch"))
    connection.commit()
    new = NewCredential(organisation="kasama-water", devices=("meter-1",))
    with broker(kind, tmp_path) as port, _accounts_written(dsn, kind, tmp_path / "accounts"):
        made = credentials.create_credential(connection, None, new, by="tests")
        connection.commit()
        secret = made.secret or ""
        until(lambda: is_let_in(port, made.username, secret), "the device is not let in")
        with Peer(port, "ingest", ACCOUNTS["ingest"]) as ingest, Peer(port, made.username, secret) as device:
            assert ingest.subscribe("#")
            device.publish("veldwatch/v1/kasama-water/meter-1/readings")
            until(lambda: bool(ingest.heard), "ingest hears the device")
            credentials.revoke_credential(connection, None, made.id, by="tests")
            connection.commit()
            until(device.cut_off.is_set, "the revoked device is still connected")
            assert not ingest.cut_off.is_set()
        _publish(port, "devices", "wmbusmeters/meter")
