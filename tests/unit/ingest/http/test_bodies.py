"""Bodies of many requests at once, within what they may take together."""

import asyncio
import gzip
from collections.abc import Iterable
from contextlib import AsyncExitStack

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from ingest.http.bodies import Bodies
from veldwatch.errors import Overloaded


def sent(chunks: Iterable[bytes], *, encoding: str = "identity", ends: bool = True) -> Request:
    """Make a request whose body comes in chunks, and where it does not end is waited for."""
    messages: list[Message] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        if not ends:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "headers": [(b"content-encoding", encoding.encode())]}, receive)


def test_bodies_are_bounded_together_and_what_is_let_go_makes_room() -> None:
    async def run() -> None:
        bodies = Bodies(100)
        async with AsyncExitStack() as held:
            assert await held.enter_async_context(bodies.read(sent([b"a" * 30, b"b" * 30]))) == b"a" * 30 + b"b" * 30
            for refused in (sent([b"c" * 20, b"d" * 21]), sent([gzip.compress(b"e" * 41)], encoding="gzip")):
                with pytest.raises(Overloaded):
                    await held.enter_async_context(bodies.read(refused))
            assert await held.enter_async_context(bodies.read(sent([b"f" * 40]))) == b"f" * 40
        async with bodies.read(sent([b"g" * 100])) as body:
            assert body == b"g" * 100

    asyncio.run(run())


def test_a_sender_that_stops_in_the_middle_is_given_up_and_holds_nothing() -> None:
    async def run() -> None:
        bodies = Bodies(100, patience_seconds=0.01)
        with pytest.raises(HTTPException) as refused:
            async with bodies.read(sent([b"a" * 100], ends=False)):
                pass
        assert refused.value.status_code == 408
        async with bodies.read(sent([b"b" * 100])) as body:
            assert body == b"b" * 100

    asyncio.run(run())
