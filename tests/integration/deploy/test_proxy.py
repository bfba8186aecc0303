"""The deployed proxy, as Caddy's makers built it, before a real API and a stand-in for Grafana, over TLS."""

import base64
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from launch.ports import choose_port
from tests.conftest import NewDatabase
from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from tests.integration.deploy.certificates import Authority
from tests.tools import find_tool
from veldwatch.storage.connection import Connection, connect

PROXY = Path(__file__).resolve().parents[3] / "deploy" / "proxy"
TLS_FOLDERS = ("/etc/veldwatch/tls", "/run/secrets")
_API = "import sys; from launch.commands.api import app; app(['run'])"


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What runs.

    Attributes:
        plain: port without TLS.
        api: the API's own address, past the proxy.
    """

    port: int
    plain: int
    api: str
    made: World
    connection: Connection
    trust: ssl.SSLContext

    def client(self, **headers: str) -> httpx.Client:
        """Give a browser, more or less."""
        return httpx.Client(base_url=f"https://localhost:{self.port}", verify=self.trust, headers=headers, timeout=20)

    def bearer(self, name: str) -> dict[str, str]:
        """Give the header of a token."""
        return {"Authorization": f"Bearer {self.made.tokens[name]}"}


class _Grafana(BaseHTTPRequestHandler):
    """Answers with what it was asked; a WebSocket with one frame, and with an echo of the first that comes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self._speak()
            return
        body = json.dumps({"path": self.path, "headers": dict(self.headers.items())}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        while (size := self.rfile.readline().strip()) not in {b"", b"0"}:
            self.rfile.read(int(size, 16) + 2)
        self.close_connection = True

    def _speak(self) -> None:
        # Source: RFC 6455, 4.2.2
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accepted = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accepted)
        self.end_headers()
        self.wfile.write(b"\x81\x05hello")
        self.wfile.flush()
        self.wfile.write(b"\x81\x02" + bytes(self.rfile.read(2)))
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Keep the log for what matters."""


@contextmanager
def _grafana() -> Generator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Grafana)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _api(dsn: str) -> Generator[str]:
    environment = {**os.environ, "VELDWATCH_DSN": dsn, "VELDWATCH_API_PORT": "0", "VELDWATCH_LOG_FORMAT": "json"}
    process = subprocess.Popen([sys.executable, "-c", _API], env=environment, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = (json.loads(line) for line in process.stderr if b'"listening"' in line)
        yield next(said)["address"]
    finally:
        process.terminate()
        process.wait(15)
        process.stderr.close()


@contextmanager
def _proxy(folder: Path, environment: dict[str, str], ports: dict[str, int]) -> Generator[None]:
    """Run Caddy with the deployed files, but for their ports and folders."""
    here = {**{name: str(port) for name, port in ports.items()}, **dict.fromkeys(TLS_FOLDERS, str(folder / "tls"))}
    # At once: one after another, a port that holds the digits of the next one would be changed again.
    written = re.compile("|".join(here))
    for name, to in (("Caddyfile", "Caddyfile"), ("tls-files.caddy", "tls.caddy")):
        text = (PROXY / name).read_text(encoding="utf-8")
        (folder / to).write_text(written.sub(lambda found: here[found[0]], text), encoding="utf-8")
    caddy = find_tool("caddy")
    assert caddy is not None, "the development requirements bring it"
    command = [caddy, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    own = {"PATH": os.environ["PATH"], "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=own | environment, stdout=log, stderr=log)
        try:
            _await(ports["8081"], process, folder / "log")
            yield
        finally:
            process.terminate()
            assert process.wait(15) == 0


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(log.read_text())


@pytest.fixture(scope="module")
def deployed(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Generator[Deployed]:
    folder = tmp_path_factory.mktemp("proxy")
    authority = Authority(folder / "tls")
    authority.sign("proxy", "localhost", dns="localhost")
    ports = {name: choose_port(0) for name in ("8080", "8443", "8081")}
    with new_database() as dsn, connect(dsn) as connection, _grafana() as grafana, _api(dsn) as api:
        given = {"PROXY_NAME": "localhost", "PROXY_EMAIL": "", "PROXY_API": api.removeprefix("http://")}
        given |= {"PROXY_EMAIL": "admin@localhost", "PROXY_GRAFANA": f"127.0.0.1:{grafana}"}
        made = world.build(connection)
        connection.commit()
        with _proxy(folder, given, ports):
            yield Deployed(
                port=ports["8443"], plain=ports["8080"], api=api, made=made, connection=connection,
                trust=authority.client(),
            )  # fmt: skip


def test_console_and_api_answer_over_tls_and_are_to_be_asked_so_from_then_on(deployed: Deployed) -> None:
    with deployed.client() as client:
        console = client.get("/")
        assert console.status_code == 200
        assert "<html" in console.text
        assert client.get("/v1/devices").status_code == 401
        answer = client.get("/v1/devices", headers=deployed.bearer("viewer"))
        assert answer.status_code == 200
    for each in (console, answer):
        assert each.headers["strict-transport-security"] == "max-age=31536000"
        assert each.headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in each.headers
        assert "via" not in each.headers


def test_without_tls_there_is_nothing_but_the_way_to_tls(deployed: Deployed) -> None:
    answer = httpx.get(f"http://localhost:{deployed.plain}/v1/devices?limit=1", headers=deployed.bearer("viewer"))
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://localhost/v1/devices?limit=1"


def test_another_name_is_not_served(deployed: Deployed) -> None:
    answer = httpx.get(f"https://127.0.0.1:{deployed.port}/", verify=deployed.trust)
    assert answer.content == b""
    assert "content-security-policy" not in answer.headers


def test_events_of_the_stream_arrive_as_they_happen(deployed: Deployed) -> None:
    with (
        deployed.client(**deployed.bearer("viewer")) as client,
        client.stream("GET", "/v1/stream") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        _skip_to(lines, "id: ")
        for number in range(3):
            # each is read before the next one is written: nothing waits in a buffer
            world.add_readings(deployed.connection, deployed.made.volume, [(BEGIN + timedelta(minutes=number), number)])
            told = json.loads(_skip_to(lines, 'data: {"readings"').removeprefix("data: "))
            assert [reading["value"] for reading in told["readings"]] == [number]


def _skip_to(lines: Iterator[str], beginning: str) -> str:
    return next(line for line in lines if line.startswith(beginning))


def test_a_body_that_is_too_long_is_refused_and_its_rest_is_no_request(deployed: Deployed) -> None:
    def in_chunks() -> Iterator[bytes]:
        yield from [b" " * 2**20] * 11

    with deployed.client(**deployed.bearer("operator")) as client:
        for _ in range(5):
            by_its_length = _refusal(client, "/v1/readings", b" " * (9 * 2**20))
            assert by_its_length is None or by_its_length.headers["content-type"] == "application/problem+json"
            for path in ("/v1/readings", "/grafana/api/dashboards/db"):
                _refusal(client, path, in_chunks())
                assert client.get("/v1/devices").status_code == 200


def _refusal(client: httpx.Client, path: str, body: bytes | Iterator[bytes]) -> httpx.Response | None:
    """Send what is refused; None: the connection was closed before a client that was still sending could read why.

    Source: RFC 9112, 9.6: data that arrive at a connection that was closed reset it.
    """
    try:
        answer = client.post(path, content=body)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return None
    assert answer.status_code == 413, path
    assert answer.headers["connection"] == "close", path
    return answer


def test_grafana_is_below_its_path_and_knows_who_asks_by_the_proxy_alone(deployed: Deployed) -> None:
    claimed = {"X-Forwarded-For": "198.51.100.6", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil.example"}
    with deployed.client(**claimed) as client:
        assert client.get("/grafana").headers["location"] == "/grafana/"
        told = client.get("/grafana/d/iot-fleet?orgId=1").json()
        assert client.get("/grafana/metrics").status_code == 404
        assert client.get("/grafana-of-somebody").status_code == 404
    assert told["path"] == "/grafana/d/iot-fleet?orgId=1"
    assert told["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert told["headers"]["X-Forwarded-Proto"] == "https"
    assert told["headers"]["X-Forwarded-Host"] == f"localhost:{deployed.port}"


def test_a_websocket_of_grafana_passes_both_ways(deployed: Deployed) -> None:
    with (
        socket.create_connection(("localhost", deployed.port), 10) as plain,
        deployed.trust.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(
            b"GET /grafana/api/live/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        received = b""
        while not received.endswith(b"\x81\x05hello"):
            received += tls.recv(4096)
        assert received.startswith(b"HTTP/1.1 101 ")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in received
        tls.sendall(b"ok")
        assert tls.recv(4) == b"\x81\x02ok"
