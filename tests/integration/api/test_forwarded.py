"""Whom the API believes that a request came from elsewhere, and over TLS."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from api.server import serve
from launch.ports import choose_port
from launch.web import create_web_app
from veldwatch.config import load_settings

CLAIMED = {"X-Forwarded-For": "198.51.100.6", "X-Forwarded-Proto": "https"}


async def _tell(request: Request) -> JSONResponse:
    client = request.client
    return JSONResponse([request.url.scheme, None if client is None else client.host])


@contextmanager
def _served(dsn: str, trusted: str) -> Generator[str]:
    port = choose_port(0)
    settings = load_settings(dsn=dsn, api_port=port, api_trusted_proxies=trusted)
    app = create_web_app(settings)
    app.router.routes.insert(0, Route("/told", _tell))
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(app, settings, stop))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        thread.join(20)


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        ("127.0.0.1,::1", ["https", "198.51.100.6"]),
        ("10.0.0.0/8, 127.0.0.0/8", ["https", "198.51.100.6"]),
        ("172.30.253.2", ["http", "127.0.0.1"]),
        ("", ["http", "127.0.0.1"]),
    ],
)
def test_a_proxy_that_is_named_is_believed_and_nobody_else(dsn: str, trusted: str, told: list[str]) -> None:
    transport = httpx.HTTPTransport(retries=5)
    with _served(dsn, trusted) as address, httpx.Client(transport=transport) as client:
        assert client.get(f"{address}/told", headers=CLAIMED).json() == told
