"""Rules, receivers, mailbox, simulator, health and metrics over HTTP."""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.config import load_settings
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.editions import identify
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule

RULE_PATH = "/v1/rules/water.low-pressure"


def test_a_rule_is_made_changed_and_switched(operator: TestClient) -> None:
    made = operator.put(RULE_PATH, json=world.RULE).json()
    assert (made["slug"], made["version"], made["enabled"], made["created_by"]) == (
        "water.low-pressure",
        1,
        True,
        "control room",
    )
    assert operator.put(RULE_PATH, json=world.RULE).json()["version"] == 1, "the same definition changes nothing"
    body = {name: value for name, value in world.RULE.items() if name != "id"}
    changed = operator.put(RULE_PATH, json={**body, "severity": "critical"}).json()
    assert (changed["version"], changed["severity"]) == (2, "critical")
    assert operator.post(f"{RULE_PATH}/disable").json()["enabled"] is False
    assert operator.get(RULE_PATH).json()["enabled"] is False
    assert operator.post(f"{RULE_PATH}/enable").json()["enabled"] is True
    assert [rule["slug"] for rule in operator.get("/v1/rules").json()["items"]] == ["water.low-pressure"]


def test_a_wrong_rule_is_refused_with_the_path_to_its_fault(operator: TestClient) -> None:
    condition = {"kind": "threshold", "metric": "pressure", "below": "low"}
    answer = operator.put(RULE_PATH, json={**world.RULE, "condition": condition})
    assert answer.status_code == 422
    assert "condition.below" in answer.json()["detail"]
    assert operator.put("/v1/rules/other", json=world.RULE).status_code == 422
    assert operator.put("/v1/rules/Bad%20Slug", json={}).status_code == 422
    for text in (b'{"title": "\\ud800"}', b'{"title": "a\\u0000b"}', b'{"title": NaN}', b"[]"):
        answer = operator.put(RULE_PATH, content=text, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422), text
    assert operator.get("/v1/rules").json()["items"] == []


def test_a_token_of_one_organisation_changes_only_its_own_rules(bearing: As) -> None:
    water, everything = bearing("water"), bearing("operator")
    whole = {**world.RULE, "id": "all", "select": {}}
    assert water.put("/v1/rules/all", json=whole).status_code == 403
    assert everything.put("/v1/rules/all", json=whole).status_code == 200
    assert water.get("/v1/rules/all").status_code == 200, "it may concern the organisation"
    assert water.post("/v1/rules/all/disable").status_code == 403
    assert water.put(RULE_PATH, json=world.RULE).status_code == 200
    assert water.post(f"{RULE_PATH}/disable").status_code == 200


def test_no_organisation_takes_the_rule_of_another(bearing: As) -> None:
    water, rangers = bearing("water"), bearing("wildlife")
    assert water.put(RULE_PATH, json=world.RULE).status_code == 200
    theirs = {**world.RULE, "title": "Taken", "select": {"organisation": "demo-wildlife"}}
    refused = rangers.put(RULE_PATH, json=theirs)
    assert refused.status_code == 409
    assert "is taken" in refused.json()["detail"]
    standing = water.get(RULE_PATH).json()
    assert (standing["title"], standing["version"]) == (world.RULE["title"], 1)
    assert rangers.get(RULE_PATH).status_code == 404


@pytest.mark.several_backends("one transaction waits for another")
def test_of_two_organisations_that_choose_one_id_at_once_the_first_has_it(
    bearing: As, connection: Connection, dsn: str
) -> None:
    theirs = {**world.RULE, "select": {"organisation": "demo-wildlife"}}
    rangers = bearing("wildlife")
    with ThreadPoolExecutor() as pool, connect(dsn) as water:
        with water.transaction():
            save_rule(water, parse_rule(world.RULE), "water desk")
            late = pool.submit(rangers.put, RULE_PATH, json=theirs)
            _wait_for_a_lock(connection)
        assert late.result(10).status_code == 409
    assert bearing("water").get(RULE_PATH).status_code == 200


def _wait_for_a_lock(connection: Connection) -> None:
    """Wait until a transaction waits for another one."""
    until = time.monotonic() + 10
    while not connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
        connection.rollback()
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)
    connection.rollback()


def test_receivers_are_added_and_disabled_and_their_secrets_never_shown(bearing: As) -> None:
    operator, water = bearing("operator"), bearing("water")
    secret = "whsec_0123456789abcdef"
    hook = {"slug": "hook", "channel": "webhook", "address": "https://hooks.example/x", "secret": secret}
    made = operator.post("/v1/receivers", json=hook)
    assert made.status_code == 201
    assert made.json()["signed"] is True
    assert operator.post("/v1/receivers", json=hook).status_code == 409
    mail = {"slug": "mail", "channel": "email", "address": "crew@example.org", "minimum_severity": "major"}
    assert water.post("/v1/receivers", json=mail).json()["organisation"] == "demo-water"
    assert water.post("/v1/receivers", json={**mail, "organisation": "demo-wildlife"}).status_code == 403
    assert [one["slug"] for one in water.get("/v1/receivers").json()["items"]] == ["mail"]
    assert water.delete("/v1/receivers/hook").status_code == 404
    assert operator.delete("/v1/receivers/hook").status_code == 204
    listed = operator.get("/v1/receivers")
    assert [(one["slug"], one["enabled"]) for one in listed.json()["items"]] == [("hook", False), ("mail", True)]
    assert secret not in listed.text + made.text
    assert operator.delete("/v1/receivers/%00").status_code == 404


def test_a_refused_receiver_does_not_tell_its_secret(operator: TestClient) -> None:
    hook = {"slug": "hook", "channel": "webhook", "address": "ftp://x", "secret": "topsecret\x00-0123456789"}
    answer = operator.post("/v1/receivers", json=hook)
    assert answer.status_code == 422
    assert "topsecret" not in answer.text
    answer = operator.post("/v1/receivers", json={**hook, "secret": "topsecret-0123456789"})
    assert answer.status_code == 422
    assert "webhook address" in answer.json()["detail"]
    assert "topsecret" not in answer.text


@pytest.fixture
def with_mailbox(dsn: str, tmp_path: Path, made: World) -> Generator[tuple[TestClient, Maildir]]:
    maildir = Maildir(tmp_path / "mail")
    settings = load_settings(dsn=dsn, mailbox_path=tmp_path / "mail")
    headers = {"Authorization": f"Bearer {made.tokens['operator']}"}
    with TestClient(create_app(settings), headers=headers) as client:
        yield client, maildir


def test_the_mailbox_shows_what_was_sent(with_mailbox: tuple[TestClient, Maildir]) -> None:
    client, maildir = with_mailbox
    assert client.get("/v1/mailbox").json() == {"items": [], "next": None}
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = "crew@example.org", "veldwatch@localhost", "[major] Écoulement"
    message["Date"] = "Sun, 22 Nov 2026 12:00:00 +0200"
    message.set_content("Fuite <b>ici</b> é")
    maildir.add(message)
    maildir.add(b"not a message at all \xff\xfe")
    items = client.get("/v1/mailbox").json()["items"]
    assert len(items) == 2
    told = next(one for one in items if one["subject"])
    assert (told["to"], told["subject"], told["date"]) == (
        "crew@example.org",
        "[major] Écoulement",
        "2026-11-22T10:00:00Z",
    )
    assert told["text"].strip() == "Fuite <b>ici</b> é"
    assert len(client.get("/v1/mailbox", params={"limit": 1}).json()["items"]) == 1


def test_without_a_mailbox_it_is_not_there(operator: TestClient) -> None:
    answer = operator.get("/v1/mailbox")
    assert answer.status_code == 404
    assert "VELDWATCH_MAILBOX_PATH" in answer.json()["detail"]


def test_faults_are_asked_for_and_stopped(bearing: As, made: World) -> None:
    water = bearing("water")
    simulator = water.get("/v1/simulator").json()
    kinds = {kind["name"]: kind for kind in simulator["kinds"]}
    assert {"leak", "burst", "fence_crossing"} <= set(kinds)
    assert (kinds["leak"]["layer"], kinds["leak"]["models"]) == ("physics", ["water_meter"])
    assert kinds["leak"]["parameters"][0]["unit"] == "L/h"
    asked = water.post("/v1/simulator/faults", json={"device_id": made.meter, "kind": "leak", "parameters": {"x": 1}})
    assert asked.status_code == 201
    fault = asked.json()
    assert (fault["device"], fault["requested_by"], fault["parameters"], fault["stopped_at"]) == (
        "m-1",
        "water desk",
        {"x": 1},
        None,
    )
    assert water.get("/v1/simulator").json()["faults"] == [fault]
    assert water.post(f"/v1/simulator/faults/{fault['id']}/stop").json()["ends_at"] is not None
    rangers = bearing("wildlife")
    assert rangers.get("/v1/simulator").json()["faults"] == []
    assert rangers.post(f"/v1/simulator/faults/{fault['id']}/stop").status_code == 404
    assert rangers.post("/v1/simulator/faults", json={"device_id": made.meter, "kind": "leak"}).status_code == 404
    assert water.post("/v1/simulator/faults", json={"device_id": made.meter, "kind": "fire"}).status_code == 422


def test_a_fault_at_a_site_is_asked_for_by_its_own_organisation(bearing: As) -> None:
    water = bearing("water")
    (town,) = [site for site in water.get("/v1/sites").json()["items"] if site["slug"] == "town"]
    asked = water.post(
        "/v1/simulator/faults", json={"site_id": town["id"], "kind": "burst", "parameters": {"litres_per_second": 3}}
    )
    assert asked.status_code == 201, asked.text
    fault = asked.json()
    assert (fault["site"], fault["site_name"], fault["device_id"], fault["device_name"]) == ("town", "Town", None, None)
    assert (fault["size"], fault["size_unit"]) == (3.0, "L/s")
    rangers = bearing("wildlife")
    assert rangers.post("/v1/simulator/faults", json={"site_id": town["id"], "kind": "burst"}).status_code == 404
    assert rangers.post(f"/v1/simulator/faults/{fault['id']}/stop").status_code == 404
    for body in ({"kind": "burst"}, {"site_id": town["id"], "kind": "leak"}):
        refused = water.post("/v1/simulator/faults", json=body)
        assert refused.status_code == 422
        assert "bad fault" in refused.json()["detail"]


def test_health_tells_who_is_behind_and_how_much_arrives(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=n), n) for n in range(120)])
    world.add_readings(connection, made.volume, [(BEGIN - timedelta(minutes=1), 0)])
    connection.execute(
        "INSERT INTO log_cursor (consumer, xid, id) SELECT 'rules', xid, id FROM batch ORDER BY id LIMIT 1"
    )
    connection.commit()
    told = operator.get("/v1/health").json()
    assert told["status"] == "ok"
    assert told["edition"] == identify(connection).edition
    assert told["migrations"][0]["name"] == "register"
    assert [(one["consumer"], one["batches"]) for one in told["consumers"]] == [("rules", 1)]
    assert told["readings_per_second"] == pytest.approx(121 / 60)
    assert told["batches_per_second"] == pytest.approx(2 / 60)
    assert datetime.now(UTC) - datetime.fromisoformat(told["last_batch_at"]) < timedelta(minutes=1)
    assert (told["devices"], told["series"], told["quarantine"], told["outbox_pending"]) == (3, 2, 0, 0)
    connection.execute("UPDATE batch SET committed_at = now() - interval '2 minutes'")
    connection.commit()
    assert operator.get("/v1/health").json()["status"] == "behind"


def test_metrics_count_answers_by_route_and_never_by_path(operator: TestClient, made: World) -> None:
    operator.get(f"/v1/devices/{made.meter}")
    operator.get("/v1/secret-path-of-nobody")
    text = operator.get("/metrics").text
    assert 'veldwatch_api_requests_total{method="GET",route="/v1/devices/{device_id}",status="200"}' in text
    assert "secret-path" not in text


def test_readiness_follows_the_database_and_liveness_does_not() -> None:
    nowhere = load_settings(dsn="host=127.0.0.1 port=1 user=nobody password=topsecret dbname=none")
    with TestClient(create_app(nowhere)) as client:
        began = time.monotonic()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert "topsecret" not in answer.text
        assert "127.0.0.1" not in answer.text
        assert time.monotonic() - began < 10
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/v1/me", headers={"Authorization": "Bearer vw_x"}).status_code == 503


def test_a_database_of_another_version_is_neither_read_nor_written(
    operator: TestClient, connection: Connection, made: World
) -> None:
    body = {"what": "reading", "kept_days": 90, "reason": "agreed"}
    connection.execute("INSERT INTO migration (number, name, digest, edition) VALUES (9999, 'new', 'x', 'postgresql')")
    connection.commit()
    for answer in (
        operator.get("/readyz"),
        operator.get(f"/v1/devices/{made.meter}"),
        operator.put("/v1/retention", json=body),
    ):
        assert answer.status_code == 503
        assert answer.json()["detail"] == (
            "the database's schema does not fit this program (run `veldwatch migrate`, or start the newer one)"
        )
    assert operator.get("/healthz").status_code == 200
    assert connection.execute("SELECT count(*) FROM retention_policy").fetchone() == (0,)
    connection.execute("DELETE FROM migration WHERE number = 9999")
    connection.commit()
    assert operator.get("/readyz").status_code == 200
    assert operator.put("/v1/retention", json=body).status_code == 204


@pytest.mark.several_backends("a query is cut off, which WebAssembly cannot")
def test_a_query_that_takes_too_long_is_a_problem_with_advice(
    dsn: str, connection: Connection, made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 1.0)])
    connection.execute("ALTER VIEW reading RENAME TO reading_really")
    connection.execute(
        "CREATE VIEW reading AS SELECT r.observed_at, r.series_id, r.value + length(pg_sleep(60)::text) AS value,"
        " r.quality, r.received_at FROM reading_really r"
    )
    connection.commit()
    monkeypatch.setattr("api.app.QUERY_LIMIT", timedelta(seconds=0.2))
    headers = {"Authorization": f"Bearer {made.tokens['viewer']}"}
    with TestClient(create_app(load_settings(dsn=dsn)), headers=headers) as client:
        answer = client.get("/v1/readings")
        assert answer.status_code == 504
        assert "longer than 0.2 s" in answer.json()["detail"]
        assert "shorter time range" in answer.json()["detail"]
        assert answer.json()["type"] == "urn:veldwatch:problem:gateway-timeout"
        assert client.get("/v1/me").status_code == 200, "the connection is as good as before"


def test_devices_that_are_played_are_listed_with_their_model(bearing: As, made: World, connection: Connection) -> None:
    connection.execute("UPDATE device SET tags = '{simulated,model:water_meter}' WHERE id = %s", (made.meter,))
    connection.commit()
    devices = bearing("water").get("/v1/simulator").json()["devices"]
    assert [(one["external_id"], one["model"]) for one in devices] == [("m-1", "water_meter")]
    assert bearing("wildlife").get("/v1/simulator").json()["devices"] == []


def test_a_size_beyond_its_limits_is_refused(operator: TestClient, made: World) -> None:
    for size in (-1, 1e9, "much", True):
        body = {"device_id": made.meter, "kind": "leak", "parameters": {"litres_per_hour": size}}
        answer = operator.post("/v1/simulator/faults", json=body)
        assert answer.status_code == 422
        assert "expected a number from 0 to 10000, in L/h" in answer.json()["detail"]


def test_runs_are_asked_for_and_stopped_by_operators_of_all_organisations(bearing: As, operator: TestClient) -> None:
    assert bearing("water").post("/v1/simulator/runs", json={"scenario": "town"}).status_code == 403
    assert operator.post("/v1/simulator/runs", json={"scenario": "../demo"}).status_code == 422
    assert operator.post("/v1/simulator/runs", json={"scenario": "town", "speed": None}).status_code == 422
    asked = operator.post("/v1/simulator/runs", json={"scenario": "town", "seed": 5})
    assert asked.status_code == 201
    run = asked.json()
    assert (run["scenario"], run["seed"], run["speed"], run["started_at"]) == ("town", 5, 1.0, None)
    assert operator.get("/v1/simulator").json()["runs"] == [run]
    stopped = operator.post(f"/v1/simulator/runs/{run['id']}/stop").json()
    assert stopped["stop_requested_at"] is not None
    assert operator.post("/v1/simulator/runs/999/stop").status_code == 404
