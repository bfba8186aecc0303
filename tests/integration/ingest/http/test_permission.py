"""Who may send what: a device only as itself, an operator for its organisation."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fastapi.testclient import TestClient

from ingest.http.access import Gate
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.replay import Replay
from launch.web import create_web_app
from tests.integration.ingest.http.conftest import Senders, basic
from veldwatch.config import Source, load_settings
from veldwatch.errors import NotAuthenticated
from veldwatch.model.quarantine import Selection
from veldwatch.storage import credentials, quarantine, replays
from veldwatch.storage.connection import Connection
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.pool import Pool

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


# Sources of one organisation, whose messages can name another: by their topics.
_NAMING = {
    "own": Source(
        name="own", topic_filter="site/#", decoder="veldwatch", organisation="kasama-water", register_unknown=True
    ),
    "template": Source(
        name="template",
        topic_filter="gateways/#",
        decoder="mapping",
        organisation="kasama-water",
        register_unknown=True,
        options={
            "device": "{topic[2]}",
            "organisation": "{topic[1]}",
            "time": "arrival",
            "metrics": [{"name": "x", "value": "$.x"}],
        },
    ),
}
_TOPICS = {"own": "site/x/{}/meter-1/readings", "template": "gateways/{}/meter-1"}


def _of(connection: Connection) -> list[tuple[str]]:
    found = connection.execute(
        "SELECT o.slug FROM reading r JOIN series s ON s.id = r.series_id JOIN device d ON d.id = s.device_id"
        " JOIN organisation o ON o.id = d.organisation_id"
    ).fetchall()
    connection.rollback()
    return found


@pytest.mark.parametrize("name", _NAMING)
def test_a_message_that_names_another_organisation_is_not_stored_for_an_operator_of_one(
    dsn: str, senders: Senders, connection: Connection, name: str
) -> None:
    settings = load_settings(dsn=dsn, sources=(_NAMING[name],))
    body = {"observed_at": datetime.now(UTC).isoformat(), "readings": {"x": 1}, "x": 1}
    with TestClient(create_web_app(settings)) as client:

        def post(organisation: str, headers: dict[str, str]) -> httpx2.Response:
            topic = _TOPICS[name].format(organisation)
            return client.post(f"/v1/sources/{name}/messages", params={"topic": topic}, json=body, headers=headers)

        answer = post("luangwa", senders.water)
        assert answer.status_code == 200
        assert [each["reason"] for each in answer.json()["refused"]] == ["unknown_organisation"]
        assert _of(connection) == []
        (row,) = quarantine.newest(connection)
        assert row.organisation == "kasama-water", "it fills nobody else's quarantine"
        connection.rollback()
        assert post("kasama-water", senders.water).json()["readings"]["new"] == 1
        assert post("luangwa", senders.everybody).json()["readings"]["new"] == 1
        assert sorted(_of(connection)) == [("kasama-water",), ("luangwa",)]


def test_what_an_operator_of_one_organisation_sent_is_replayed_for_that_one_alone(
    dsn: str, senders: Senders, connection: Connection
) -> None:
    wrong = _NAMING["template"].model_copy(update={"options": _NAMING["template"].options | {"time": "$.when"}})
    with TestClient(create_web_app(load_settings(dsn=dsn, sources=(wrong,)))) as client:
        for organisation in ("luangwa", "kasama-water"):
            topic = _TOPICS["template"].format(organisation)
            client.post("/v1/sources/template/messages", params={"topic": topic}, json={"x": 1}, headers=senders.water)
    assert [reason for reason, _ in quarantine.summary(connection)] == ["missing_time"]
    replays.ask(connection, Selection(), author="somebody who may do all")
    connection.commit()
    settings = load_settings(dsn=dsn, sources=(_NAMING["template"],))
    writer = IntakeWriter(dsn)
    replay = Replay(settings, LiveSources(settings), Names(settings))
    while replays.peek(connection, replays.Portion(messages=1, payload_bytes=1)):
        replay.work(writer, live=False)
    writer.close()
    assert _of(connection) == [("kasama-water",)]
    assert [reason for reason, _ in quarantine.summary(connection)] == ["unknown_organisation"]
    connection.rollback()


class CountedPool(Pool):
    """A pool that counts its loans."""

    loans = 0

    @contextmanager
    def lend(self) -> Generator[Connection]:
        self.loans += 1
        with super().lend() as connection:
            yield connection


def test_those_who_come_together_are_looked_up_once_whoever_goes_away_meanwhile(dsn: str, senders: Senders) -> None:
    pool = CountedPool(dsn, size=1, query_limit=timedelta(seconds=30), application="gate")

    async def ask() -> tuple[list[str | None], list[BaseException]]:
        gate = Gate(pool)
        first, *others = [asyncio.create_task(gate.sender(senders.water["Authorization"])) for _ in range(50)]
        unknown = [asyncio.create_task(gate.sender("Bearer vw_wrong")) for _ in range(50)]
        await asyncio.sleep(0)  # all of them wait for an answer
        first.cancel()
        found = [sender.organisation for sender in await asyncio.gather(*others)]
        refused = await asyncio.gather(*unknown, return_exceptions=True)
        return found, [each for each in refused if isinstance(each, NotAuthenticated)]

    pool.open()
    try:
        found, refused = asyncio.run(ask())
    finally:
        pool.close()
    assert found == ["kasama-water"] * 49
    assert len(refused) == 50
    assert pool.loans == 2
