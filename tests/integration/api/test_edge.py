"""The console's files and the edge of the program: headers, types, caching, defects."""

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from api.edge import CONTENT_SECURITY_POLICY
from tests.integration.api.conftest import As
from veldwatch.config import Settings


def test_every_answer_has_the_security_headers(anonymous: TestClient) -> None:
    for path in ("/", "/healthz", "/v1/devices", "/nothing", "/v1/openapi.json"):
        headers = anonymous.get(path).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY


def test_the_console_is_served_with_its_types_and_asked_for_again_by_etag(anonymous: TestClient) -> None:
    page = anonymous.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    script = anonymous.get("/modules/main.js")
    assert script.headers["content-type"].startswith("text/javascript")
    again = anonymous.get("/modules/main.js", headers={"If-None-Match": script.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    library = anonymous.get("/vendor/maplibre-gl/maplibre-gl.css")
    assert library.headers["content-type"].startswith("text/css")
    assert library.headers["cache-control"] == "public, max-age=86400"


def test_nothing_outside_of_the_console_is_served(anonymous: TestClient) -> None:
    for path in (
        "/../app.py",
        "/%2e%2e/app.py",
        "/..%2fapp.py",
        "/modules/../../app.py",
        "/%00",
        "/app.py",
        "//etc/passwd",
    ):
        answer = anonymous.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"


def test_answers_with_readings_are_never_cached(bearing: As) -> None:
    assert bearing("viewer").get("/v1/devices").headers["cache-control"] == "no-store"


def test_a_wrong_method_and_a_long_body_are_problems(bearing: As) -> None:
    operator = bearing("operator")
    wrong = operator.put("/v1/devices")
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, "application/problem+json")
    long = operator.put("/v1/rules/a", json={"x": "x" * 1_000_001})
    assert (long.status_code, long.json()["title"]) == (413, "Content Too Large")

    def chunks() -> object:
        yield b'{"x": "'
        for _ in range(200):
            yield b"x" * 10_000

    chunked = operator.put("/v1/rules/a", content=chunks(), headers={"content-type": "application/json"})  # pyright: ignore[reportArgumentType]  # a generator of bytes
    assert (chunked.status_code, chunked.json()["title"]) == (413, "Content Too Large")


def test_a_defect_costs_one_request_and_tells_no_secrets(settings: Settings) -> None:
    app: FastAPI = create_app(settings)

    def broken() -> None:
        raise RuntimeError("password=topsecret")

    app.router.routes.insert(0, APIRoute("/broken", broken))
    with TestClient(app) as client:
        answer = client.get("/broken")
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "topsecret" not in answer.text
        assert "Traceback" not in answer.text
        assert client.get("/healthz").status_code == 200
