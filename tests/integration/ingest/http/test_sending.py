"""What is sent over HTTP is stored, counted and answered for after the commit."""

import gzip
import json
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from psycopg import sql

from ingest.http.bodies import CONTENT_LIMIT_BYTES, SENT_LIMIT_BYTES
from tests.integration.ingest.http.conftest import Senders
from veldwatch.storage.connection import Connection

READING = {
    "device": "meter-1",
    "observed_at": "2026-11-22T10:00:00Z",
    "readings": {"flow_rate": {"value": 1.2, "unit": "L/h"}},
}


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    connection.rollback()
    assert row is not None
    return row[0]


def _rows(answer: httpx2.Response, kind: str = "readings") -> tuple[int, int]:
    assert answer.status_code == 200, answer.text
    rows = answer.json()[kind]
    return rows["new"], rows["duplicate"]


def _problem(answer: httpx2.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()["detail"]


def test_a_device_sends_its_own_reading_without_naming_itself(
    client: TestClient, senders: Senders, connection: Connection
) -> None:
    body = {name: value for name, value in READING.items() if name != "device"}
    answer = client.post("/v1/readings", json=body, headers=senders.meter)
    assert answer.json() == {
        "items": 1,
        "readings": {"new": 1, "duplicate": 0},
        "positions": {"new": 0, "duplicate": 0},
        "events": {"new": 0, "duplicate": 0},
        "quarantined": 0,
        "refused": [],
    }
    stored = client.get("/v1/readings?device=meter-1&organisation=kasama-water", headers=senders.everybody).json()
    assert [(row["metric"], row["value"]) for row in stored["items"]] == [("flow_rate", 1.2)]
    assert _count(connection, "contact") == 1


def test_the_same_body_again_changes_nothing_and_says_so(
    client: TestClient, senders: Senders, connection: Connection
) -> None:
    body = [READING, READING | {"device": "meter-2", "readings": {"flow_rate": 3, "volume": 7}}]
    assert _rows(client.post("/v1/readings", json=body, headers=senders.water)) == (3, 0)
    assert _rows(client.post("/v1/readings", json=body, headers=senders.water)) == (0, 3)
    assert _rows(client.post("/v1/readings", json=[*body, *body], headers=senders.water)) == (0, 6)
    assert _count(connection, "reading") == 3


def test_a_part_that_is_wrong_is_named_and_the_rest_is_stored(
    client: TestClient, senders: Senders, connection: Connection
) -> None:
    body = [
        READING,
        READING | {"readings": {"volume": "much", "pressure": 2}},
        READING | {"device": "nobody"},
        {"device": "meter-1"},
        READING | {"readings": {"flow_rate": 99}},
    ]
    answer = client.post("/v1/readings", json=body, headers=senders.water)
    assert _rows(answer) == (2, 0)
    said = answer.json()
    assert said["quarantined"] == 4
    assert [(each["item"], each["reason"]) for each in said["refused"]] == [
        (1, "bad_value"),
        (2, "unknown_device"),
        (3, "missing_time"),
        (4, "conflicting_duplicate"),
    ]
    kept = client.get("/v1/quarantine", headers=senders.everybody).json()["items"]
    by_id = {each["id"]: each for each in kept}
    for each in said["refused"]:
        assert by_id[each["id"]]["reason"] == each["reason"]
        assert json.loads(by_id[each["id"]]["payload_text"]) == body[each["item"]]
    assert _count(connection, "quarantine") == 4


def test_positions_and_events_are_taken_too(client: TestClient, senders: Senders) -> None:
    fix = {"device": "meter-1", "observed_at": 1795341600, "longitude": 31.2, "latitude": -10.2}
    for expected in ((1, 0), (0, 1)):
        assert _rows(client.post("/v1/positions", json=fix, headers=senders.meter), "positions") == expected
    event = {"device": "meter-1", "observed_at": 1795341600, "kind": "tamper", "attributes": {"cover": "open"}}
    assert _rows(client.post("/v1/events", json=[event, event], headers=senders.meter), "events") == (1, 1)
    assert _rows(client.post("/v1/events", json=event, headers=senders.meter), "events") == (0, 1)


def test_a_packed_body_is_unpacked_also_in_several_members(client: TestClient, senders: Senders) -> None:
    packed = gzip.compress(json.dumps([READING]).encode())
    headers = {**senders.water, "Content-Encoding": "gzip"}
    assert _rows(client.post("/v1/readings", content=packed, headers=headers)) == (1, 0)
    members = gzip.compress(b"[", mtime=0) + gzip.compress(json.dumps(READING).encode()) + gzip.compress(b"]")
    assert _rows(client.post("/v1/readings", content=members, headers=headers)) == (0, 1)


def test_a_small_body_cannot_become_a_large_one(client: TestClient, senders: Senders) -> None:
    headers = {**senders.water, "Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * (CONTENT_LIMIT_BYTES + 1), mtime=0)
    assert len(bomb) < 100_000
    assert "when it is unpacked" in _problem(client.post("/v1/readings", content=bomb, headers=headers), 413)
    twice = gzip.compress(gzip.compress(b"[]"), mtime=0)
    assert "not JSON" in _problem(client.post("/v1/readings", content=twice, headers=headers), 422)


def test_a_body_that_is_too_long_is_refused_with_or_without_its_length(client: TestClient, senders: Senders) -> None:
    long = b" " * (SENT_LIMIT_BYTES + 1)
    _problem(client.post("/v1/readings", content=long, headers=senders.water), 413)

    def chunks() -> Any:  # noqa: ANN401  # a generator of bytes, sent without its length
        for _ in range(9):
            yield b" " * 2**20

    _problem(client.post("/v1/readings", content=chunks(), headers=senders.water), 413)
    nearly = json.dumps([READING]).encode() + b" " * (SENT_LIMIT_BYTES - 1000)
    assert _rows(client.post("/v1/readings", content=nearly, headers=senders.water)) == (1, 0)


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 422),
        (b"not json", {}, 422),
        (b"[]", {}, 422),
        (b"7", {}, 422),
        (b'["meter-1"]', {}, 422),
        (b'{"device": 7}', {}, 422),
        (b'{"device": "a/b"}', {}, 422),
        (b'{"device": "+"}', {}, 422),
        (b"[" * 100_000, {}, 422),
        (b"\xff\xfe", {}, 422),
        (b"[" + b",".join([b"{}"] * 10_001) + b"]", {}, 422),
        (b"[]", {"Content-Encoding": "br"}, 415),
        (b"[]", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"[]", mtime=0)[:-9], {"Content-Encoding": "gzip"}, 400),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_stored(
    client: TestClient, senders: Senders, connection: Connection, content: bytes, headers: dict[str, str], status: int
) -> None:
    _problem(client.post("/v1/readings", content=content, headers={**senders.water, **headers}), status)
    assert _count(connection, "quarantine") == 0


def test_the_answer_to_an_unreadable_item_names_it(client: TestClient, senders: Senders) -> None:
    answer = client.post("/v1/readings", json=[READING, {"observed_at": 1}], headers=senders.water)
    assert "item 1" in _problem(answer, 422)
