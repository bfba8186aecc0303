"""The server: who takes nothing of an answer does not hold it for ever."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator

import uvicorn
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from api.server import ImpatientProtocol


class _Impatient(ImpatientProtocol):
    patience_seconds = 0.5


def test_an_answer_ends_whose_client_reads_nothing() -> None:
    app, ended = FastAPI(), threading.Event()

    async def without_end() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
                await asyncio.sleep(0)
        finally:
            ended.set()

    @app.get("/")
    async def answer() -> StreamingResponse:  # pyright: ignore[reportUnusedFunction]  # the application calls it
        return StreamingResponse(without_end())

    server = uvicorn.Server(uvicorn.Config(app, http=_Impatient, log_config=None))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with socket.create_connection(listener.getsockname()[:2]) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert ended.wait(10)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
