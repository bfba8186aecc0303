"""Quarantine over HTTP: lists, groups, payloads; replays and discards, and who may see and do what."""

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.model.reasons import Reason
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection
from veldwatch.storage.quarantine import Quarantined


def _quarantined(topic: str, payload: bytes, reason: Reason) -> Quarantined:
    organisation = topic.split("/")[2] if topic.startswith("veldwatch/v1/") else None
    return Quarantined(BEGIN, "veldwatch", topic, payload, reason, "because", organisation=organisation)


def test_quarantine_shows_bytes_and_reasons_newest_first(bearing: As, connection: Connection, made: World) -> None:
    assert made.water
    rows = [
        _quarantined("veldwatch/v1/demo-water/m-1/readings", b"{", Reason.MALFORMED_PAYLOAD),
        _quarantined("veldwatch/v1/demo-water/m-1/readings", b"{", Reason.MALFORMED_PAYLOAD),
        _quarantined("other", b"\xff\x00", Reason.NO_SOURCE),
        _quarantined("other", b"<b>", Reason.NO_SOURCE),
    ]
    quarantine.add(connection, rows)
    connection.commit()
    operator = bearing("operator")
    items = operator.get("/v1/quarantine").json()["items"]
    told = {(one["topic"], one["payload_text"], one["payload_base64"], one["count"]) for one in items}
    assert told == {
        ("veldwatch/v1/demo-water/m-1/readings", "{", "ew==", 2),
        ("other", None, "/wA=", 1),
        ("other", "<b>", "PGI+", 1),
    }
    assert [one["id"] for one in items] == sorted((one["id"] for one in items), reverse=True)
    page = operator.get("/v1/quarantine", params={"limit": 2}).json()
    rest = operator.get("/v1/quarantine", params={"cursor": page["next"]}).json()
    assert [one["id"] for one in page["items"] + rest["items"]] == [one["id"] for one in items]
    only = operator.get("/v1/quarantine", params={"reason": "malformed_payload"}).json()["items"]
    assert [one["count"] for one in only] == [2]
    summary = operator.get("/v1/quarantine/summary").json()["items"]
    assert summary == [{"reason": "no_source", "count": 2}, {"reason": "malformed_payload", "count": 1}]
    assert len(bearing("water").get("/v1/quarantine").json()["items"]) == 1
    assert bearing("wildlife").get("/v1/quarantine/summary").json() == {"items": []}


@pytest.fixture
def filled(connection: Connection, made: World) -> World:
    """Quarantine three messages of the water utility, one of the wildlife agency and one of nobody."""
    rows = [
        *(
            _quarantined(f"veldwatch/v1/demo-water/m-{n}/readings", b"{%d" % n, Reason.MALFORMED_PAYLOAD)._replace(
                organisation="demo-water", device=f"m-{n}"
            )
            for n in range(3)
        ),
        _quarantined("application/7/device/8/event/up", b"lion", Reason.UNKNOWN_DEVICE)._replace(
            organisation="demo-wildlife", source="chirpstack", device="8"
        ),
        _quarantined("zoo/x", b"y" * 9000, Reason.NO_SOURCE)._replace(source="", cut=True),
    ]
    quarantine.add(connection, rows)
    connection.commit()
    return made


def _listed(client: TestClient, **parameters: str) -> list[str]:
    answer = client.get("/v1/quarantine", params=parameters)
    assert answer.status_code == 200, answer.text
    return [one["topic"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"reason": "malformed_payload,no_source"}, 4),
        ({"source": "chirpstack"}, 1),
        ({"source": ""}, 1),
        ({"topic_pattern": "veldwatch/v1/demo-water/+/readings"}, 3),
        ({"topic": "zoo"}, 1),
        ({"device": "m-1"}, 1),
        ({"organisation": "demo-wildlife"}, 1),
        ({"from": BEGIN.isoformat()}, 5),
        ({"to": BEGIN.isoformat()}, 0),
        ({"state": "stored"}, 0),
        ({"state": "any"}, 5),
    ],
)
def test_a_filter_leaves_what_it_names(
    operator: TestClient, filled: World, parameters: dict[str, str], found: int
) -> None:
    assert filled
    assert len(_listed(operator, **parameters)) == found


def test_a_list_shows_the_beginning_and_one_message_the_whole(operator: TestClient, filled: World) -> None:
    assert filled
    (item,) = operator.get("/v1/quarantine", params={"topic": "zoo"}).json()["items"]
    assert (len(item["payload_text"]), item["payload_bytes"], item["cut"]) == (4096, 9000, True)
    assert (item["replayable"], "only its beginning" in item["why_not"]) == (False, True)
    whole = operator.get(f"/v1/quarantine/{item['id']}").json()
    assert (len(whole["payload_text"]), whole["history"]) == (9000, [])
    assert operator.get("/v1/quarantine/999999").status_code == 404


def test_groups_come_in_pages_the_largest_first(operator: TestClient, filled: World) -> None:
    assert filled
    page = operator.get("/v1/quarantine/groups", params={"limit": 1}).json()
    (largest,) = page["items"]
    assert (largest["reason"], largest["topic_pattern"], largest["messages"], largest["replayable"]) == (
        "malformed_payload",
        "veldwatch/v1/demo-water/+/readings",
        3,
        3,
    )
    assert largest["device"] is None
    rest = operator.get("/v1/quarantine/groups", params={"cursor": page["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (2, None)
    by_device = operator.get("/v1/quarantine/groups", params={"by": "device"}).json()["items"]
    assert {one["device"] for one in by_device} == {"m-0", "m-1", "m-2", "8", None}
    assert operator.get("/v1/quarantine/groups", params={"by": "payload"}).status_code == 422


def test_a_viewer_sees_what_waits_and_not_what_it_says(bearing: As, filled: World) -> None:
    assert filled
    guest = bearing("wildlife viewer")
    (item,) = guest.get("/v1/quarantine").json()["items"]
    assert (item["device"], item["payload_text"], item["payload_base64"], item["detail"]) == ("8", None, None, None)
    assert "lion" not in guest.get(f"/v1/quarantine/{item['id']}").text
    assert guest.get("/v1/quarantine/groups").json()["items"][0]["detail"] is None


def test_a_replay_waits_for_ingest_and_is_cancelled(operator: TestClient, filled: World) -> None:
    assert filled
    answer = operator.post("/v1/quarantine/replays", json={"filter": {"reason": ["malformed_payload", "no_source"]}})
    assert answer.status_code == 202
    asked = answer.json()
    assert (asked["state"], asked["asked"], asked["waiting"], asked["left_out"]) == ("running", 3, 3, 1)
    assert (asked["requested_by"], asked["selection"]["reasons"]) == (
        "control room",
        ["malformed_payload", "no_source"],
    )
    (one, *_) = operator.get("/v1/quarantine", params={"device": "m-1"}).json()["items"]
    assert one["waiting_in"] == asked["id"]
    path = f"/v1/quarantine/replays/{asked['id']}"
    assert operator.post(f"{path}/cancel").json()["state"] == "cancelled"
    told = operator.get(path).json()
    assert (told["cancelled"], told["waiting"], told["cancelled_by"]) == (3, 0, "control room")
    assert [each["id"] for each in operator.get("/v1/quarantine/replays").json()["items"]] == [asked["id"]]
    nothing = operator.post("/v1/quarantine/replays", json={"filter": {"reason": ["bad_time"]}}).json()
    assert (nothing["asked"], nothing["state"]) == (0, "finished")


def test_what_cannot_be_replayed_is_refused_with_the_reason(operator: TestClient, filled: World) -> None:
    assert filled
    (item,) = operator.get("/v1/quarantine", params={"topic": "zoo"}).json()["items"]
    answer = operator.post("/v1/quarantine/replays", json={"ids": [item["id"]]})
    assert (answer.status_code, "only its beginning" in answer.json()["detail"]) == (409, True)
    assert operator.post("/v1/quarantine/replays", json={"ids": [999_999]}).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [1], "filter": {}}, {"ids": [-1]}, {"filter": {"reasons": ["x"]}}, {"filtre": {}}]
)
def test_a_request_that_names_no_messages_is_refused(operator: TestClient, body: dict[str, object]) -> None:
    assert operator.post("/v1/quarantine/replays", json=body).status_code == 422
    assert operator.post("/v1/quarantine/discards", json=body | {"reason": "x"}).status_code == 422


def test_a_discard_wants_a_reason_and_spares_what_came_later(
    operator: TestClient, filled: World, connection: Connection
) -> None:
    assert filled
    looked_at = operator.get("/v1/quarantine").json()["items"][0]["id"]
    quarantine.add(connection, [_quarantined("late", b"z", Reason.NO_SOURCE)])
    connection.commit()
    everything = {"filter": {"up_to": looked_at}}
    assert operator.post("/v1/quarantine/discards", json=everything | {"reason": " "}).status_code == 422
    answer = operator.post("/v1/quarantine/discards", json=everything | {"reason": "a test rig"})
    assert (answer.status_code, answer.json()["discarded"]) == (201, 5)
    assert _listed(operator) == ["late"]
    (record,) = operator.get("/v1/quarantine/discards").json()["items"]
    assert (record["author"], record["reason"], record["selection"]["up_to"]) == (
        "control room",
        "a test rig",
        looked_at,
    )
    (kept, *_) = operator.get("/v1/quarantine", params={"state": "discarded"}).json()["items"]
    assert kept["discarded_at"] is not None
    taken_back = operator.post("/v1/quarantine/replays", json={"ids": [kept["id"]]})
    assert taken_back.status_code in (202, 409)


def test_a_token_of_one_organisation_sees_and_settles_its_own_alone(bearing: As, filled: World) -> None:
    assert filled
    rangers, everything = bearing("wildlife"), bearing("operator")
    ids = {one["organisation"]: one["id"] for one in everything.get("/v1/quarantine").json()["items"]}
    assert _listed(rangers) == ["application/7/device/8/event/up"]
    assert _listed(rangers, organisation="demo-water") == []
    assert rangers.get(f"/v1/quarantine/{ids['demo-water']}").status_code == 404
    assert rangers.get("/v1/quarantine/summary").json()["items"] == [{"reason": "unknown_device", "count": 1}]
    assert [one["messages"] for one in rangers.get("/v1/quarantine/groups").json()["items"]] == [1]
    assert rangers.post("/v1/quarantine/replays", json={"ids": [ids["demo-water"]]}).status_code == 404
    several = {"ids": [ids["demo-water"], ids["demo-wildlife"]]}
    assert rangers.post("/v1/quarantine/replays", json=several).json()["asked"] == 1
    others = {"filter": {"organisation": "demo-water"}, "reason": "not mine"}
    assert rangers.post("/v1/quarantine/discards", json=others).json()["discarded"] == 0
    asked = everything.post("/v1/quarantine/replays", json={"filter": {"organisation": "demo-water"}}).json()
    assert rangers.get(f"/v1/quarantine/replays/{asked['id']}").status_code == 404
    assert rangers.post(f"/v1/quarantine/replays/{asked['id']}/cancel").status_code == 404
    assert len(rangers.get("/v1/quarantine/replays").json()["items"]) == 1
