"""Who may send what: a device only as itself, an operator for its organisation."""

import time

import httpx2
import pytest
from fastapi.testclient import TestClient

from tests.integration.ingest.http.conftest import Senders, basic
from veldwatch.storage import credentials
from veldwatch.storage.connection import Connection

READING = {"observed_at": "2026-11-22T10:00:00Z", "readings": {"flow_rate": 1}}


def _send(client: TestClient, headers: dict[str, str], **item: str) -> httpx2.Response:
    return client.post("/v1/readings", json=READING | item, headers=headers)


def test_without_valid_credentials_nobody_sends(client: TestClient, senders: Senders) -> None:
    name = senders.meter_credential.username
    for headers in (
        {},
        {"Authorization": "Bearer vw_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Digest x"},
        {"Authorization": "Basic ?"},
        {"Authorization": "Basic bm9jb2xvbg=="},
        basic(name, "wrong"),
        basic(name, ""),
        basic("", ""),
        basic("nobody\0", "x"),
    ):
        answer = _send(client, headers, device="meter-1")
        assert answer.status_code == 401, headers
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"]


def test_a_viewer_may_not_send(client: TestClient, senders: Senders) -> None:
    assert _send(client, senders.viewer, device="meter-1", organisation="kasama-water").status_code == 403


def test_a_device_sends_for_itself_alone(client: TestClient, senders: Senders, connection: Connection) -> None:
    for item in (
        {"device": "meter-2"},
        {"device": "meter-1", "organisation": "luangwa"},
        {"device": "*"},
    ):
        assert _send(client, senders.meter, **item).status_code == 403, item
    both = [READING | {"device": "meter-1"}, READING | {"device": "meter-2"}]
    assert client.post("/v1/readings", json=both, headers=senders.meter).status_code == 403
    message = client.post(
        "/v1/sources/lorawan/messages",
        params={"topic": "application/1/device/02/event/up"},
        json={},
        headers=senders.meter,
    )
    assert message.status_code == 403
    assert connection.execute("SELECT count(*) FROM reading").fetchone() == (0,), (
        "nothing of a forged request is stored"
    )
    connection.rollback()
    assert _send(client, senders.meter, device="meter-1", organisation="kasama-water").status_code == 200


def test_an_operator_of_one_organisation_sends_for_it_alone(client: TestClient, senders: Senders) -> None:
    assert _send(client, senders.water, device="meter-2").status_code == 200
    assert _send(client, senders.water, device="meter-1", organisation="luangwa").status_code == 403
    answer = client.post("/v1/sources/trackers/messages?topic=owntracks/a/b", json={}, headers=senders.water)
    assert answer.status_code == 403


def test_an_operator_of_all_says_for_which_organisation(client: TestClient, senders: Senders) -> None:
    assert _send(client, senders.everybody, device="meter-1").status_code == 422
    assert _send(client, senders.everybody, device="meter-1", organisation="luangwa").status_code == 200


def test_a_gateway_names_the_device_and_sends_below_its_prefix_alone(client: TestClient, senders: Senders) -> None:
    assert _send(client, senders.gateway).status_code == 422
    assert _send(client, senders.gateway, device="meter-1").status_code == 403
    answer = client.post("/v1/sources/trackers/messages?topic=owntracks/a/b", json={}, headers=senders.gateway)
    assert answer.status_code == 403


def test_who_is_revoked_is_refused_within_seconds(client: TestClient, senders: Senders, connection: Connection) -> None:
    assert _send(client, senders.meter).status_code == 200
    credentials.revoke_credential(connection, None, senders.meter_credential.id, by="tests")
    connection.commit()
    deadline = time.monotonic() + 20
    while _send(client, senders.meter).status_code != 401:
        assert time.monotonic() < deadline, "a revoked device is let in"
        time.sleep(0.1)


@pytest.mark.parametrize("path", ["/v1/readings", "/v1/positions", "/v1/events", "/v1/sources/lorawan/messages"])
def test_every_route_of_intake_is_closed(client: TestClient, path: str) -> None:
    assert client.post(path, json={}).status_code == 401
