"""GET /v1/stream: server-sent events of what is stored and of alerts that change, as it happens."""

from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.access import Viewer
from api.parts import Parts, Shared
from api.stream.story import Beginning, find_beginning, tell

router = APIRouter(prefix="/v1/stream", tags=["telemetry"])

_EXAMPLE = (
    "event: batch\nid: 812-9\n"
    'data: {"readings":[{"series_id":41,"device_id":17,"device":"meter-0017","metric":"volume","unit":"m3",'
    '"observed_at":"2026-11-22T10:00:00Z","value":1204.5}],"positions":[],"contacts":[],"omitted":0}\n\n'
)
_ANSWER = {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}}


@router.get("", response_class=StreamingResponse, responses={200: _ANSWER})
async def follow(
    request: Request,
    parts: Shared,
    bearer: Viewer,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """Follow what happens; `Last-Event-ID` resumes after that event, a comment comes at least every 15 s."""
    beginning = await run_in_threadpool(find_beginning, parts, last_event_id)
    return StreamingResponse(
        _followed(parts, bearer.scope, beginning, request.state.token),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _followed(parts: Parts, scope: int | None, beginning: Beginning, token: str) -> AsyncGenerator[bytes]:
    follower = parts.hub.add(scope)
    try:
        async for content in tell(parts, follower, beginning, token):
            yield content
    finally:
        parts.hub.remove(follower)
