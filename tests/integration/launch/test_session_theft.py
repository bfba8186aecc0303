"""Why ingest's client id is a secret: what becomes of its session when somebody else connects with the id."""

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

from launch.account_watch import AccountWatch
from launch.embedded_broker import EmbeddedBroker, Kind
from launch.services import kept_client_id
from tests.integration.launch.mqtt_clients import Peer, is_let_in, until
from veldwatch.model.register import Device
from veldwatch.storage import credentials, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.credentials import NewCredential

TOPIC = "veldwatch/v1/kasama-water/meter-2/readings"
KINDS: tuple[Kind, ...] = (
    ("nats", "mosquitto") if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") else ("nats",)
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thief_of_the_session_hears_nothing_and_only_mosquitto_loses_it(
    kind: Kind, tmp_path: Path, dsn: str, connection: Connection
) -> None:
    organisation = register.ensure_organisation(connection, "kasama-water")
    register.ensure_device(connection, Device(organisation_id=organisation, external_id="meter-1", source="veldwatch"))
    thief = credentials.create_credential(
        connection, None, NewCredential(organisation="kasama-water", devices=("meter-1",)), by="tests"
    )
    connection.commit()
    broker = EmbeddedBroker(tmp_path / "home", kind=kind)
    broker.start()
    stop = threading.Event()
    try:
        watch = AccountWatch(dsn, broker.account_files, lambda: os.kill(broker.pid, signal.SIGHUP))
        threading.Thread(target=watch.run, args=(stop,), daemon=True).start()
        until(lambda: is_let_in(broker.port, thief.username, thief.secret or ""), "the thief has no account")
        programs = (broker.port, broker.username, broker.password)
        with Peer(*programs, client_id="known") as ingest:
            assert ingest.subscribe("#")
        with Peer(*programs) as others:
            others.publish(TOPIC)
            with Peer(broker.port, thief.username, thief.secret or "", client_id="known") as stolen:
                others.publish(TOPIC)
                others.publish("veldwatch/v1/kasama-water/meter-1/commands")
                assert TOPIC not in stolen.heard, "its own commands are all that it may hear"
            with Peer(*programs, client_id="known") as ingest:
                others.publish("end/of/list")
                until(lambda: "end/of/list" in ingest.heard, "the broker delivers")
        assert ingest.heard.count(TOPIC) == (2 if kind == "nats" else 0)
    finally:
        stop.set()
        broker.stop()


def test_the_launcher_keeps_an_id_that_nobody_can_know(tmp_path: Path) -> None:
    first = kept_client_id(tmp_path, "veldwatch-ingest")
    assert first == kept_client_id(tmp_path, "veldwatch-ingest")
    assert len(first) == len("veldwatch-ingest-") + 16
    assert (tmp_path / "client-id").stat().st_mode & 0o077 == 0
    (tmp_path / "other").mkdir()
    assert kept_client_id(tmp_path / "other", "veldwatch-ingest") != first
