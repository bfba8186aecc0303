"""For a quarter of an hour something is killed every 20 s, at 5,000 messages a second: sent = stored + quarantined."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.processes import StackProcess, until
from tests.acceptance.publisher import KeepingPublisher
from veldwatch.storage.connection import connect
from veldwatch.storage.register import ensure_organisation
from veldwatch.wire.topics import topic_for
from veldwatch.wire.veldwatch_json import encode_readings

_KILLED = ("ingest", "broker", "database")
_DEVICES = 200
_STEP = timedelta(microseconds=20)
# One message in so many is refused, so that quarantine is reconciled too.
_ONE_BAD_IN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """What was sent while things were killed, and how long until all of it was stored."""

    readings: int
    unstorable: int
    kills: Counter[str]
    publishing_seconds: float
    stored_after_seconds: float

    def __str__(self) -> str:
        pace = (self.readings + self.unstorable) / self.publishing_seconds
        return (
            f"{self.readings} readings stored once each and {self.unstorable} messages in quarantine, all that was"
            f" sent, in {self.publishing_seconds:.0f} s ({pace:.0f} msg/s) under {self.kills.total()} kills"
            f" {dict(self.kills)}; the last of it {self.stored_after_seconds:.0f} s after the last acknowledgement"
        )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_quarter_of_an_hour_of_kills_at_full_speed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survival = survive(folder / "long", seconds=900, between_kills=20, per_second=5000)
    with capsys.disabled():
        print(f"\n{survival}")  # noqa: T201  # what somebody who waited a quarter of an hour wants to know
    # The broker is dead for a part of the time; what is acknowledged in the rest must keep the pace.
    assert survival.readings >= 900 * 5000 * 0.9, survival


@pytest.mark.timeout(300)
def test_a_minute_of_kills_under_load(folder: Path) -> None:
    survive(folder / "short", seconds=24, between_kills=8, per_second=500)


def survive(home: Path, *, seconds: float, between_kills: float, per_second: int) -> Survival:
    with StackProcess("up", home, {"VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"}) as stack:
        with connect(stack.run["dsn"]) as connection:
            ensure_organisation(connection, "chaos")
            connection.commit()
        began = time.monotonic()
        killed: Counter[str] = Counter()
        kills = _kill_in_turn(stack, seconds, between_kills, killed)
        good, bad = _publish(stack, seconds, per_second)
        acknowledged = time.monotonic()
        kills.join()
        # Behind a kill at the end, everything that was acknowledged is still on its way.
        until(lambda: _stored(stack) == (good, good, bad), 120 + seconds / 3, lambda: _difference(stack, good, bad))
        return Survival(
            readings=good,
            unstorable=bad,
            kills=killed,
            publishing_seconds=acknowledged - began,
            stored_after_seconds=time.monotonic() - acknowledged,
        )


def _kill_in_turn(stack: StackProcess, seconds: float, between: float, killed: Counter[str]) -> threading.Thread:
    """Kill one of three at random, again and again, until the time is over."""
    chosen = random.Random(20)  # noqa: S311  # a seed, not a secret

    def kill() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() + between < end:
            time.sleep(between)
            victim = chosen.choice(_KILLED)
            stack.kill(victim)
            killed[victim] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def _publish(stack: StackProcess, seconds: float, per_second: int) -> tuple[int, int]:
    """Publish at a pace, with messages between that nothing can store; give how many of each were acknowledged."""
    publisher = KeepingPublisher(stack.run["mqtt"], most_unacknowledged=2000)
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    began, number, bad = time.monotonic(), 0, 0
    while (passed := time.monotonic() - began) < seconds:
        for _ in range(max(0, min(int(passed * per_second) - number, 500))):
            topic = topic_for("chaos", f"device-{number % _DEVICES}", "readings")
            publisher.publish(topic, encode_readings(first + number * _STEP, {"level": number % 997}))
            number += 1
            if number % _ONE_BAD_IN == 0:
                publisher.publish("nobody/takes/this", f"{number}".encode())
                bad += 1
        time.sleep(0.01)
    publisher.finish(120)
    return number, bad


def _stored(stack: StackProcess) -> tuple[int, int, int]:
    """Count readings, different ones among them, and messages in quarantine."""
    if not stack.answers():
        return (0, 0, 0)
    (row,) = stack.rows(
        "SELECT r.readings, r.different, q.messages FROM"
        " (SELECT count(*) AS readings, count(DISTINCT (series_id, observed_at)) AS different FROM reading) AS r,"
        " (SELECT count(DISTINCT payload) AS messages FROM quarantine) AS q"
    )
    return row


def _difference(stack: StackProcess, good: int, bad: int) -> str:
    return f"stored, different, quarantined: {_stored(stack)}; sent {good} and {bad}\n{stack.output()}"
