"""Programs, broker and database are killed in turn under load: nothing acknowledged is lost, nothing is doubled."""

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.processes import StackProcess, until
from tests.acceptance.publisher import KeepingPublisher
from tests.acceptance.webhook import Delivery, webhook_receiver
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import connect
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.register import ensure_organisation
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule

KILLED = ("ingest", "rules", "notify", "broker", "database")
DEVICES = 10
# Readings of a device alternate: so many below the limit, so many above it.
STRETCH = 50
RULE = {
    "id": "level-high",
    "title": "Level high",
    "severity": "major",
    "select": {"organisation": "chaos"},
    "condition": {"kind": "threshold", "metric": "level", "above": 100},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Readings of ten devices, one a second each, that end about now."""

    messages: int
    begins_at: datetime

    @property
    def steps(self) -> int:
        return self.messages // DEVICES

    def message(self, number: int) -> tuple[str, bytes]:
        step, device = divmod(number, DEVICES)
        value = 200 + step % 7 if self.is_high(step) else 10 + step % 7
        reading = {"observed_at": self.at(step).isoformat(), "readings": {"level": value}}
        return f"veldwatch/v1/chaos/device-{device}/readings", json.dumps(reading).encode()

    def at(self, step: int) -> datetime:
        return self.begins_at + timedelta(seconds=step)

    def is_high(self, step: int) -> bool:
        return step // STRETCH % 2 == 1

    def alerts(self) -> set[tuple[str, datetime]]:
        """Name the alerts that these readings mean: device, and when it began."""
        begins = [step for step in range(1, self.steps) if self.is_high(step) and not self.is_high(step - 1)]
        return {(f"device-{device}", self.at(step)) for device in range(DEVICES) for step in begins}


@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_while_everything_is_killed_in_turn(folder: Path) -> None:
    survive(folder / "small", messages=3000, rounds=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_is_lost_or_doubled_while_everything_is_killed_again_and_again(folder: Path) -> None:
    survive(folder / "large", messages=50_000, rounds=5)


def survive(home: Path, *, messages: int, rounds: int) -> None:
    begins_at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=messages // DEVICES)
    load = Load(messages=messages, begins_at=begins_at)
    environment = {
        "VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true",
        "VELDWATCH_GROUP_WAIT_SECONDS": "0",
        "VELDWATCH_SETTLING_SECONDS": "0",
    }
    with webhook_receiver() as (address, deliveries), StackProcess("up", home, environment) as stack:
        prepare(stack, address)
        publish_under_fire(stack, load, rounds)
        until(lambda: stored(stack) == (messages, messages), 120, lambda: f"{stored(stack)}\n{stack.output()}")
        until(lambda: alerts(stack) == Counter(load.alerts()), 120, lambda: difference(stack, load))
        until(lambda: nothing_waits(stack), 120, lambda: f"{outbox(stack)}\n{stack.output()}")
        check_deliveries(stack, deliveries)
        assert stack.rows("SELECT count(*) FROM quarantine") == [(0,)]


def prepare(stack: StackProcess, webhook: str) -> None:
    with connect(stack.run["dsn"]) as connection:
        ensure_organisation(connection, "chaos")
        save_rule(connection, parse_rule(RULE), "test")
        add_receiver(connection, NewReceiver(slug="listener", channel=Channel.WEBHOOK, address=webhook))


def publish_under_fire(stack: StackProcess, load: Load, rounds: int) -> None:
    """Publish everything, a kill after every so many messages; the publisher goes on meanwhile."""
    publisher = KeepingPublisher(stack.run["mqtt"])
    kills = KILLED * rounds
    reached = threading.Semaphore(0)

    # What was over before a rule first saw a device is history, and told to nobody: let it see every device.
    for number in range(DEVICES):
        publisher.publish(*load.message(number))
    until(lambda: stack.rows("SELECT count(*) FROM fold") == [(DEVICES,)], 120, stack.output)

    def publish() -> None:
        for number in range(DEVICES, load.messages):
            publisher.publish(*load.message(number))
            if number % (load.messages // (len(kills) + 1)) == 0:
                reached.release()
                time.sleep(0.5)

    thread = threading.Thread(target=publish)
    thread.start()
    for program in kills:
        reached.acquire()
        stack.kill(program)
    thread.join()
    publisher.finish()


def stored(stack: StackProcess) -> tuple[int, int]:
    """Count rows, and different ones among them."""
    if not stack.answers():
        return (0, 0)
    (row,) = stack.rows("SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading")
    return row


def alerts(stack: StackProcess) -> Counter[tuple[str, datetime]]:
    """Count the alerts that stand, by device and beginning."""
    return Counter(
        stack.rows(
            "SELECT d.external_id, a.opened_at FROM alert a JOIN device d ON d.id = a.device_id"
            " WHERE a.state <> 'retracted'"
        )
    )


def difference(stack: StackProcess, load: Load) -> str:
    found, expected = alerts(stack), Counter(load.alerts())
    return f"missing {expected - found}, too many {found - expected}\n{stack.output()}"


def outbox(stack: StackProcess) -> dict[tuple[str, str | None], int]:
    """Count notifications by state and reason."""
    rows = stack.rows("SELECT state, reason, count(*) FROM outbox GROUP BY state, reason")
    return {(state, reason): count for state, reason, count in rows}


def nothing_waits(stack: StackProcess) -> bool:
    return set(outbox(stack)) <= {("delivered", None), ("delivered", "grouped")}


def check_deliveries(stack: StackProcess, deliveries: list[Delivery]) -> None:
    """Every outbox row arrived, by itself or in a message that did; a repeat is the same id with the same content."""
    due = {str(row[0]) for row in stack.rows("SELECT id FROM outbox WHERE grouped_in IS NULL")}
    leading = {str(row[0]) for row in stack.rows("SELECT grouped_in FROM outbox WHERE grouped_in IS NOT NULL")}
    assert leading <= due
    assert {delivery.id for delivery in deliveries} == due
    contents = {(delivery.id, json.dumps(delivery.body, sort_keys=True)) for delivery in deliveries}
    assert len(contents) == len(due)
    # A repeat is allowed only where notify or the database died between the sending and the receipt.
    assert len(deliveries) - len(due) <= 4
