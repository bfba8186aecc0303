"""A stack that was stopped says nothing of devices that it did not listen to."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import StackProcess, until
from tests.acceptance.publisher import KeepingPublisher
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage.connection import connect
from veldwatch.storage.register import ensure_organisation
from veldwatch.storage.rules import save_rule

pytestmark = pytest.mark.timeout(300)
SILENT_FOR = timedelta(seconds=20)


def test_an_outage_of_the_platform_is_no_silence_and_what_stays_silent_is_told(folder: Path) -> None:
    stack = StackProcess("up", folder / "silence", {"VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"})
    _prepare(stack)
    _speak(stack, "lives", "dies")
    until(lambda: len(stack.get("/v1/devices")["items"]) == 2, 20, stack.output)
    stack.stop()
    time.sleep(SILENT_FOR.total_seconds() + 10)

    again = StackProcess("up", folder / "silence", {"VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"})
    began = datetime.now(UTC)
    _speak(again, "lives")
    while datetime.now(UTC) < began + SILENT_FOR - timedelta(seconds=8):
        assert _alerts(again) == []
        time.sleep(1)
    _speak(again, "lives")
    until(lambda: _alerts(again) != [], 30, again.output)
    (alert,) = _alerts(again)
    assert (alert["device"], alert["state"]) == ("dies", "firing")
    # From contact to firing: the time that was watched, and the time in which nobody was there.
    assert _time(alert["fired_at"]) - _time(alert["opened_at"]) > 2 * SILENT_FOR
    again.stop()


def _prepare(stack: StackProcess) -> None:
    rule = Rule(id="silent", title="Silent", severity=Severity.MAJOR, condition=Absence(silent_for=SILENT_FOR))
    with connect(stack.run["dsn"]) as connection:
        ensure_organisation(connection, "town")
        save_rule(connection, rule, "tests")


def _speak(stack: StackProcess, *devices: str) -> None:
    publisher = KeepingPublisher(stack.run["mqtt"])
    for device in devices:
        reading = {"observed_at": datetime.now(UTC).isoformat(), "readings": {"level": 4.5}}
        publisher.publish(f"veldwatch/v1/town/{device}/readings", json.dumps(reading).encode())
    publisher.finish()


def _alerts(stack: StackProcess) -> list[dict[str, Any]]:
    return stack.get("/v1/alerts")["items"]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
