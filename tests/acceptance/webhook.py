"""A webhook receiver that remembers what it was sent."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Delivery(NamedTuple):
    """One request that was accepted."""

    id: str
    body: dict[str, Any]


@contextmanager
def webhook_receiver() -> Generator[tuple[str, list[Delivery]]]:
    """Give an address and the list of what arrives there, in order."""
    deliveries: list[Delivery] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            deliveries.append(Delivery(self.headers["webhook-id"], json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  # the library's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", deliveries
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
