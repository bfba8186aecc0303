"""Request bodies: read and unpacked within limits, before and after, so that a small one cannot become a large one.

Those that are read at the same time are bounded together. So that a few senders cannot hold what there is for ever, one
that sends nothing for a minute is given up.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO

from starlette.exceptions import HTTPException
from starlette.requests import Request

from veldwatch.errors import Overloaded

SENT_LIMIT_BYTES = 8 * 2**20
"""As it comes over the wire."""
CONTENT_LIMIT_BYTES = 32 * 2**20
"""Unpacked."""
TOGETHER_BYTES = 64 * 2**20
"""Of all bodies that are read, unpacked. A single one always has room."""

_GZIP_WINDOW = 31  # zlib: 16 for gzip's own header, and the largest window. Source: zlib manual, inflateInit2.


# As of a client that takes nothing of its answer. A slow radio link pauses for seconds.
_PATIENCE_SECONDS = 60.0


class Bodies:
    """Reads bodies, of many requests at once; belongs to one event loop.

    Args:
        together_bytes: of all that are read and not let go yet.
    """

    def __init__(self, together_bytes: int = TOGETHER_BYTES, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        self._most = together_bytes
        self._patience_seconds = patience_seconds
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncGenerator[bytes]:
        """Read a body, unpacked where it says that it is gzip, and hold it for the time of the block.

        Raises:
            HTTPException: 400 it is not the gzip that it says; 408 nothing comes for a minute; 413 it is too long,
                packed or unpacked; 415 it is packed in another way.
            Overloaded: the bodies of others take all the room.
        """
        content = BytesIO()
        try:
            async for chunk in _content(request, self._patience_seconds):
                if self._held + len(chunk) > self._most:
                    raise Overloaded("too many bodies are read at once (try again in a moment)")
                self._held += len(chunk)
                content.write(chunk)
            yield content.getvalue()
        finally:
            self._held -= content.tell()


def _content(request: Request, patience_seconds: float) -> AsyncIterator[bytes]:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    sent = _bounded(_steady(request.stream(), patience_seconds), SENT_LIMIT_BYTES)
    if encoding == "identity":
        return sent
    if encoding in ("gzip", "x-gzip"):
        return _unpacked(sent)
    raise HTTPException(415, "bad Content-Encoding (expected gzip, or none)")


async def _steady(chunks: AsyncGenerator[bytes], patience_seconds: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(patience_seconds):
                chunk = await anext(chunks, None)
        except TimeoutError as error:
            raise HTTPException(408, f"nothing of the body came for {patience_seconds:g} s") from error
        if chunk is None:
            return
        yield chunk


async def _bounded(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, f"the body is too long (expected at most {limit} bytes as it is sent)")
        yield chunk


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Unpack one or more members; never more at once than what is left of the limit."""
    room = CONTENT_LIMIT_BYTES + 1
    member = zlib.decompressobj(_GZIP_WINDOW)
    async for chunk in chunks:
        packed = chunk
        while packed:
            if member.eof:
                member = zlib.decompressobj(_GZIP_WINDOW)
            try:
                content = member.decompress(packed, room)
            except zlib.error as error:
                raise HTTPException(400, "the body is not gzip, as its Content-Encoding says") from error
            room -= len(content)
            if room <= 0:
                detail = f"the body is too long (expected at most {CONTENT_LIMIT_BYTES} bytes when it is unpacked)"
                raise HTTPException(413, detail)
            yield content
            packed = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise HTTPException(400, "the body ends in the middle of its gzip")
