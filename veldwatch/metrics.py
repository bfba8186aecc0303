"""Prometheus metrics of a program, and a small server for them where the program has no HTTP server of its own.

Names follow Prometheus' conventions: `veldwatch_<what>_<unit>[_total]`. Counters that tell of drops, retries and
suppressions carry a `reason` from the closed list that error, log, metric and row share.

Paths: `/metrics`; `/healthz` answers 200 as long as the process lives; `/readyz` answers 503 until the program does its
work (connected, subscribed).
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from veldwatch.config import Settings


def serve_metrics(settings: Settings, ready: Callable[[], bool] = lambda: True) -> None:
    """Answer on `VELDWATCH_METRICS_PORT` from a thread that ends with the process; port 0: not at all.

    Args:
        ready: tells whether the program does its work; called from the server's thread.
    """
    if not settings.metrics_port:
        return

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = _answer(self.path.partition("?")[0], ready)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Keep the log for what matters."""

    server = ThreadingHTTPServer((settings.api_host, settings.metrics_port), Answer)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


def _answer(path: str, ready: Callable[[], bool]) -> tuple[int, str, bytes]:
    match path:
        case "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        case "/healthz":
            return 200, "text/plain", b"ok\n"
        case "/readyz":
            return (200, "text/plain", b"ready\n") if ready() else (503, "text/plain", b"not ready\n")
        case _:
            return 404, "text/plain", b"expected /metrics, /healthz or /readyz\n"
