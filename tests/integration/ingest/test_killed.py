"""Ingest as a process that is killed, again and again, while messages come."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.ingest.conftest import eventually, publishing
from veldwatch.config import Settings
from veldwatch.storage.connection import Connection
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
MESSAGES = 10_000


def started(settings: Settings) -> "subprocess.Popen[bytes]":
    names = ("dsn", "mqtt_port", "mqtt_username", "mqtt_password")
    environment = {f"VELDWATCH_{name.upper()}": str(getattr(settings, name)) for name in names}
    command = [sys.executable, "-m", "launch", "ingest", "run"]
    return subprocess.Popen(
        command,
        env={**os.environ, **environment, "VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"},
        stderr=subprocess.DEVNULL,
    )


def counted(connection: Connection) -> tuple[int, int]:
    row = connection.execute("SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading_raw").fetchone()
    connection.rollback()
    return (0, 0) if row is None else (row[0], row[1])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kill_after_kill_every_message_is_stored_once(live: Settings, connection: Connection) -> None:
    process = started(live)
    try:
        # The first message proves the subscription: before it, the broker keeps nothing for us.
        with publishing(live) as publisher:
            until = time.monotonic() + 60
            while counted(connection) == (0, 0):
                assert time.monotonic() < until
                publisher.send(topic_for("demo", "first", "readings"), encode_readings(START, {"x": 1}))
                publisher.flush()
                time.sleep(0.5)
            for number in range(MESSAGES):
                moment = START + timedelta(seconds=number)
                publisher.send(topic_for("demo", f"m{number % 50}", "readings"), encode_readings(moment, {"x": number}))
                if number % 2500 == 2000:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    process = started(live)
            publisher.flush()
            eventually(lambda: counted(connection)[0] >= MESSAGES + 1, 120)
        assert counted(connection) == (MESSAGES + 1, MESSAGES + 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
