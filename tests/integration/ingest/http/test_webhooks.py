"""Messages of any source over HTTP, as network servers post them."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.ingest.http.conftest import Senders
from veldwatch.config import Source
from veldwatch.storage.connection import Connection
from veldwatch.storage.sources import save_source

UPLINK: dict[str, Any] = {
    "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
    "time": "2026-11-22T09:34:15.775023Z",
    "deviceInfo": {
        "tenantName": "T",
        "applicationId": "17c82e96-be03-4f38-aef3-f83d48582d97",
        "deviceName": "Probe",
        "devEui": "0101010101010101",
    },
    "fCnt": 4,
    "object": {"temperature": 22.5},
}


def test_chirpstack_posts_without_a_topic(client: TestClient, senders: Senders) -> None:
    for expected in ((1, 0), (0, 1)):
        answer = client.post("/v1/sources/lorawan/messages?event=up", json=UPLINK, headers=senders.gateway)
        assert answer.status_code == 200, answer.text
        assert tuple(answer.json()["readings"].values()) == expected
    found = client.get("/v1/readings?device=0101010101010101", headers=senders.everybody).json()["items"]
    assert [(row["metric"], row["value"]) for row in found] == [("temperature", 22.5)]


def test_a_topic_may_be_said(client: TestClient, senders: Senders) -> None:
    topic = "application/17c82e96-be03-4f38-aef3-f83d48582d97/device/0101010101010101/event/up"
    answer = client.post("/v1/sources/lorawan/messages", params={"topic": topic}, json=UPLINK, headers=senders.water)
    assert answer.status_code == 200, answer.text
    assert answer.json()["readings"]["new"] == 1


def test_what_a_decoder_refuses_is_in_quarantine(client: TestClient, senders: Senders) -> None:
    answer = client.post(
        "/v1/sources/lorawan/messages?topic=application/1/device/01/event/up", content=b"\x00", headers=senders.gateway
    )
    assert [each["reason"] for each in answer.json()["refused"]] == ["malformed_payload"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/sources/nothing/messages", "no source 'nothing'"),
        ("/v1/sources/trackers/messages", "no topic"),
        ("/v1/sources/lorawan/messages", "no topic"),
        ("/v1/sources/lorawan/messages?topic=owntracks/a/b", "bad topic"),
        ("/v1/sources/lorawan/messages?topic=application/%2B/device/01/event/up", "bad topic"),
    ],
)
def test_a_message_whose_topic_is_not_known_is_refused(
    client: TestClient, senders: Senders, path: str, detail: str
) -> None:
    answer = client.post(path, content=b"{}", headers=senders.everybody)
    assert answer.status_code == 422
    assert detail in answer.json()["detail"]


def test_real_uplinks_give_over_http_what_they_give_over_mqtt(
    client: TestClient, senders: Senders, samples: Path
) -> None:
    lines = (samples / "payloads" / "payloads.jsonl").read_text(encoding="utf-8").splitlines()
    uplinks = [line for line in map(json.loads, lines) if str(line.get("topic", "")).startswith("application/")]
    assert uplinks
    for line in uplinks:
        answer = client.post(
            "/v1/sources/lorawan/messages",
            params={"topic": line["topic"]},
            content=line["payload"] if isinstance(line["payload"], str) else json.dumps(line["payload"]),
            headers=senders.gateway,
        )
        assert answer.status_code == 200, answer.text


def test_a_source_of_the_database_takes_messages_soon(
    client: TestClient, senders: Senders, connection: Connection
) -> None:
    source = Source(name="boxes", topic_filter="boxes/+/out", decoder="chirpstack", organisation="kasama-water")
    save_source(connection, source, "tests")
    connection.commit()
    deadline = time.monotonic() + 20
    path = "/v1/sources/boxes/messages?topic=boxes/1/out"
    while (answer := client.post(path, content=b"{}", headers=senders.water)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.1)
    assert answer.json()["quarantined"] == 1
