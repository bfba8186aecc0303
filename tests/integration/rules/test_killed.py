"""The program, killed again and again while readings come: no alert is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.rules.feed import Engineer, Feed, Final
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.notifications import Channel
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

REPOSITORY = Path(__file__).resolve().parents[3]
RULE = Rule(id="above", title="Above", severity=Severity.MAJOR, condition=Threshold(metric="value", above=5))


@contextmanager
def running(dsn: str, home: Path) -> Generator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "VELDWATCH_DSN": dsn, "VELDWATCH_HOME": str(home), "VELDWATCH_METRICS_PORT": "0"}
    with (home / "rules.log").open("ab") as output:
        command = [sys.executable, "-m", "launch", "rules", "run"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until_started(home: Path, times: int) -> None:
    """Wait until the program has become the engine so many times."""
    deadline = time.monotonic() + 60
    while (home / "rules.log").read_text(encoding="utf-8").count("engine started") < times:
        assert time.monotonic() < deadline, "the program did not start in time"
        time.sleep(0.05)


def wait_until_noticed(home: Path) -> None:
    """Wait until the program has said twice that the database is away."""
    deadline = time.monotonic() + 60
    while (home / "rules.log").read_text(encoding="utf-8").count("database unavailable") < 2:
        assert time.monotonic() < deadline, "the program did not notice in time"
        time.sleep(0.05)


def wait_until_read(engineer: Engineer) -> None:
    """Wait until the program has read the whole log."""
    deadline = time.monotonic() + 60
    query = (
        b"SELECT count(*) FROM batch b LEFT JOIN log_cursor c ON c.consumer = 'rules'"
        b" WHERE c.consumer IS NULL OR (b.xid, b.id) > (c.xid, c.id)"
    )
    while engineer.connection.execute(query).fetchall() != [(0,)]:
        assert time.monotonic() < deadline, "the log was not read in time"
        time.sleep(0.1)


def test_killed_at_any_moment_nothing_is_lost_or_told_twice(
    feed: Feed, engineer: Engineer, connection: Connection, dsn: str, tmp_path: Path
) -> None:
    draw = random.Random(11)  # noqa: S311  # the same each time
    devices = [f"d{number}" for number in range(20)]
    for device in devices:
        feed.device(device, ["value"])
    with connection.transaction():
        save_rule(connection, RULE, "tests")
        add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))
    start = datetime.now(UTC) - timedelta(minutes=100)
    expected: Final = set()
    for round_number in range(6):
        with running(dsn, tmp_path) as process:
            wait_until_started(tmp_path, round_number + 1)
            for step in range(15):
                at = start + timedelta(minutes=round_number * 15 + step)
                value = 9.0 if step % 3 == 0 else 1.0
                feed.readings("value", [(device, at, value) for device in devices])
                if step % 3 == 0:
                    expected |= {(d, "resolved", at, at, at + timedelta(minutes=1)) for d in devices}
                time.sleep(0.02)
            time.sleep(draw.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
    with running(dsn, tmp_path) as process:
        wait_until_started(tmp_path, 7)
        wait_until_read(engineer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert engineer.final() == expected
    told = engineer.connection.execute(
        b"SELECT alert_id, message->>'kind', count(*) FROM outbox GROUP BY 1, 2"
    ).fetchall()
    assert len(told) == 2 * len(expected)
    assert {count for _, _, count in told} == {1}
    transitions = engineer.connection.execute(
        b"SELECT alert_id, kind, count(*) FROM alert_transition GROUP BY 1, 2"
    ).fetchall()
    assert {(kind, count) for _, kind, count in transitions} == {("firing", 1), ("resolved", 1)}


def test_it_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    with running("postgresql://nobody@127.0.0.1:1/none", tmp_path) as process:
        wait_until_noticed(tmp_path)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
