"""Back-tests over HTTP: what is asked for, who may, one at a time, cancelled, carried out, survived."""

import threading
import time
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from rules.backtests.desk import Desk
from rules.backtests.job import carry_out
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, RULE, World
from veldwatch.model.notifications import Channel
from veldwatch.storage import backtests
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import READINGS
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule

DRAFT: dict[str, Any] = {**RULE, "condition": {"kind": "threshold", "metric": "pressure", "below": 1.8}}
ASK: dict[str, Any] = {"definition": DRAFT, "from": BEGIN.isoformat(), "to": (BEGIN + timedelta(days=7)).isoformat()}
_BAR = [2.0, 1.7, 2.0, 1.4, 1.4, 2.0, 1.7, 1.4, 2.0, 2.0, 2.0]


pytestmark = pytest.mark.several_backends("a back-test reads in one transaction and says how far it is in another")


@pytest.fixture
def pressures(dsn: str, made: World) -> World:
    """Store pressures of a week, an hour apart."""
    writer = IntakeWriter(dsn)
    rows = np.zeros(len(_BAR), READINGS)
    rows["series_id"] = made.pressure
    rows["observed_at"] = [int((BEGIN + timedelta(hours=n)).timestamp()) * 1_000_000 for n in range(len(_BAR))]
    rows["received_at"] = rows["observed_at"]
    rows["value"] = _BAR
    writer.make_room("reading_raw", rows["observed_at"])
    with writer.connection.transaction():
        writer.store_readings(rows)
        save_rule(writer.connection, parse_rule(RULE), "tests")
        add_receiver(
            writer.connection,
            NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example", organisation="demo-water"),
        )
        add_receiver(
            writer.connection,
            NewReceiver(slug="boss", channel=Channel.EMAIL, address="b@town.example", minimum_severity="critical"),
        )
    writer.close()
    return made


def _asked(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/backtests", json=body)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_a_draft_is_compared_with_the_present_version(bearing: As, dsn: str, pressures: World) -> None:
    assert pressures
    water = bearing("water")
    asked = _asked(water, ASK)
    assert (asked["state"], asked["result"], asked["organisation"]) == ("waiting", None, "demo-water")
    carry_out(dsn, asked["id"])
    done = water.get(f"/v1/backtests/{asked['id']}").json()
    assert (done["state"], done["error"]) == ("finished", None)
    result = done["result"]
    assert (result["draft"]["count"], result["present"]["count"]) == (3, 2)
    assert result["changes"] == {"same": 1, "changed": 1, "new": 1, "gone": 0}
    assert [row["difference"] for row in result["alerts"]] == ["new", "same", "changed"]
    assert result["draft"]["devices"] == [{"name": "p-1", "count": 3}]
    assert result["draft"]["per_week"] == 3
    changed = result["alerts"][2]
    assert (changed["draft"]["opened_at"], changed["present"]["opened_at"]) == (
        "2026-11-01T16:00:00Z",
        "2026-11-01T17:00:00Z",
    )
    assert changed["draft"]["evidence"]["readings"][0]["value"] == 1.7
    told = {line["receiver"]: (line["alerts"], line["present_alerts"], line["why_not"]) for line in result["told"]}
    assert told == {"boss": (0, 0, "severity"), "desk": (3, 2, None)}


def test_a_stored_rule_is_tried_by_its_name(bearing: As, dsn: str, pressures: World) -> None:
    assert pressures
    water = bearing("water")
    asked = _asked(water, {"rule": RULE["id"], "from": BEGIN.isoformat(), "time_zone": "Africa/Lusaka"})
    carry_out(dsn, asked["id"])
    result = water.get(f"/v1/backtests/{asked['id']}").json()["result"]
    assert (result["draft"]["count"], result["present"], result["changes"]) == (2, None, None)
    assert {row["difference"] for row in result["alerts"]} == {None}


def test_a_rule_for_all_looks_only_at_the_devices_of_who_asks(bearing: As, dsn: str, pressures: World) -> None:
    assert pressures
    everywhere = {name: value for name, value in DRAFT.items() if name != "select"} | {"id": "everywhere"}
    asked = _asked(bearing("wildlife"), ASK | {"definition": everywhere})
    carry_out(dsn, asked["id"])
    result = bearing("wildlife").get(f"/v1/backtests/{asked['id']}").json()["result"]
    assert (result["draft"]["subjects"], result["total"]) == (0, 0)
    assert bearing("water").get(f"/v1/backtests/{asked['id']}").status_code == 404
    assert bearing("water").post(f"/v1/backtests/{asked['id']}/cancel").status_code == 404
    assert bearing("water").get("/v1/backtests").json()["items"] == []


def test_one_runs_at_a_time_for_each_organisation(bearing: As, made: World) -> None:
    assert made
    first = _asked(bearing("water"), ASK)
    refused = bearing("water").post("/v1/backtests", json=ASK)
    assert (refused.status_code, f"number {first['id']}" in refused.json()["detail"]) == (409, True)
    assert _asked(bearing("operator"), ASK)["organisation"] is None
    cancelled = bearing("water").post(f"/v1/backtests/{first['id']}/cancel").json()
    assert (cancelled["state"], cancelled["result"]) == ("cancelled", None)
    assert _asked(bearing("water"), ASK)["id"] > first["id"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"definition": DRAFT | {"hold_for": "soon"}}, 422),
        ({"definition": DRAFT | {"condition": {"kind": "threshold"}}}, 422),
        ({"rule": "leak"}, 422),
        ({"definition": None}, 422),
        ({"definition": None, "rule": "nothing"}, 404),
        ({"to": BEGIN.isoformat()}, 422),
        ({"time_zone": "Nowhere/Land"}, 422),
        ({"definition": DRAFT | {"select": {"organisation": "demo-wildlife"}}}, 403),
    ],
)
def test_what_cannot_be_asked_is_refused(bearing: As, made: World, change: dict[str, Any], status: int) -> None:
    assert made
    assert bearing("water").post("/v1/backtests", json=ASK | change).status_code == status
    assert bearing("viewer").post("/v1/backtests", json=ASK).status_code == 403


def test_a_cancelled_one_leaves_no_result(bearing: As, dsn: str, pressures: World) -> None:
    assert pressures
    water = bearing("water")
    asked = _asked(water, ASK)
    water.post(f"/v1/backtests/{asked['id']}/cancel")
    carry_out(dsn, asked["id"])
    assert water.get(f"/v1/backtests/{asked['id']}").json()["state"] == "cancelled"


def test_what_was_lost_with_its_process_is_begun_again_and_given_up_in_the_end(
    bearing: As, dsn: str, connection: Connection, pressures: World
) -> None:
    assert pressures
    water = bearing("water")
    asked = _asked(water, ASK)
    for _ in range(3):
        with connect(dsn, autocommit=True) as killed:
            assert backtests.lock_next(killed) == asked["id"]
            assert backtests.begin(killed, asked["id"]) is not None
            assert backtests.lock_next(connection) is None
    carry_out(dsn, asked["id"])
    lost = water.get(f"/v1/backtests/{asked['id']}").json()
    assert (lost["state"], lost["error"]) == ("failed", "it was begun 3 times, and its process ended each time")


def test_the_rules_program_takes_up_what_is_asked_for(bearing: As, dsn: str, pressures: World) -> None:
    assert pressures
    stop = threading.Event()
    desk = threading.Thread(target=Desk(dsn).run, args=(stop,))
    desk.start()
    try:
        asked = _asked(bearing("water"), ASK)
        while bearing("water").get(f"/v1/backtests/{asked['id']}").json()["state"] in ("waiting", "running"):
            time.sleep(0.1)
        assert bearing("water").get(f"/v1/backtests/{asked['id']}").json()["state"] == "finished"
    finally:
        stop.set()
        desk.join()


def test_old_ones_are_forgotten(bearing: As, connection: Connection, made: World) -> None:
    assert made
    asked = _asked(bearing("water"), ASK)
    bearing("water").post(f"/v1/backtests/{asked['id']}/cancel")
    finished = bearing("water").get(f"/v1/backtests/{asked['id']}").json()["finished_at"]
    assert finished is not None
    backtests.forget(connection, BEGIN)
    assert bearing("water").get(f"/v1/backtests/{asked['id']}").status_code == 200
    backtests.forget(connection, BEGIN + timedelta(days=3650))
    connection.commit()
    assert bearing("water").get(f"/v1/backtests/{asked['id']}").status_code == 404


def test_a_name_or_zone_that_none_can_have_is_refused(bearing: As, made: World) -> None:
    assert made
    water = bearing("water")
    for wrong in ({"rule": "a\x00"}, {"rule": ""}, {"rule": "a", "time_zone": "Mars/Olympus"}):
        assert water.post("/v1/backtests", json={"from": "2026-01-01", **wrong}).status_code == 422, wrong


def test_a_definition_is_checked_without_being_stored(bearing: As, made: World) -> None:
    assert made
    water = bearing("water")
    good = water.post("/v1/rule-check", json=DRAFT | {"hold_for": "60m"})
    assert (good.status_code, good.json()["definition"]["hold_for"]) == (200, "1h")
    assert water.get(f"/v1/rules/{RULE['id']}").status_code == 404
    bad = water.post("/v1/rule-check", json=DRAFT | {"hold_for": "soon"}).json()
    assert (bad["status"], bad["errors"][0]["at"]) == (422, "hold_for")
    nested = water.post("/v1/rule-check", json=DRAFT | {"condition": {"kind": "threshold", "metric": "x"}}).json()
    assert nested["errors"][0]["at"].startswith("condition")


def test_the_schema_of_a_rule_is_given(bearing: As, made: World) -> None:
    assert made
    schema = bearing("viewer").get("/v1/rule-schema").json()
    assert schema["title"] == "Veldwatch rule"
    assert {one["properties"]["kind"]["const"] for one in schema["properties"]["condition"]["oneOf"]} >= {"threshold"}
