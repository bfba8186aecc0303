"""Ten thousand messages of a format that nobody knows: kept, made readable, replayed, while ingest is killed."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.processes import StackProcess, until
from tests.acceptance.publisher import KeepingPublisher

MESSAGES = 10_000
KILLS = 4
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
SOURCE = {
    "topic_filter": "plant/+/out",
    "decoder": "mapping",
    "organisation": "plant",
    "register_unknown": True,
    "options": {"device": "{topic[1]}", "time": "$.t", "metrics": [{"name": "flow", "value": "$.v", "unit": "L/min"}]},
}


@pytest.mark.timeout(400)
def test_ten_thousand_messages_are_replayed_once_while_ingest_is_killed(folder: Path) -> None:
    environment = {"VELDWATCH_REGISTER_UNKNOWN_DEVICES": "true"}
    with StackProcess("up", folder / "replayed", environment) as stack:
        publish(stack, MESSAGES)
        until(lambda: waiting(stack) == MESSAGES, 90, lambda: f"{waiting(stack)} wait\n{stack.output()}")
        (group,) = stack.get("/v1/quarantine/groups")["items"]
        assert (group["reason"], group["topic_pattern"], group["messages"]) == ("no_source", "plant/+/out", MESSAGES)

        put(stack, "/v1/sources/plant", SOURCE)
        asked = stack.post("/v1/quarantine/replays", {"filter": {"reason": ["no_source"]}})
        assert asked["asked"] == MESSAGES
        for part in range(1, KILLS + 1):
            enough = part * MESSAGES // (KILLS + 2)
            until(lambda: done(stack, asked["id"]) >= enough, 60, stack.output)  # noqa: B023  # asked for at once
            stack.kill("ingest")
        until(lambda: progress(stack, asked["id"])["state"] == "finished", 120, stack.output)
        told = progress(stack, asked["id"])
        assert (told["stored"], told["failed"], told["cancelled"]) == (MESSAGES, 0, 0)
        assert waiting(stack) == 0
        assert counted(stack) == (MESSAGES, MESSAGES)
        # Each commit's rows are in the log once: nothing is told twice to the rules.
        assert stack.rows("SELECT count(*) FROM quarantine WHERE state <> 'stored'") == [(0,)]

        again = stack.post("/v1/quarantine/replays", {"filter": {"state": "any"}})
        assert (again["asked"], again["state"]) == (0, "finished")
        assert counted(stack) == (MESSAGES, MESSAGES)


def publish(stack: StackProcess, messages: int) -> None:
    publisher = KeepingPublisher(stack.run["mqtt"])
    for number in range(messages):
        item = {"t": (START + timedelta(seconds=number)).isoformat(), "v": number}
        publisher.publish(f"plant/pump-{number % 100}/out", json.dumps(item).encode())
    publisher.finish()


def put(stack: StackProcess, path: str, document: Mapping[str, object]) -> None:
    run = stack.run
    headers = {"Authorization": f"Bearer {run['token']}"}
    httpx.put(
        f"{run['api']}{path}", json=dict(document), headers=headers, timeout=10, trust_env=False
    ).raise_for_status()


def waiting(stack: StackProcess) -> int:
    return sum(item["count"] for item in stack.get("/v1/quarantine/summary")["items"])


def progress(stack: StackProcess, number: int) -> dict[str, Any]:
    return stack.get(f"/v1/quarantine/replays/{number}")


def done(stack: StackProcess, number: int) -> int:
    told = progress(stack, number)
    time.sleep(0.02)
    return told["stored"] + told["failed"]


def counted(stack: StackProcess) -> tuple[int, int]:
    (row,) = stack.rows("SELECT count(*), count(DISTINCT (series_id, observed_at)) FROM reading")
    return row
