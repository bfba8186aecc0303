"""The API's process: uvicorn on a thread of its own, told to stop by the program, never by uvicorn's own signals.

A client that takes nothing of its answer for a minute is given up: uvicorn would wait for ever, and the answer with it.
"""

import asyncio
import socket
import threading
from typing import ClassVar

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.parts import Parts
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid

_GRACE_SECONDS = 5
_JOIN_SECONDS = 9.0
_log = structlog.stdlib.get_logger()


def serve(app: FastAPI, settings: Settings, stop: threading.Event) -> None:
    """Answer requests until `stop` is set, then end the streams, finish what runs, and return within 10 s.

    Raises:
        ConfigurationInvalid: the address cannot be used.
    """
    listener = _listen(settings)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http=ImpatientProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.api_trusted_proxies,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=65536,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="uvicorn")
    thread.start()
    host, port = listener.getsockname()[:2]
    _log.info("listening", address=f"http://{host}:{port}")
    while thread.is_alive() and not stop.wait(0.5):
        pass
    parts: Parts = app.state.parts
    parts.hub.end_streams()
    server.should_exit = True
    thread.join(_JOIN_SECONDS)
    _log.info("stopped")


class ImpatientProtocol(HttpToolsProtocol):
    """HTTP to a client that has to read: its connection is cut when what waits for it stays as it is for too long."""

    patience_seconds: ClassVar[float] = 60.0

    _cut: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not take what was written."""
        super().pause_writing()
        # Closing would wait for the client once more.
        self._cut = self.loop.call_later(self.patience_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client took most of it."""
        self._stop_waiting()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a client that is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api_host, settings.api_port))
    except OSError as error:
        listener.close()
        raise ConfigurationInvalid(
            f"bad VELDWATCH_API_HOST or VELDWATCH_API_PORT: {settings.api_host!r}, {settings.api_port!r}"
            f" ({error.strerror}; expected a free address of this machine)"
        ) from error
    listener.listen(1024)
    return listener
