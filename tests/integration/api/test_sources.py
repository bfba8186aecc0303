"""Sources over HTTP: seen by viewers, changed by operators of all organisations, tried by any operator."""

import base64
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.models.sources import EXAMPLE, PAYLOAD_EXAMPLE
from tests.integration.api.conftest import As
from veldwatch.storage.connection import Connection
from veldwatch.storage.sources import get_source

SOURCE: dict[str, Any] = {
    "topic_filter": "loggers/+",
    "decoder": "mapping",
    "options": {"device": "{topic[1]}", "metrics": [{"name": "volume", "value": "$.v", "unit": "L"}]},
    "organisation": "demo-water",
}


def test_a_source_is_stored_listed_first_and_removed(operator: TestClient, connection: Connection) -> None:
    put = operator.put("/v1/sources/loggers", json=dict(SOURCE))
    assert put.status_code == 200
    stored = put.json()
    assert (stored["origin"], stored["priority"], stored["enabled"], stored["updated_by"]) == (
        "database",
        100,
        True,
        "control room",
    )
    assert get_source(connection, "loggers").source.options == SOURCE["options"]
    listed = operator.get("/v1/sources").json()
    assert [item["name"] for item in listed["items"]][:2] == ["loggers", "veldwatch"]
    assert "mapping" in listed["decoders"]
    assert operator.delete("/v1/sources/loggers").status_code == 204
    assert operator.get("/v1/sources/loggers").status_code == 404
    assert operator.delete("/v1/sources/loggers").status_code == 404


def test_a_source_of_the_settings_is_hidden_by_its_namesake(operator: TestClient) -> None:
    before = operator.get("/v1/sources/owntracks").json()
    assert (before["origin"], before["priority"], before["updated_at"]) == ("settings", None, None)
    operator.put("/v1/sources/owntracks", json={"topic_filter": "x", "decoder": "owntracks", "enabled": False})
    assert [item["name"] for item in operator.get("/v1/sources").json()["items"]].count("owntracks") == 1
    operator.delete("/v1/sources/owntracks")
    assert operator.get("/v1/sources/owntracks").json() == before


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"topic_filter": "a#"}, "bad topic filter: 'a#'"),
        ({"decoder": "unheard-of"}, "decoder 'unheard-of': unknown"),
        ({"options": {"metrics": [{"name": "x", "value": "v"}]}}, "metrics[0].value: 'v' is not a JSONPath"),
        ({"options": {"unheard": 1}}, "unknown field `unheard`"),
        ({"priority": "first"}, "bad priority: 'first'"),
        ({"colour": "red"}, "bad colour"),
        ({"name": "other"}, "bad name: 'other'"),
        ({"organisation": "No Slug"}, "bad organisation: 'No Slug'"),
        ({"options": {"device": "\u0000"}}, "U+0000"),
    ],
)
def test_a_source_that_could_not_work_is_refused_with_what_is_wrong(
    operator: TestClient, changed: dict[str, Any], said: str
) -> None:
    answer = operator.put("/v1/sources/loggers", json={**SOURCE, **changed})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


def test_a_stored_source_that_stopped_to_work_says_why(operator: TestClient, connection: Connection) -> None:
    operator.put("/v1/sources/loggers", json=dict(SOURCE))
    connection.execute("UPDATE source SET decoder = 'uninstalled'")
    connection.commit()
    assert "uninstalled" in operator.get("/v1/sources/loggers").json()["fault"]


def test_a_stored_pattern_that_is_none_any_more_registers_nothing_and_stops_no_other_source(
    operator: TestClient, connection: Connection
) -> None:
    assert operator.put("/v1/sources/town", json={**EXAMPLE, "name": "town"}).status_code == 200
    connection.execute("UPDATE source SET device_pattern = '(?!test-).*'")
    connection.commit()
    source = operator.get("/v1/sources/town").json()
    assert "registers no device" in source["fault"]
    tried = operator.post("/v1/sources/try", json={"source": "town", "topic": "town/a/state", "payload_text": "{}"})
    assert tried.status_code == 200
    assert (
        operator.put("/v1/sources/town", json={**EXAMPLE, "name": "town", "device_pattern": "(?=a)"}).status_code == 422
    )


@pytest.mark.parametrize("depth", [200, 450, 900, 50_000])
def test_a_body_that_is_nested_without_sense_is_refused(operator: TestClient, depth: int) -> None:
    body = b'{"nothing": ' + b"[" * depth + b"]" * depth + b"}"
    answer = operator.put("/v1/sources/town", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


def test_no_pattern_holds_the_server_up(bearing: As) -> None:
    source = {**EXAMPLE, "name": "town", "device_pattern": "(a+)+b"}
    asked = {"source": source, "topic": f"town/{'a' * 60}/state", "payload_text": PAYLOAD_EXAMPLE}
    began = time.monotonic()
    tried = bearing("water").post("/v1/sources/try", json=asked)
    assert time.monotonic() - began < 5
    assert tried.json()["devices"] == [{"device": "a" * 60, "state": "unknown"}]


def test_who_may_do_what(bearing: As) -> None:
    for name in ("viewer", "water"):
        assert bearing(name).put("/v1/sources/loggers", json=dict(SOURCE)).status_code == 403
        assert bearing(name).delete("/v1/sources/loggers").status_code == 403
    bearing("operator").put("/v1/sources/loggers", json=dict(SOURCE))
    assert bearing("viewer").get("/v1/sources/loggers").status_code == 200
    assert bearing("viewer").post("/v1/sources/try", json={}).status_code == 403
    assert bearing("water").get("/v1/sources/loggers").json()["devices"] is None
    assert bearing("wildlife viewer").get("/v1/sources/loggers").status_code == 404
    message = {"source": "loggers", "topic": "loggers/m-1", "payload_text": '{"v": 1500}'}
    assert bearing("water").post("/v1/sources/try", json=message).json()["readings"][0]["value"] == 1.5
    assert bearing("wildlife").post("/v1/sources/try", json=message).status_code == 404


def test_a_definition_is_tried_on_text_or_bytes(operator: TestClient) -> None:
    body = {"source": {"name": "new", **SOURCE}, "topic": "loggers/m-1", "received_at": "2026-11-22T10:00:00Z"}
    text = operator.post("/v1/sources/try", json={**body, "payload_text": '{"v": "2"}'}).json()
    packed = base64.b64encode(b'{"v": "2"}').decode()
    assert operator.post("/v1/sources/try", json={**body, "payload_base64": packed}).json() == text
    assert text["outcome"] == "stored"
    assert text["devices"] == [{"device": "m-1", "state": "active"}]
    assert text["readings"] == [
        {
            "device": "m-1",
            "metric": "volume",
            "observed_at": "2026-11-22T10:00:00Z",
            "value": 0.002,
            "unit": "m3",
            "quality": ["time_of_arrival"],
        }
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "either payload_text or payload_base64"),
        ({"payload_text": "1", "payload_base64": "MQ=="}, "either payload_text or payload_base64"),
        ({"payload_base64": "?"}, "bad payload_base64"),
        ({"payload_text": "1"}, "neither a source nor a topic"),
        ({"payload_text": "1", "source": {"name": "x"}}, "body.source"),
        ({"payload_text": "1", "source": {"name": "x", **SOURCE, "decoder": "y"}}, "decoder 'y': unknown"),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused(operator: TestClient, body: dict[str, Any], said: str) -> None:
    answer = operator.post("/v1/sources/try", json=body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
