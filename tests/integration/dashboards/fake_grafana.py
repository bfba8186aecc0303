"""A stand-in for Grafana's HTTP API at the edge of the world: it keeps what it is sent, and can be told to fail."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(slots=True)
class FakeGrafana:
    """What the server knows and heard.

    Attributes:
        unready: how many times `/api/health` still says that the database is not ok.
        refuse: path to (status, message) with which it answers.
    """

    address: str = ""
    unready: int = 0
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    requests: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    authorisations: set[str] = field(default_factory=set[str])
    folders: dict[str, Any] = field(default_factory=dict[str, Any])
    sources: dict[str, Any] = field(default_factory=dict[str, Any])
    dashboards: dict[str, Any] = field(default_factory=dict[str, Any])

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:  # noqa: PLR0911  # one a route
        """Answer as Grafana 12 does, for the calls that we make."""
        if path in self.refuse:
            status, message = self.refuse[path]
            return status, {"message": message}
        match method, path.removeprefix("/api/").split("/"):
            case "GET", ["health"]:
                return self._health()
            case "GET", ["folders", uid]:
                return (200, self.folders[uid]) if uid in self.folders else (404, {"message": "folder not found"})
            case "POST", ["folders"]:
                self.folders[body["uid"]] = body
                return 200, body
            case "GET", ["datasources", "uid", uid]:
                return (200, self.sources[uid]) if uid in self.sources else (404, {"message": "Data source not found"})
            case ("POST", ["datasources"]) | ("PUT", ["datasources", "uid", _]):
                self.sources[body["uid"]] = body
                return 200, {"message": "Datasource added"}
            case "POST", ["dashboards", "db"]:
                self.dashboards[body["dashboard"]["uid"]] = body
                return 200, {"uid": body["dashboard"]["uid"], "status": "success"}
            case _:
                return 404, {"message": "Not found"}

    def _health(self) -> tuple[int, Any]:
        if self.unready:
            self.unready -= 1
            return 200, {"database": "failing", "version": "12.4.3"}
        return 200, {"database": "ok", "version": "12.4.3"}


@contextmanager
def running() -> Generator[FakeGrafana]:
    """Serve on a free port of this machine."""
    grafana = FakeGrafana()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(grafana))
    grafana.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield grafana
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(grafana: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body: dict[str, Any] = json.loads(self.rfile.read(length)) if length else {}
            grafana.requests.append((self.command, self.path, body))
            grafana.authorisations.add(self.headers.get("Authorization") or "")
            status, answer = grafana.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815  # the base class looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it
            del format, args

    return Handler
