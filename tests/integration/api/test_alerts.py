"""Alerts as they are read out, and what operators do with them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
from fastapi.testclient import TestClient
from psycopg.types.json import Jsonb

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection


def test_an_alert_is_told_with_rule_place_and_device(operator: TestClient, connection: Connection, made: World) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    told = operator.get("/v1/alerts").json()["items"][0]
    assert told == {
        "id": str(alert),
        "rule": "water.low-pressure",
        "rule_version": 1,
        "rule_title": "Pressure is too low",
        "organisation": "demo-water",
        "site": "upper",
        "device": "m-1",
        "device_id": made.meter,
        "device_name": world.HOSTILE_NAME,
        "series_id": None,
        "metric": None,
        "severity": "major",
        "state": "firing",
        "opened_at": "2026-11-01T10:00:00Z",
        "fired_at": "2026-11-01T10:00:00Z",
        "resolved_at": None,
        "recorded_at": "2026-11-01T10:00:00Z",
        "late": False,
        "value": 1.2,
        "summary": "pressure 1.2 bar",
        "evidence": {"readings": []},
        "acknowledged_at": None,
        "acknowledged_by": None,
        "explained_by": None,
        "explained_by_interruption": None,
        "explained_by_title": None,
        "explained_until": None,
        "explains": 0,
        "silenced_by": None,
        "assigned_to": None,
        "assigned_at": None,
        "assigned_by": None,
        "resolution": None,
        "resolution_note": None,
        "resolved_by_hand_at": None,
        "resolved_by": None,
        "raises": [],
        "taken_out_by": None,
        "longitude": 31.2,
        "latitude": -10.2,
        "incident_id": None,
        "impact": {
            "water": None,
            "energy": None,
            "money": None,
            "currency": None,
            "people": None,
            "customers": None,
            "missing": [],
            "text": None,
        },
    }


def test_an_alert_of_a_tracker_stands_where_it_was_then(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_fixes(connection, made.collar, [(BEGIN + timedelta(hours=n), 31 + n, -10) for n in range(3)])
    opened = BEGIN + timedelta(minutes=90)
    world.add_alert(connection, device=made.collar, organisation=made.wildlife, opened_at=opened)
    assert operator.get("/v1/alerts").json()["items"][0]["longitude"] == 32


def test_alerts_are_found_by_every_filter(operator: TestClient, connection: Connection, made: World) -> None:
    first = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN, state="resolved")
    later = BEGIN + timedelta(hours=2)
    second = world.add_alert(
        connection, device=made.collar, organisation=made.wildlife, opened_at=later, severity="critical"
    )
    operator.post(f"/v1/alerts/{first}/acknowledge")

    def found(**query: str | int | bool | list[str]) -> list[str]:
        return [one["id"] for one in operator.get("/v1/alerts", params=query).json()["items"]]

    both = [str(second), str(first)]
    assert found() == both
    assert found(state="resolved") == [str(first)]
    assert found(state=["resolved", "firing"]) == found(state="resolved,firing") == both
    assert found(severity="critical") == [str(second)]
    assert found(device="m-1") == found(device_id=made.meter) == found(acknowledged=True) == [str(first)]
    assert found(organisation="demo-wildlife") == found(**{"from": later.isoformat()}) == [str(second)]
    assert found(to=later.isoformat()) == [str(first)]
    assert found(rule="water.low-pressure") == both
    assert found(rule="other") == []
    page = operator.get("/v1/alerts", params={"limit": 1}).json()
    assert found(cursor=page["next"]) == [str(first)]


def test_who_acknowledges_first_stays_and_repeating_changes_nothing(
    bearing: As, connection: Connection, made: World, dsn: str
) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    with psycopg.connect(dsn, autocommit=True) as listener:
        listener.execute("LISTEN veldwatch_alert")
        first = bearing("water").post(f"/v1/alerts/{alert}/acknowledge", json={"comment": "Crew is on the way."})
        woken = [note.payload for note in listener.notifies(timeout=5, stop_after=1)]
    assert str(alert) in woken
    assert first.json()["acknowledged_by"] == "water desk"
    for client in (bearing("water"), bearing("operator")):
        again = client.post(f"/v1/alerts/{alert}/acknowledge", json={"comment": "Crew is on the way."})
        assert again.json()["acknowledged_by"] == "water desk"
        assert again.json()["acknowledged_at"] == first.json()["acknowledged_at"]
    story = bearing("operator").get(f"/v1/alerts/{alert}").json()
    assert [(one["kind"], one["author"]) for one in story["transitions"]] == [
        ("firing", "engine"),
        ("acknowledged", "water desk"),
        ("commented", "water desk"),
        ("commented", "control room"),
    ]
    assert [one["author"] for one in story["comments"]] == ["water desk", "control room"]


def test_a_comment_is_kept_as_it_was_written(bearing: As, connection: Connection, made: World) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    operator = bearing("operator")
    text = "Ventil zu <script>alert(1)</script> 🐘"
    answer = operator.post(f"/v1/alerts/{alert}/comments", json={"body": f"  {text}\n"})
    assert answer.status_code == 201
    assert (answer.json()["author"], answer.json()["body"]) == ("control room", text)
    assert operator.get(f"/v1/alerts/{alert}").json()["comments"][0]["body"] == text


def test_a_comment_that_cannot_be_kept_is_refused(operator: TestClient, connection: Connection, made: World) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    path = f"/v1/alerts/{alert}/comments"
    for body in ("", "   ", "x" * 4001, "a\x00b"):
        assert operator.post(path, json={"body": body}).status_code == 422, body[:5]
    json_type = {"content-type": "application/json"}
    for content in (b'{"body": "\\ud800"}', b'{"body": 5}', b"[]", b'{"body": "x", "author": "y"}', b""):
        assert operator.post(path, content=content, headers=json_type).status_code == 422, content
    for content in (b"\xff", b"{", b"[" * 100_000):
        assert operator.post(path, content=content, headers=json_type).status_code in (400, 422), content[:5]
    assert operator.post(path, json={"body": "x" * 1_000_001}).status_code == 413
    assert operator.get(f"/v1/alerts/{alert}").json()["comments"] == []


def test_the_story_of_an_alert_has_every_attempt_to_tell(
    operator: TestClient, connection: Connection, made: World
) -> None:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    receiver = {"slug": "crew", "channel": "email", "address": "crew@example.org"}
    assert operator.post("/v1/receivers", json=receiver).status_code == 201
    outbox_id = uuid4()
    connection.execute(
        "INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, state, attempts, next_attempt_at)"
        " SELECT %s, t.id, t.alert_id, r.id, %s, 'delivered', 2, now() FROM alert_transition t, receiver r",
        (outbox_id, Jsonb({"kind": "firing", "headline": "Pressure", "text": "Pressure is low"})),
    )
    for number, outcome in ((1, "temporary_failure"), (2, "delivered")):
        connection.execute(
            "INSERT INTO attempt (outbox_id, number, at, outcome, detail) VALUES (%s, %s, %s, %s, '250 OK')",
            (outbox_id, number, BEGIN, outcome),
        )
    connection.commit()
    (told,) = operator.get(f"/v1/alerts/{alert}").json()["notifications"]
    assert (told["receiver"], told["kind"], told["text"]) == ("crew", "firing", "Pressure is low")
    assert [(one["number"], one["outcome"]) for one in told["attempts"]] == [(1, "temporary_failure"), (2, "delivered")]
    assert "crew@example.org" not in str(told), "addresses are for operators"


def test_changes_at_once_leave_one_acknowledgement(bearing: As, connection: Connection, made: World) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # only this test works in parallel

    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)

    def acknowledge(name: str) -> dict[str, Any]:
        return bearing(name).post(f"/v1/alerts/{alert}/acknowledge").json()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(acknowledge, ["operator", "water"] * 6))
    assert len({(one["acknowledged_by"], one["acknowledged_at"]) for one in answers}) == 1
    kinds = [one["kind"] for one in bearing("viewer").get(f"/v1/alerts/{alert}").json()["transitions"]]
    assert kinds == ["firing", "acknowledged"]
