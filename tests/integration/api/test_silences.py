"""Silences over HTTP and from the command line."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from launch.cli import application
from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import World
from veldwatch.storage.connection import Connection

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def body(ends_at: datetime = NOW + HOUR, **matcher: object) -> dict[str, object]:
    return {"matcher": matcher, "reason": "works at the pump", "ends_at": ends_at.isoformat()}


def firing(connection: Connection, made: World) -> str:
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=NOW - HOUR)
    return str(alert)


def test_a_silence_is_previewed_made_listed_extended_and_ended(
    operator: TestClient, connection: Connection, made: World
) -> None:
    alert = firing(connection, made)
    matcher: dict[str, Any] = {"organisation": "demo-water", "device": "m-1"}
    preview = operator.post("/v1/silences/preview", json=matcher).json()
    assert (preview["total"], preview["alerts"][0]["id"]) == (1, alert)
    assert operator.get("/v1/silences").json()["items"] == []

    silence = operator.post("/v1/silences", json=body(**matcher)).json()
    assert (silence["state"], silence["author"], silence["reason"]) == ("active", "control room", "works at the pump")
    assert operator.get(f"/v1/alerts/{alert}").json()["silenced_by"] == silence["id"]
    assert operator.get(f"/v1/silences/{silence['id']}/alerts").json()["total"] == 1

    later = (NOW + 2 * HOUR).isoformat()
    assert operator.patch(f"/v1/silences/{silence['id']}", json={"ends_at": later}).status_code == 200
    ended = operator.patch(f"/v1/silences/{silence['id']}", json={"ends_at": NOW.isoformat()}).json()
    assert [change["kind"] for change in ended["changes"]] == ["made", "extended", "expired"]
    assert operator.get(f"/v1/alerts/{alert}").json()["silenced_by"] is None
    assert operator.get("/v1/silences").json()["items"] == []
    assert [each["id"] for each in operator.get("/v1/silences?expired=true").json()["items"]] == [silence["id"]]
    answer = operator.patch(f"/v1/silences/{silence['id']}", json={"ends_at": later})
    assert answer.status_code == 422
    assert "over since" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("matcher", "matches"),
    [
        ({"rule": "water.low-pressure"}, True),
        ({"rule": "water.*"}, True),
        ({"rule": "electricity.*"}, False),
        ({"severities": ["major", "critical"]}, True),
        ({"severities": ["info"]}, False),
        ({"tag": "pilot"}, True),
        ({"tag": "spare"}, False),
        ({"organisation": "demo-water", "site": "town"}, True),
        ({"organisation": "demo-water", "everything": True}, True),
        ({"organisation": "demo-wildlife", "everything": True}, False),
        ({"labels": {"team": "nobody"}}, False),
        ({"tag": "pilot", "severities": ["info"]}, False),
    ],
)
def test_every_part_of_a_matcher_has_to_fit(
    operator: TestClient, connection: Connection, made: World, matcher: dict[str, object], matches: bool
) -> None:
    firing(connection, made)
    if "site" in matcher:
        parent = connection.execute("SELECT p.slug FROM site s JOIN site p ON p.id = s.parent_id LIMIT 1").fetchone()
        connection.commit()
        assert parent is not None
        matcher = {**matcher, "site": parent[0]}
    assert operator.post("/v1/silences/preview", json=matcher).json()["total"] == int(matches)


@pytest.mark.parametrize(
    ("matcher", "ends_at", "words"),
    [
        ({}, NOW + HOUR, "would mute everything"),
        ({"organisation": "demo-water"}, NOW + HOUR, "would mute everything"),
        ({"rule": "*"}, NOW + HOUR, "bad rule"),
        ({"rule": "a", "everything": True}, NOW + HOUR, "bad everything"),
        ({"rule": "a"}, NOW - HOUR, "bad ends_at"),
        ({"rule": "a"}, NOW + timedelta(days=40), "would last 40 days"),
        ({"site": "town"}, NOW + HOUR, "bad organisation"),
    ],
)
def test_a_silence_that_is_a_mistake_is_refused(
    operator: TestClient, matcher: dict[str, object], ends_at: datetime, words: str
) -> None:
    answer = operator.post("/v1/silences", json=body(ends_at, **matcher))
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_what_is_meant_may_be_said(operator: TestClient) -> None:
    silence = {**body(NOW + timedelta(days=40), everything=True), "long": True}
    assert operator.post("/v1/silences", json=silence).status_code == 201


def test_a_token_of_one_organisation_mutes_and_sees_its_own_alone(
    bearing: As, connection: Connection, made: World
) -> None:
    firing(connection, made)
    water, rangers, everything = bearing("water"), bearing("wildlife"), bearing("operator")
    own = water.post("/v1/silences", json=body(rule="water.*")).json()
    assert own["organisation"] == "demo-water"
    for_all = everything.post("/v1/silences", json=body(rule="water.low-pressure")).json()
    assert [each["id"] for each in rangers.get("/v1/silences").json()["items"]] == [for_all["id"]]
    assert rangers.get(f"/v1/silences/{own['id']}").status_code == 404
    assert rangers.get(f"/v1/silences/{for_all['id']}/alerts").json()["total"] == 0
    end = {"ends_at": NOW.isoformat()}
    for client in (water, rangers):
        assert client.patch(f"/v1/silences/{for_all['id']}", json=end).status_code == 404
    assert rangers.post("/v1/silences", json=body(organisation="demo-water", rule="a")).status_code == 404
    assert bearing("viewer").post("/v1/silences", json=body(rule="a")).status_code == 403


def test_the_command_line_does_the_same(
    dsn: str, made: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VELDWATCH_DSN", dsn)
    firing(connection, made)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(application("silences"), ["silences", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert run("preview", "--tag", "pilot").startswith("1 alerts would be muted now\n  major")
    said = run("make", "--tag", "pilot", "--for", "2h", "--reason", "pilot is rebuilt")
    number = said.split()[1]
    assert said.endswith("1 alerts that fire now are muted\n")
    assert "tag pilot\tpilot is rebuilt" in run("list")
    run("extend", number, "--for", "1d")
    assert "extended by" in run("show", number)
    run("expire", number)
    assert run("list") == ""
    assert "expired" in run("list", "--expired")
