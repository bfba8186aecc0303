"""A schema is brought up to date while devices publish: nothing is lost, and nobody writes into what they do not know.

The older version is this one without its newest migrations, as a process of its own with its own copy of the kernel.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import databases
from tests.conftest import REPOSITORY
from tests.integration.ingest.conftest import eventually, publishing
from tests.integration.ingest.test_killed import counted
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection, connect
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

pytestmark = pytest.mark.several_backends("two versions of ingest and a migration at once, each with a connection")

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
LAST_OF_OLD = 68  # what intake writes into; what comes after it is what an upgrade brings
PER_SECOND = 200


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Give the folder of an older version."""
    folder = tmp_path / "old"
    for package in ("veldwatch", "ingest", "launch"):
        shutil.copytree(REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for step in (folder / "veldwatch" / "storage" / "sql" / "migrations").iterdir():
        if int(step.name[:4]) > LAST_OF_OLD:
            step.unlink()
    return folder


@pytest.fixture
def dsn(server_dsn: str) -> Generator[str]:
    with databases.empty(server_dsn) as address:
        yield address


def _run(version: Path, settings: Settings, *words: str) -> "subprocess.Popen[str]":
    """Start a command of a version."""
    names = ("dsn", "mqtt_port", "mqtt_username", "mqtt_password")
    environment = {f"VELDWATCH_{name.upper()}": str(getattr(settings, name)) for name in names}
    program = "import sys; sys.path.insert(0, sys.argv.pop(1)); from launch.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", program, str(version), *words],
        cwd=version,
        env={**os.environ, **environment, "VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )


def _migrate(version: Path, settings: Settings) -> None:
    process = _run(version, settings, "migrate")
    _, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (0, "")


@contextmanager
def _devices(settings: Settings) -> Generator[list[int]]:
    """Let devices publish steadily until the end of the block; give how many messages the broker has taken."""
    stop, sent = threading.Event(), [0]

    def publish() -> None:
        with publishing(settings) as publisher:
            while not stop.wait(1 / 20):
                for _ in range(PER_SECOND // 20):
                    number = sent[0]
                    moment = START + timedelta(seconds=number // 50)
                    topic = topic_for("demo", f"m{number % 50}", "readings")
                    publisher.send(topic, encode_readings(moment, {"x": number}))
                    sent[0] += 1
                publisher.flush()

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield sent
    finally:
        stop.set()
        thread.join()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("broker", ["nats"], indirect=True)
def test_an_upgrade_while_messages_come_loses_none(live: Settings, old: Path) -> None:
    _migrate(old, live)
    with connect(live.dsn) as connection:
        processes = [_run(old, live, "ingest", "run")]
        try:
            with publishing(live) as publisher:
                # The first message proves the subscription: before it, the broker keeps nothing for us.
                def first() -> bool:
                    publisher.send(topic_for("demo", "first", "readings"), encode_readings(START, {"x": 1}))
                    publisher.flush()
                    return counted(connection) != (0, 0)

                eventually(first, 60)
            with _devices(live) as sent:
                eventually(lambda: counted(connection)[0] > PER_SECOND, 60)
                _migrate(REPOSITORY, live)
                _, words = processes[0].communicate(timeout=60)
                assert processes[0].returncode == 2
                assert "that this program does not know (use a newer one)" in words
                before = counted(connection)[0]
                processes.append(_run(REPOSITORY, live, "ingest", "run"))
                eventually(lambda: counted(connection)[0] > before + PER_SECOND, 60)
            eventually(lambda: counted(connection)[0] >= sent[0] + 1, 60)
            assert counted(connection) == (sent[0] + 1, sent[0] + 1)
            assert _quarantined(connection) == 0
        finally:
            for process in processes:
                process.kill()
                process.communicate()


def _quarantined(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM quarantine").fetchone()
    return -1 if row is None else row[0]
