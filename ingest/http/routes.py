"""POST /v1/readings, /v1/positions, /v1/events and /v1/sources/{name}/messages.

A body is read, unpacked, addressed and stored; the answer comes after the commit. The application that these routes
are part of gives errors their shape (`launch.web`).
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, Security
from fastapi.security import HTTPBasic, HTTPBearer

from ingest.http.access import Gate
from ingest.http.addressing import messages_of
from ingest.http.answers import Receipt, receipt
from ingest.http.batching import Intake
from ingest.http.bodies import Bodies
from ingest.http.webhooks import message_topic
from veldwatch.config import Settings
from veldwatch.model.telemetry import Message
from veldwatch.storage.pool import Pool
from veldwatch.wire.topics import Kind

_POOL_SIZE = 2
_QUERY_LIMIT = timedelta(seconds=5)

_TOKEN = HTTPBearer(auto_error=False, scheme_name="token")
_DEVICE = HTTPBasic(
    auto_error=False, scheme_name="device", description="name and secret of a device's or gateway's credential"
)

_ITEM: dict[str, Any] = {
    "device": {"type": "string", "description": "external id; a device's own credential needs none"},
    "organisation": {"type": "string", "description": "slug; needed with a token for all organisations"},
    "observed_at": {"type": ["string", "number"], "description": "ISO 8601, or seconds or milliseconds since 1970"},
}
_BODIES: dict[Kind, dict[str, Any]] = {
    Kind.READINGS: {
        "readings": {
            "type": "object",
            "description": "metric to value, or to `{value, unit}` with a UCUM unit",
            "examples": [{"flow_rate": {"value": 1.2, "unit": "L/h"}, "volume": 1204.5}],
        }
    },
    Kind.POSITIONS: {
        name: {"type": "number"}
        for name in (
            "longitude",
            "latitude",
            "altitude_metres",
            "accuracy_metres",
            "speed_metres_per_second",
            "heading_degrees",
        )
    },
    Kind.EVENTS: {"kind": {"type": "string", "examples": ["tamper"]}, "attributes": {"type": "object"}},
}


class HttpIntake:
    """The routes of HTTP intake and what stands behind them."""

    def __init__(self, settings: Settings) -> None:
        self._pool = Pool(settings.dsn, size=_POOL_SIZE, query_limit=_QUERY_LIMIT, application="veldwatch-http-gate")
        self._gate = Gate(self._pool)
        self._bodies = Bodies()
        self._intake = Intake(settings)
        self.router = APIRouter(tags=["intake"], dependencies=[Security(_TOKEN), Security(_DEVICE)])
        for path, kind, endpoint in (
            ("/v1/readings", Kind.READINGS, self.post_readings),
            ("/v1/positions", Kind.POSITIONS, self.post_positions),
            ("/v1/events", Kind.EVENTS, self.post_events),
        ):
            self.router.add_api_route(path, endpoint, methods=["POST"], **_described(_own_body(kind)))
        anything = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        self.router.add_api_route(
            "/v1/sources/{name}/messages", self.post_message, methods=["POST"], **_described(anything)
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Store what comes, for the time of the block."""
        self._pool.open()
        self._intake.start()
        try:
            yield
        finally:
            self._intake.stop()
            self._pool.close()

    async def post_readings(self, request: Request) -> Response:
        """Store readings of one or several devices; the same body again changes nothing."""
        return await self._own(request, Kind.READINGS)

    async def post_positions(self, request: Request) -> Response:
        """Store fixes of one or several devices; the same body again changes nothing."""
        return await self._own(request, Kind.POSITIONS)

    async def post_events(self, request: Request) -> Response:
        """Store events of one or several devices; the same body again changes nothing."""
        return await self._own(request, Kind.EVENTS)

    async def post_message(
        self,
        request: Request,
        name: Annotated[str, Path(max_length=63, description="of a source")],
        topic: Annotated[
            str | None, Query(max_length=1024, description="the topic that the message would be published on")
        ] = None,
        event: Annotated[str | None, Query(max_length=64, description="ChirpStack's kind of message")] = None,
    ) -> Response:
        """Take one message in any format, as a webhook posts it, and read it by a source's decoder."""
        sender = await self._gate.sender(request.headers.get("authorization"))
        async with self._bodies.read(request) as body:
            found, route = message_topic(self._intake.sources, name, topic, event, body)
            sender.check(found, route.source.organisation)
            message = Message(found, body, datetime.now(UTC), sender_organisation=sender.writes_for)
        return await self._stored([message])

    async def _own(self, request: Request, kind: Kind) -> Response:
        # The body is let go before its messages wait: they hold the same bytes.
        return await self._stored(await self._messages(request, kind))

    async def _messages(self, request: Request, kind: Kind) -> list[Message]:
        sender = await self._gate.sender(request.headers.get("authorization"))
        async with self._bodies.read(request) as body:
            return messages_of(body, kind, sender, datetime.now(UTC))

    async def _stored(self, messages: list[Message]) -> Response:
        fates = await self._intake.store(messages)
        return Response(receipt(fates).model_dump_json(), media_type="application/json")


def _described(content: dict[str, Any]) -> dict[str, Any]:
    return {
        "response_model": Receipt,
        "openapi_extra": {"requestBody": {"required": True, "content": content}},
    }


def _own_body(kind: Kind) -> dict[str, Any]:
    item = {"type": "object", "properties": {**_ITEM, **_BODIES[kind]}}
    return {"application/json": {"schema": {"oneOf": [item, {"type": "array", "items": item, "minItems": 1}]}}}
