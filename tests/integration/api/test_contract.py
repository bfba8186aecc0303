"""What is promised: OpenAPI, its examples and the reference page say what the API really answers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, cast

import jsonschema
import pytest
from fastapi.testclient import TestClient
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from rules.backtests.job import carry_out
from tests.conftest import REPOSITORY
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.quarantine import Quarantined

PAGE = REPOSITORY / "docs" / "reference" / "http-api.md"
_ROW = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>/\S+)` \| (?P<parameters>[^|]*)\|", re.MULTILINE)


def _schema(client: TestClient) -> dict[str, Any]:
    return client.get("/v1/openapi.json").json()


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _validator(schema: dict[str, Any], part: dict[str, Any]) -> jsonschema.Draft202012Validator:
    document: Resource[Any] = Resource.from_contents(schema, DRAFT202012)
    registry: Registry[Any] = Registry[Any]().with_resource("urn:api", document)
    absolute = _absolute(part)
    return jsonschema.Draft202012Validator(absolute, registry=registry)


def _absolute(part: Any) -> Any:  # noqa: ANN401  # JSON
    """Point `#/components` into the whole document."""
    if isinstance(part, dict):
        items = cast("dict[str, Any]", part)
        return {name: "urn:api" + value if name == "$ref" else _absolute(value) for name, value in items.items()}
    if isinstance(part, list):
        return [_absolute(value) for value in cast("list[Any]", part)]
    return part


def test_the_reference_lists_every_route_with_every_parameter(anonymous: TestClient) -> None:
    documented = {
        (row["method"], row["path"]): set(re.findall(r"`(\w+)`", row["parameters"]))
        for row in _ROW.finditer(PAGE.read_text(encoding="utf-8"))
    }
    offered = {
        (method, path): {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        for method, path, operation in _operations(_schema(anonymous))
    }
    assert documented == offered


def test_every_route_says_what_it_is_for_and_how_it_fails(anonymous: TestClient) -> None:
    for method, path, operation in _operations(_schema(anonymous)):
        assert operation["description"].endswith("."), (method, path)
        if path not in ("/healthz", "/readyz"):
            ways: list[dict[str, list[str]]] = (
                [{"token": []}, {"device": []}] if "intake" in operation["tags"] else [{"token": []}]
            )
            assert operation["security"] == ways, (method, path)
            assert "application/problem+json" in operation["responses"]["401"]["content"], (method, path)


def test_every_example_is_one_of_its_own_schema(anonymous: TestClient) -> None:
    schema = _schema(anonymous)
    seen = 0
    for component in schema["components"]["schemas"].values():
        for part in component.get("properties", {}).values():
            for example in part.get("examples", []):
                _validator(schema, part).validate(example)
                seen += 1
    assert seen > 60


@pytest.fixture
def filled(connection: Connection, made: World) -> World:
    connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (made.volume,))
    world.add_readings(connection, made.volume, [(BEGIN, 1.0), (BEGIN + timedelta(hours=1), 2.0)])
    world.add_fixes(connection, made.collar, [(BEGIN, 31.1, -10.1)])
    world.add_contact(connection, made.meter, BEGIN)
    world.add_event(connection, made.meter, BEGIN, "tamper", {"cover": "open"})
    alert = world.add_alert(connection, device=made.meter, organisation=made.water, opened_at=BEGIN)
    gather_alerts(connection, [alert], BEGIN)
    quarantine.add(connection, [Quarantined(BEGIN, "", "t", b"{", Reason.NO_SOURCE, "because")])
    connection.commit()
    return made


@pytest.mark.several_backends("a back-test reads in one transaction and says how far it is in another")
def test_every_answer_is_what_openapi_says(
    operator: TestClient, connection: Connection, dsn: str, filled: World
) -> None:
    schema = _schema(operator)
    operator.post("/v1/receivers", json={"slug": "a", "channel": "email", "address": "a@b.example"})
    operator.post(f"/v1/devices/{filled.meter}/credentials", json={})
    operator.put("/v1/subjects/tembo", json={"organisation": "demo-water", "kind": "animal"})
    operator.post(f"/v1/devices/{filled.meter}/deployments", json={"subject": "tembo"})
    world.add_fixes(connection, filled.meter, [(BEGIN, 31.1, -10.1)])
    operator.post("/v1/simulator/faults", json={"device_id": filled.meter, "kind": "leak"})
    alert = operator.get("/v1/alerts").json()["items"][0]["id"]
    operator.post(f"/v1/alerts/{alert}/comments", json={"body": "x"})
    message = str(operator.get("/v1/quarantine").json()["items"][0]["id"])
    replay = str(operator.post("/v1/quarantine/replays", json={"filter": {}}).json()["id"])
    asked = {"rule": "water.low-pressure", "from": BEGIN.isoformat()}
    backtest = operator.post("/v1/backtests", json=asked).json()["id"]
    carry_out(dsn, backtest)
    operator.post("/v1/quarantine/discards", json={"filter": {}, "reason": "x"})
    muted = {"matcher": {"rule": "water.*"}, "reason": "x", "ends_at": "2199-01-01T00:00:00Z", "long": True}
    silence = str(operator.post("/v1/silences", json=muted).json()["id"])
    cut = {
        "organisation": "demo-water",
        "title": "x",
        "begins_at": "2026-11-24",
        "ends_at": "2026-11-25",
        "sites": ["town"],
    }
    interruption = str(operator.post("/v1/interruptions", json=cut).json()["id"])
    corrected = {"series_id": filled.pressure, "method": "manual", "reason": "x"}
    operator.post("/v1/corrections", json={**corrected, "items": [{"observed_at": BEGIN.isoformat(), "value": 2}]})
    operator.put("/v1/retention", json={"what": "reading", "kept_days": 8, "reason": "an alert still needs them"})
    operator.put("/v1/calendars/x", json={"organisation": "demo-water", "content": '{"events": []}'})
    places = {
        "{interruption_id}": interruption,
        "{silence_id}": silence,
        "{device_id}": str(filled.meter),
        "{alert_id}": alert,
        "{incident_id}": operator.get("/v1/incidents").json()["items"][0]["id"],
        "{site_id}": str(operator.get("/v1/sites").json()["items"][0]["id"]),
        "{organisation}": "demo-water",
        "{slug}": "water.low-pressure",
        "{name}": "veldwatch",
        "{profile}": "meter",
        "{subject}": "tembo",
        "{message_id}": message,
        "{replay_id}": replay,
        "{backtest_id}": str(backtest),
    }
    checked = 0
    for method, path, operation in _operations(schema):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "GET" or path in ("/v1/stream", "/metrics", "/v1/mailbox"):
            continue
        address = re.sub(r"\{\w+\}", lambda found: places[found[0]], path)
        answer = operator.get(address)
        media_type = answer.headers["content-type"]
        assert answer.status_code == 200, address
        part = content[media_type].get("schema") or content["application/json"]["schema"]
        _validator(schema, part).validate(answer.json())
        items = answer.json().get("items", answer.json().get("features", [1]))
        assert items, f"{address} answered nothing that could be checked"
        checked += 1
    assert checked > 18


def test_the_example_rule_of_openapi_is_a_rule(operator: TestClient) -> None:
    body = _schema(operator)["paths"]["/v1/rules/{slug}"]["put"]["requestBody"]["content"]["application/json"]
    (example,) = body["schema"]["examples"]
    assert operator.put(f"/v1/rules/{example['id']}", json=example).json()["definition"] == example


def test_the_example_source_of_openapi_is_a_source_that_reads_the_example_message(operator: TestClient) -> None:
    schema = _schema(operator)
    body = schema["paths"]["/v1/sources/{name}"]["put"]["requestBody"]["content"]["application/json"]
    (example,) = body["schema"]["examples"]
    stored = operator.put(f"/v1/sources/{example['name']}", json=example).json()
    assert {key: stored[key] for key in example} == example
    trial = schema["components"]["schemas"]["NewTrial"]["properties"]
    message = {key: trial[key]["examples"][0] for key in ("topic", "payload_text", "received_at")}
    tried = operator.post("/v1/sources/try", json=message).json()
    assert (tried["outcome"], len(tried["readings"]), tried["warnings"]) == ("stored", 2, [])
