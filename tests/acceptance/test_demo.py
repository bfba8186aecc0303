"""What a person sees who types `make demo`: also where the database is a TimescaleDB with its community features."""

import json
import time
from collections.abc import Generator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.processes import StackProcess, until
from tests.acceptance.publisher import KeepingPublisher
from tests.conftest import COMMUNITY, NewDatabase

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def demo(folder: Path, new_database: NewDatabase) -> Generator[StackProcess]:
    """Give the demo, with its own PostgreSQL, or with the server that the run is about."""
    with ExitStack() as opened:
        given = {"VELDWATCH_DSN": opened.enter_context(new_database())} if COMMUNITY else {}
        yield opened.enter_context(StackProcess("demo", folder / "demo", given))


def test_the_run_file_names_every_program(demo: StackProcess) -> None:
    programs = {
        "launcher",
        *([] if COMMUNITY else ["database"]),
        "broker",
        "mailbox",
        "api",
        "ingest",
        "rules",
        "notify",
        "maintenance",
        "simulators",
    }
    assert set(demo.run["pids"]) == programs


@pytest.mark.several_backends("within two seconds, with a backend for each of the programs")
def test_a_message_is_visible_within_two_seconds(demo: StackProcess) -> None:
    publisher = KeepingPublisher(demo.run["mqtt"])
    reading = {"observed_at": datetime.now(UTC).isoformat(), "readings": {"level": {"value": 4.5, "unit": "m"}}}
    publisher.publish("veldwatch/v1/demo-water/acceptance-1/readings", json.dumps(reading).encode())
    publisher.finish()
    began = time.monotonic()
    until(lambda: bool(demo.get("/v1/readings", device="acceptance-1")["items"]), 2)
    (item,) = demo.get("/v1/readings", device="acceptance-1")["items"]
    assert (item["metric"], item["value"], item["unit"]) == ("level", 4.5, "m")
    assert time.monotonic() - began < 2


def test_simulated_devices_report(demo: StackProcess) -> None:
    def heard() -> set[str]:
        return {d["organisation"] for d in demo.get("/v1/devices", limit=500)["items"] if d["last_contact_at"]}

    until(lambda: heard() >= {"demo-water", "demo-wildlife"}, 60, demo.output)


def test_an_injected_leak_becomes_an_alert_and_a_mail(demo: StackProcess) -> None:
    devices = demo.get("/v1/simulator")["devices"]
    meter = next(device for device in devices if device["profile"] == "water-meter")
    demo.post("/v1/simulator/faults", {"device_id": meter["id"], "kind": "leak"})

    def alerts() -> list[str]:
        found = demo.get("/v1/alerts", state="firing", limit=500)["items"]
        return [alert["id"] for alert in found if alert["device_id"] == meter["id"]]

    until(lambda: bool(alerts()), 150, lambda: f"{demo.get('/v1/simulator')['faults']}\n{demo.output()}")
    until(lambda: any(meter["name"] in mail["text"] for mail in demo.get("/v1/mailbox")["items"]), 30, demo.output)
