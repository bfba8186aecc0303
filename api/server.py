"""The API's process: uvicorn on a thread of its own, told to stop by the program, never by uvicorn's own signals."""

import socket
import threading

import structlog
import uvicorn
from fastapi import FastAPI

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
