"""Storage, retention and corrections over HTTP."""

from datetime import UTC, datetime, timedelta

from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection
from veldwatch.storage.corrections import BEGINNING
from veldwatch.storage.queries import load_queries

ASK = {"what": "reading", "organisation": "demo-water", "metric": "volume", "kept_days": 90}
CORRECTION = {"device": "m-1", "metric": "volume", "method": "manual", "reason": "photograph"}


def test_storage_is_told_to_who_operates_the_platform(bearing: As, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 1.0)])
    told = bearing("operator").get("/v1/storage").json()
    assert told["bytes"] > 0
    assert "reading" in {row["table_name"] for row in told["divided"]}
    assert [row["work"] for row in told["upkeep"] if row["unwell"]] == []
    assert bearing("water").get("/v1/storage").status_code == 403


def test_a_policy_is_previewed_set_noted_and_removed(bearing: As, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN - timedelta(days=400), 1.0)])
    water = bearing("water")
    (would,) = water.post("/v1/retention/preview", json=ASK).json()["items"]
    assert (would["what"], would["rows"], would["sources"]) == ("reading", 1, 1)
    assert water.get("/v1/retention").json()["policies"] == []
    assert water.put("/v1/retention", json={**ASK, "reason": "agreed"}).status_code == 204
    told = water.get("/v1/retention").json()
    assert told["default_days"] is None
    assert told["policies"] == [{**ASK, "profile": None}]
    assert [(row["author"], row["action"], row["reason"]) for row in told["changes"]] == [
        ("water desk", "set", "agreed")
    ]
    body = {name: value for name, value in ASK.items() if name != "kept_days"} | {"reason": "over"}
    assert water.post("/v1/retention/remove", json=body).status_code == 204
    assert water.get("/v1/retention").json()["policies"] == []


def test_the_removal_of_a_policy_is_previewed(bearing: As, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN - timedelta(days=400), 1.0)])
    water, operator = bearing("water"), bearing("operator")
    whole = {"what": "reading", "kept_days": 90, "reason": "all"}
    assert operator.put("/v1/retention", json=whole).status_code == 204
    assert water.put("/v1/retention", json={**ASK, "kept_days": None, "reason": "a case"}).status_code == 204
    ask = {name: value for name, value in ASK.items() if name != "kept_days"}
    (stays,) = water.post("/v1/retention/preview", json=ask).json()["items"]
    assert stays["rows"] == 0
    (would,) = water.post("/v1/retention/preview", json={**ask, "removed": True}).json()["items"]
    assert would["rows"] == 1
    assert len(water.get("/v1/retention").json()["policies"]) == 2
    other = {**ask, "metric": "pressure", "removed": True}
    assert water.post("/v1/retention/preview", json=other).status_code == 404


def test_what_is_held_back_is_told_with_the_reason(bearing: As, connection: Connection, made: World) -> None:
    begin = BEGIN - timedelta(days=400)
    world.add_readings(connection, made.volume, [(begin, 1.0)])
    assert bearing("water").put("/v1/retention", json={**ASK, "reason": "agreed"}).status_code == 204
    maintenance.roll_up_all(connection)
    maintenance.judge_all(connection)
    assert bearing("water").get("/v1/retention/held").json() == {"items": [], "waiting": []}
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=begin)
    (told,) = bearing("water").get("/v1/retention/held").json()["items"]
    assert (told["whats"], told["device"], told["alert_id"]) == (["reading"], "m-1", str(alert))
    assert told["reason"] == "an alert is open: pressure 1.2 bar"
    assert bearing("wildlife").get("/v1/retention/held").json()["items"] == []
    assert bearing("viewer").get("/v1/retention/held").status_code == 403


def test_only_an_operator_of_the_organisation_may_set_one(bearing: As) -> None:
    whole = {"what": "reading", "kept_days": 90, "reason": "all"}
    assert bearing("water").put("/v1/retention", json=whole).status_code == 403
    assert bearing("wildlife").put("/v1/retention", json={**ASK, "reason": "theirs"}).status_code == 403
    assert bearing("viewer").put("/v1/retention", json={**ASK, "reason": "no"}).status_code == 403
    assert bearing("operator").put("/v1/retention", json=whole).status_code == 204
    assert bearing("operator").put("/v1/retention", json={**whole, "kept_days": 1}).status_code == 422


def test_a_correction_counts_and_is_told_with_who_and_why(bearing: As, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 900.0)])
    water = bearing("water")
    body = {**CORRECTION, "items": [{"observed_at": BEGIN.isoformat(), "value": 9.5}]}
    assert water.post("/v1/corrections", json=body).json() == {"corrections": 1}
    maintenance.run_once(connection, datetime.now(UTC))
    query = {"device": "m-1", "metric": "volume"}
    (hour,) = water.get("/v1/readings", params={**query, "bucket": "hour"}).json()["items"]
    assert hour["maximum"] == 9.5
    (raw,) = water.get("/v1/readings", params=query).json()["items"]
    assert raw["value"] == 900
    (told,) = water.get("/v1/corrections", params={"series_id": made.volume}).json()["items"]
    assert (told["value"], told["raw_value"], told["author"], told["counts"]) == (9.5, 900, "water desk", True)
    body = {name: value for name, value in CORRECTION.items() if name != "method"}
    gone = water.post("/v1/corrections/withdraw", json={**body, "observed_at": [BEGIN.isoformat()]})
    assert gone.json() == {"corrections": 1}


def test_a_page_of_all_corrections_reads_no_more_than_the_page(
    bearing: As, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.pressure, [(BEGIN + timedelta(minutes=n), float(n)) for n in range(200)])
    connection.execute(
        "INSERT INTO validated_reading (series_id, observed_at, version, value, method, author, reason)"
        " SELECT %s, %s::timestamptz + n * interval '1 minute', 1, n + 0.5, 'm', 'a', 'r'"
        " FROM generate_series(0, 20000) n",
        (made.pressure, BEGIN),
    )
    connection.commit()
    connection.autocommit = True
    connection.execute("ANALYZE validated_reading")
    page = bearing("water").get("/v1/corrections", params={"limit": 2}).json()
    assert [(item["value"], item["raw_value"]) for item in page["items"]] == [(0.5, 0), (1.5, 1)]
    after = bearing("water").get("/v1/corrections", params={"limit": 1, "cursor": page["next"]}).json()
    assert after["items"][0]["value"] == 2.5
    values = {"scope": None, "series_id": None, "after_time": BEGINNING[0], "after_series": 0, "after_version": 0}
    query = b"EXPLAIN " + load_queries("corrections")["list"]
    plan = "\n".join(line for (line,) in connection.execute(query, {**values, "limit": 3}).fetchall())
    assert "validated_reading_by_time" in plan
    assert "Seq Scan on reading_raw" not in plan


def test_what_is_not_ones_own_cannot_be_corrected(bearing: As, operator: TestClient) -> None:
    body = {**CORRECTION, "items": [{"observed_at": BEGIN.isoformat(), "value": 9.5}]}
    assert bearing("wildlife").post("/v1/corrections", json=body).status_code == 404
    assert bearing("viewer").post("/v1/corrections", json=body).status_code == 403
    assert operator.post("/v1/corrections", json={**body, "items": []}).status_code == 422
