"""Who gets in: every route is closed without a token, roles and organisations hold on every one."""

from collections.abc import Iterator

from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from api.app import OPEN_PATHS
from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import BEGIN, World
from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import revoke_token

CHANGES: list[tuple[str, str, object]] = [
    ("POST", "/v1/alerts/00000000-0000-0000-0000-000000000000/acknowledge", {}),
    ("POST", "/v1/alerts/00000000-0000-0000-0000-000000000000/comments", {"body": "x"}),
    ("PUT", "/v1/rules/a", world.RULE),
    ("POST", "/v1/rules/a/enable", None),
    ("POST", "/v1/rules/a/disable", None),
    ("GET", "/v1/receivers", None),
    ("POST", "/v1/receivers", {"slug": "a", "channel": "email", "address": "a@b.example"}),
    ("DELETE", "/v1/receivers/a", None),
    ("POST", "/v1/quarantine/replays", {"filter": {}}),
    ("POST", "/v1/quarantine/replays/1/cancel", None),
    ("POST", "/v1/quarantine/discards", {"filter": {}, "reason": "x"}),
    ("GET", "/v1/mailbox", None),
    ("POST", "/v1/simulator/faults", {"device_id": 1, "kind": "leak"}),
    ("POST", "/v1/simulator/faults/1/stop", None),
]


def _operations(client: TestClient) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, object]] = client.get("/v1/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def _all_routes(routes: list[BaseRoute]) -> Iterator[str]:
    for route in routes:
        nested = getattr(getattr(route, "original_router", None), "routes", None)
        if nested is None:
            yield getattr(route, "path", "")
        else:
            prefix: str = getattr(getattr(route, "include_context", None), "prefix", "")
            yield from (prefix + path for path in _all_routes(nested))


def test_every_route_is_closed_without_a_token(anonymous: TestClient) -> None:
    for method, path in _operations(anonymous):
        answer = anonymous.request(method, path.replace("{", "").replace("}", ""))
        if path in OPEN_PATHS:
            assert answer.status_code == 200, path
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


def test_no_route_is_hidden_from_that_list(anonymous: TestClient) -> None:
    documented = {path for _, path in _operations(anonymous)}
    assert isinstance(anonymous.app, Starlette)
    mounted = set(_all_routes(anonymous.app.routes))
    assert mounted - documented == {"/v1/openapi.json", ""}, "only the schema and the console's files"
    assert len(documented) > 25


def test_a_token_that_is_none_is_refused(anonymous: TestClient, made: World) -> None:
    assert made.tokens
    for header in ("Bearer no", "Bearer ", "Basic dncxOng=", "vw_abc", "Bearer vw_" + "x" * 5000, "Bearer \xff\xfe"):
        answer = anonymous.get("/v1/me", headers=[(b"Authorization", header.encode("latin-1"))])
        assert answer.status_code == 401, header
        assert answer.json()["title"] == "Unauthorized"


def test_a_token_says_whose_it_is(bearing: As) -> None:
    assert bearing("water").get("/v1/me").json() == {
        "name": "water desk",
        "role": "operator",
        "organisation": "demo-water",
    }
    assert bearing("viewer").get("/v1/me").json()["organisation"] is None


def test_a_revoked_or_expired_token_is_refused_at_once(bearing: As, connection: Connection) -> None:
    client = bearing("viewer")
    assert client.get("/v1/me").status_code == 200
    row = connection.execute("SELECT id FROM token WHERE name = 'wall screen'").fetchone()
    assert row is not None
    revoke_token(connection, row[0])
    connection.commit()
    assert client.get("/v1/me").status_code == 401
    connection.execute("UPDATE token SET expires_at = now() - interval '1 second'")
    connection.commit()
    assert bearing("operator").get("/v1/me").status_code == 401


def test_no_token_is_stored(connection: Connection, made: World) -> None:
    rows = connection.execute("SELECT name, role, encode(digest, 'escape') FROM token").fetchall()
    assert not any(token in str(rows) or token[3:] in str(rows) for token in made.tokens.values())


def test_a_viewer_changes_nothing_and_sees_no_addresses(bearing: As) -> None:
    for method, path, body in CHANGES:
        answer = bearing("viewer").request(method, path, json=body)
        assert answer.status_code == 403, (method, path)
        assert "operator" in answer.json()["detail"]


def test_one_organisation_never_sees_another(bearing: As, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 1.0)])
    world.add_fixes(connection, made.collar, [(BEGIN, 31.1, -10.1)])
    world.add_contact(connection, made.meter, BEGIN)
    world.add_event(connection, made.meter, BEGIN, "tamper", {})
    alert = world.add_alert(connection, device=made.logger, organisation=made.water, opened_at=BEGIN)
    rangers = bearing("wildlife")
    for path in ("/v1/readings", "/v1/events", "/v1/contacts", "/v1/alerts", "/v1/series", "/v1/rules"):
        assert rangers.get(path).json()["items"] == [], path
        assert rangers.get(path, params={"organisation": "demo-water"}).status_code in (200, 422)
    for path in ("/v1/readings", "/v1/series", "/v1/contacts", "/v1/events", "/v1/alerts"):
        asked = rangers.get(path, params={"device_id": made.meter, "organisation": "demo-water"})
        assert asked.json()["items"] == [], path
    assert rangers.get("/v1/readings", params={"series_id": made.volume}).json()["items"] == []
    assert [site["slug"] for site in rangers.get("/v1/sites").json()["items"]] == ["reserve"]
    assert [one["slug"] for one in rangers.get("/v1/organisations").json()["items"]] == ["demo-wildlife"]
    assert [one["external_id"] for one in rangers.get("/v1/devices").json()["items"]] == ["c-1"]
    assert rangers.get(f"/v1/devices/{made.meter}").status_code == 404
    assert rangers.get(f"/v1/alerts/{alert}").status_code == 404
    assert rangers.post(f"/v1/alerts/{alert}/acknowledge").status_code == 404
    assert rangers.post(f"/v1/alerts/{alert}/comments", json={"body": "x"}).status_code == 404
    assert rangers.get("/v1/rules/water.low-pressure").status_code == 404
    assert rangers.put("/v1/rules/water.low-pressure", json=world.RULE).status_code == 403
    assert rangers.post("/v1/rules/water.low-pressure/disable").status_code == 404
    water = bearing("water")
    assert water.get("/v1/positions").json()["features"] == []
    assert water.get("/v1/positions", params={"latest": True}).json()["features"] == []
    assert water.get("/v1/alerts").json()["items"][0]["id"] == str(alert)


def test_the_mailbox_is_for_operators_of_everything(bearing: As) -> None:
    answer = bearing("water").get("/v1/mailbox")
    assert answer.status_code == 403
    assert "all organisations" in answer.json()["detail"]


def test_a_schema_is_open_and_loads_nothing_from_elsewhere(anonymous: TestClient) -> None:
    assert anonymous.get("/v1/openapi.json").status_code == 200
    assert anonymous.get("/docs").status_code == 404
    assert anonymous.get("/redoc").status_code == 404
