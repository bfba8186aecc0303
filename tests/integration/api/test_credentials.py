"""Credentials over the API: the secret in one answer only, nothing across organisations."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.api.conftest import As
from tests.integration.api.world import World
from veldwatch.storage import credentials
from veldwatch.storage.connection import Connection
from veldwatch.verifiers import is_secret_of


def _create(client: TestClient, device_id: int, **body: object) -> dict[str, Any]:
    answer = client.post(f"/v1/devices/{device_id}/credentials", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_device_gets_a_credential_whose_secret_is_told_once(
    operator: TestClient, made: World, connection: Connection
) -> None:
    issued = _create(operator, made.meter, note="new battery")
    assert issued["secret"].startswith("vd_")
    assert (issued["devices"], issued["organisation"], issued["created_by"]) == (["m-1"], "demo-water", "control room")
    assert issued["mqtt_host"]
    [listed] = operator.get(f"/v1/devices/{made.meter}/credentials").json()["items"]
    assert {**listed, "secret": issued["secret"]}.items() <= issued.items()
    assert issued["secret"] not in operator.get("/v1/credentials").text
    account = credentials.find_account(connection, issued["username"])
    assert account is not None
    assert is_secret_of(account.pbkdf2, issued["secret"])


def test_rotating_gives_a_successor_and_an_end(operator: TestClient, made: World) -> None:
    old = _create(operator, made.meter)
    new = operator.post(f"/v1/credentials/{old['id']}/rotate", json={}).json()
    assert new["username"] != old["username"]
    assert new["secret"] != old["secret"]
    first, second = operator.get(f"/v1/devices/{made.meter}/credentials").json()["items"]
    ends = datetime.fromisoformat(first["valid_until"])
    assert timedelta(hours=23) < ends - datetime.now(UTC) < timedelta(hours=25)
    assert (first["successor_id"], second["valid_until"]) == (new["id"], None)
    assert operator.post(f"/v1/credentials/{old['id']}/rotate", json={}).status_code == 409
    soon = {"old_valid_until": "2026-01-01T00:00:00Z"}
    assert operator.post(f"/v1/credentials/{new['id']}/rotate", json=soon).status_code == 201
    states = [each["state"] for each in operator.get("/v1/credentials").json()["items"]]
    assert states == ["valid", "expired", "valid"]


def test_revoking_is_at_once_and_may_be_repeated(operator: TestClient, made: World) -> None:
    issued = _create(operator, made.meter)
    for _ in range(2):
        assert operator.delete(f"/v1/credentials/{issued['id']}").status_code == 204
    [listed] = operator.get("/v1/credentials", params={"device_id": made.meter}).json()["items"]
    assert (listed["state"], listed["revoked_by"]) == ("revoked", "control room")
    assert operator.post(f"/v1/credentials/{issued['id']}/rotate", json={}).status_code == 409


def test_a_gateway_speaks_for_several_devices(operator: TestClient, bearing: As) -> None:
    body = {
        "organisation": "demo-water",
        "devices": ["m-1", "p-1"],
        "publish": ["application/#"],
        "note": "concentrator",
    }
    answer = operator.post("/v1/credentials", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["devices"] == ["m-1", "p-1"]
    own = bearing("water").post("/v1/credentials", json={"devices": ["m-1"]})
    assert own.json()["organisation"] == "demo-water"
    assert operator.post("/v1/credentials", json={"devices": ["m-1"]}).status_code == 422


def test_a_certificate_has_a_subject_and_no_secret(operator: TestClient, made: World) -> None:
    issued = _create(operator, made.meter, subject="CN=m-1, O=demo-water")
    assert (issued["kind"], issued["username"], issued["secret"]) == ("certificate", "CN=m-1,O=demo-water", None)
    again = operator.post(f"/v1/devices/{made.meter}/credentials", json={"subject": "CN=m-1,O=demo-water"})
    assert again.status_code == 409


def test_an_organisation_sees_and_makes_nothing_of_another(operator: TestClient, bearing: As, made: World) -> None:
    theirs = _create(operator, made.collar)
    water = bearing("water")
    assert water.get("/v1/credentials").json()["items"] == []
    assert water.get(f"/v1/devices/{made.collar}/credentials").status_code == 404
    assert water.post(f"/v1/devices/{made.collar}/credentials", json={}).status_code == 404
    assert water.post(f"/v1/credentials/{theirs['id']}/rotate", json={}).status_code == 404
    assert water.delete(f"/v1/credentials/{theirs['id']}").status_code == 404
    assert water.post("/v1/credentials", json={"organisation": "demo-wildlife", "devices": ["c-1"]}).status_code == 404
    assert water.post("/v1/credentials", json={"devices": ["c-1"]}).status_code == 404
    assert water.post("/v1/credentials", json={"publish": ["application/#"]}).status_code == 403
    reaching = {"publish": ["veldwatch/v1/demo-wildlife/#"]}
    assert water.post("/v1/credentials", json=reaching).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/credentials"),
        ("POST", "/v1/credentials"),
        ("GET", "/v1/devices/1/credentials"),
        ("POST", "/v1/devices/1/credentials"),
        ("POST", "/v1/credentials/1/rotate"),
        ("DELETE", "/v1/credentials/1"),
    ],
)
def test_a_viewer_has_no_part_in_it(bearing: As, method: str, path: str) -> None:
    assert bearing("viewer").request(method, path, json={} if method == "POST" else None).status_code == 403


def test_what_cannot_be_kept_is_refused(operator: TestClient, made: World) -> None:
    path = f"/v1/devices/{made.meter}/credentials"
    for body in ({"note": "a\0b"}, {"publish": ["#"]}, {"publish": ["a/#/b"]}, {"subject": "m-1"}, {"colour": "red"}):
        assert operator.post(path, json=body).status_code == 422, body
    assert operator.get(path).json()["items"] == []
