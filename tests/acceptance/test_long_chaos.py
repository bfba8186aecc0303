"""For a quarter of an hour something is killed every 20 s, at 5,000 messages a second: sent = stored + quarantined."""

import random
import threading
import time
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


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_quarter_of_an_hour_of_kills_at_full_speed(folder: Path) -> None:
    survive(folder / "long", seconds=900, between_kills=20, per_second=5000)


@pytest.mark.timeout(300)
def test_a_minute_of_kills_under_load(folder: Path) -> None:
    survive(folder / "short", seconds=24, between_kills=8, per_second=500)


def survive(home: Path, *, seconds: float, between_kills: float, per_second: int) -> None:
    with StackProcess("up", home, {"VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"}) as stack:
        with connect(stack.run["dsn"]) as connection:
            ensure_organisation(connection, "chaos")
            connection.commit()
        kills = _kill_in_turn(stack, seconds, between_kills)
        good, bad = _publish(stack, seconds, per_second)
        kills.join()
        # Behind a kill at the end, everything that was acknowledged is still on its way.
        until(lambda: _stored(stack) == (good, good, bad), 120 + seconds / 3, lambda: _difference(stack, good, bad))


def _kill_in_turn(stack: StackProcess, seconds: float, between: float) -> threading.Thread:
    """Kill one of three at random, again and again, until the time is over."""
    chosen = random.Random(20)  # noqa: S311  # a seed, not a secret

    def kill() -> None:
        end = time.monotonic() + seconds
        while time.monotonic() + between < end:
            time.sleep(between)
            stack.kill(chosen.choice(_KILLED))

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
