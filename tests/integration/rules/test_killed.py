"""The program, killed again and again while readings come, alone or among others: no alert is lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.rules.feed import Engineer, Feed, Final
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.notifications import Channel
from veldwatch.model.places import places
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

REPOSITORY = Path(__file__).resolve().parents[3]
RULE = Rule(id="above", title="Above", severity=Severity.MAJOR, condition=Threshold(metric="value", above=5))


@contextmanager
def running(dsn: str, home: Path, workers: int = 1) -> Generator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "VELDWATCH_DSN": dsn,
        "VELDWATCH_HOME": str(home),
        "VELDWATCH_METRICS_PORT": "0",
        "VELDWATCH_RULE_WORKERS": str(workers),
        "VELDWATCH_RULE_SNAPSHOT_SECONDS": "1",
    }
    home.mkdir(exist_ok=True)
    with (home / "rules.log").open("ab") as output:
        command = [sys.executable, "-m", "launch", "rules", "run"]
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def times_started(home: Path) -> int:
    """Count how often programs with this home have taken a place."""
    return (home / "rules.log").read_text(encoding="utf-8").count("engine started")


def wait_until_started(home: Path, times: int) -> None:
    """Wait until the program has become the engine so many times."""
    deadline = time.monotonic() + 60
    while times_started(home) < times:
        assert time.monotonic() < deadline, "the program did not start in time"
        time.sleep(0.05)


def wait_until_noticed(home: Path) -> None:
    """Wait until the program has said twice that the database is away."""
    deadline = time.monotonic() + 60
    while (home / "rules.log").read_text(encoding="utf-8").count("database unavailable") < 2:
        assert time.monotonic() < deadline, "the program did not notice in time"
        time.sleep(0.05)


def wait_until_read(engineer: Engineer, division: int = 1) -> None:
    """Wait until the programs have read the whole log."""
    deadline = time.monotonic() + 60
    query = (
        b"SELECT count(*) FROM unnest(%s::text[]) AS w (consumer) CROSS JOIN batch b"
        b" LEFT JOIN log_cursor c USING (consumer) WHERE c.consumer IS NULL OR (b.xid, b.id) > (c.xid, c.id)"
    )
    consumers = [place.consumer for place in places(division)]
    while engineer.connection.execute(query, (consumers,)).fetchall() != [(0,)]:
        assert time.monotonic() < deadline, "the log was not read in time"
        time.sleep(0.1)


class Street:
    """Twenty devices that go beyond the limit in every third minute, and what is to come of it."""

    def __init__(self, feed: Feed, connection: Connection) -> None:
        self.devices = [f"d{number}" for number in range(20)]
        self.expected: Final = set()
        self._feed = feed
        self._minute = 0
        self._start = datetime.now(UTC) - timedelta(minutes=300)
        for device in self.devices:
            feed.device(device, ["value"])
        with connection.transaction():
            save_rule(connection, RULE, "tests")
            add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))

    def pass_minutes(self, count: int) -> None:
        """Send readings; a multiple of three minutes leaves no alert open."""
        for _ in range(count):
            at, is_high = self._start + timedelta(minutes=self._minute), self._minute % 3 == 0
            self._feed.readings("value", [(device, at, 9.0 if is_high else 1.0) for device in self.devices])
            if is_high:
                self.expected |= {(d, "resolved", at, at, at + timedelta(minutes=1)) for d in self.devices}
            self._minute += 1
            time.sleep(0.02)

    def check(self, engineer: Engineer) -> None:
        """See that each alert is there, and each message of it once."""
        assert engineer.final() == self.expected
        told = engineer.connection.execute(
            b"SELECT alert_id, message->>'kind', count(*) FROM outbox GROUP BY 1, 2"
        ).fetchall()
        assert len(told) == 2 * len(self.expected)
        assert {count for _, _, count in told} == {1}
        transitions = engineer.connection.execute(
            b"SELECT alert_id, kind, count(*) FROM alert_transition GROUP BY 1, 2"
        ).fetchall()
        assert {(kind, count) for _, kind, count in transitions} == {("firing", 1), ("resolved", 1)}


@pytest.fixture
def street(feed: Feed, connection: Connection) -> Street:
    return Street(feed, connection)


def test_killed_at_any_moment_nothing_is_lost_or_told_twice(
    street: Street, engineer: Engineer, dsn: str, tmp_path: Path
) -> None:
    draw = random.Random(11)  # noqa: S311  # the same each time
    for round_number in range(3):
        with running(dsn, tmp_path) as process:
            wait_until_started(tmp_path, round_number + 1)
            street.pass_minutes(15)
            time.sleep(draw.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
    with running(dsn, tmp_path) as process:
        wait_until_started(tmp_path, 4)
        wait_until_read(engineer)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    street.check(engineer)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_a_worker_that_is_killed_is_replaced_by_one_that_waits(
    street: Street, engineer: Engineer, dsn: str, tmp_path: Path
) -> None:
    homes = [tmp_path / name for name in ("one", "two", "three")]
    with ExitStack() as stack:
        processes = [stack.enter_context(running(dsn, home, workers=2)) for home in homes]
        _await_workers(homes, 2)
        street.pass_minutes(9)
        victim = next(number for number, home in enumerate(homes) if times_started(home))
        processes[victim].send_signal(signal.SIGKILL)
        street.pass_minutes(9)
        _await_workers(homes, 3)
        street.pass_minutes(3)
        wait_until_read(engineer, 2)
    street.check(engineer)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
@pytest.mark.slow
def test_workers_come_and_go_and_are_divided_anew_and_nothing_is_lost_or_told_twice(
    street: Street, engineer: Engineer, dsn: str, tmp_path: Path
) -> None:
    draw = random.Random(5)  # noqa: S311  # the same each time
    for number, division in enumerate((1, 3, 2, 3, 1, 2)):
        with ExitStack() as stack:
            home = tmp_path / f"division-{number}"
            processes = [stack.enter_context(running(dsn, home, division)) for _ in range(division + 1)]
            _await_workers([home], division)
            for _ in range(3):
                street.pass_minutes(draw.choice([3, 6, 9]))
                time.sleep(draw.uniform(0.0, 0.5))
                # Of those that run, any: one that stands by is as likely.
                victim = draw.choice([process for process in processes if process.poll() is None])
                victim.send_signal(signal.SIGKILL)
                victim.wait()
                processes.append(stack.enter_context(running(dsn, home, division)))
            if number == 5:
                wait_until_read(engineer, division)
    street.check(engineer)


def _await_workers(homes: Sequence[Path], count: int) -> None:
    deadline = time.monotonic() + 60
    while sum(times_started(home) for home in homes) < count:
        assert time.monotonic() < deadline, "not every place was taken in time"
        time.sleep(0.05)


def test_it_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    with running("postgresql://nobody@127.0.0.1:1/none", tmp_path) as process:
        wait_until_noticed(tmp_path)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
