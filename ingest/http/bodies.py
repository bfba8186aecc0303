"""Request bodies: read and unpacked within limits, before and after, so that a small one cannot become a large one."""

import zlib
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.requests import Request

SENT_LIMIT_BYTES = 8 * 2**20
"""As it comes over the wire."""
CONTENT_LIMIT_BYTES = 32 * 2**20
"""Unpacked."""

_GZIP_WINDOW = 31  # zlib: 16 for gzip's own header, and the largest window. Source: zlib manual, inflateInit2.


async def read_body(request: Request) -> bytes:
    """Read a body, unpacked where it says that it is gzip.

    Raises:
        HTTPException: 400 it is not the gzip that it says; 413 it is too long, packed or unpacked; 415 it is packed in
            another way.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return await _joined(_bounded(request.stream(), SENT_LIMIT_BYTES))
    if encoding in ("gzip", "x-gzip"):
        return await _joined(_unpacked(_bounded(request.stream(), SENT_LIMIT_BYTES)))
    raise HTTPException(415, "bad Content-Encoding (expected gzip, or none)")


async def _joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


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
