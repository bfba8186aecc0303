"""A real HTTP server that answers as a test tells it to, and keeps what it got."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(slots=True, kw_only=True)
class Request:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[["Handler"], None]


@dataclass(slots=True, kw_only=True)
class HttpReceiver:
    """What a test sees of the server.

    Attributes:
        answers: one per request, the last one for all further.
    """

    url: str
    answers: list[Answer]
    requests: list[Request] = field(default_factory=list[Request])


class Handler(BaseHTTPRequestHandler):
    """Keeps a request and gives the answer that is next."""

    protocol_version = "HTTP/1.1"
    receiver: HttpReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.requests.append(Request(path=self.path, headers=headers, body=body))
        answers = self.receiver.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang_up(handler: Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def never(released: threading.Event) -> Answer:
    """Leave a request unanswered until the test lets go."""

    def answer(handler: Handler) -> None:
        released.wait(30)
        handler.close_connection = True

    return answer


def drip(released: threading.Event) -> Answer:
    """Begin an answer and send a byte of its headers now and then, until the test or the sender lets go."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with suppress(OSError):
            while not released.wait(0.1):
                handler.wfile.write(b"x")

    return answer


@contextmanager
def http_receiver(*answers: Answer) -> Generator[HttpReceiver]:
    """Serve on loopback until the end of the block."""

    class Bound(Handler):
        """Bound to this receiver."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    server.daemon_threads = True
    receiver = HttpReceiver(url=f"http://127.0.0.1:{server.server_port}/hook", answers=list(answers) or [status(204)])
    Bound.receiver = receiver
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
