"""GET, PUT and DELETE /v1/sources, and POST /v1/sources/try: which decoder reads which topics.

A topic filter may take anybody's messages, so changes are for operators of all organisations. A token of one
organisation sees the sources that are its own or nobody's.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body

from api.access import Operator, UnscopedOperator, Viewer
from api.models.sources import EXAMPLE, ListedSource, NewTrial, SourceList, Tried
from api.parameters import check_storable
from api.parts import Parts, Shared
from veldwatch.config import Source
from veldwatch.errors import ConfigurationInvalid, NotFound, RequestInvalid
from veldwatch.storage.connection import Connection
from veldwatch.storage.previews import Trial, try_source
from veldwatch.storage.sources import (
    EditedSource,
    SourceCounts,
    count_by_source,
    list_sources,
    remove_source,
    save_source,
)
from veldwatch.storage.tokens import Bearer
from veldwatch.wire.source_document import parse_source
from veldwatch.wire.sources import decoder_names, fault_of

router = APIRouter(prefix="/v1/sources", tags=["operation"])


@router.get("")
def read_sources(parts: Shared, bearer: Viewer) -> SourceList:
    """List sources in the order in which they are asked, disabled ones too, with the names of all decoders."""
    with parts.pool.lend() as connection:
        return SourceList(items=_listed(parts, connection, bearer), decoders=decoder_names())


@router.get("/{name}")
def read_source(parts: Shared, bearer: Viewer, name: str) -> ListedSource:
    """Give one source."""
    with parts.pool.lend() as connection:
        return _find(parts, connection, bearer, name)


@router.put("/{name}")
def put_source(
    parts: Shared, bearer: UnscopedOperator, name: str, definition: Annotated[dict[str, Any], Body(examples=[EXAMPLE])]
) -> ListedSource:
    """Make a source, or change it; ingest works by it within seconds. One of the settings is hidden by its namesake."""
    check_storable(definition)
    if definition.setdefault("name", name) != name:
        raise ConfigurationInvalid(f"bad name: {definition['name']!r} (expected {name!r}, as in the address, or none)")
    source = parse_source(definition)
    with parts.pool.lend() as connection:
        save_source(connection, source.source, bearer.name, priority=source.priority, enabled=source.enabled)
        return _find(parts, connection, bearer, name)


@router.delete("/{name}", status_code=204)
def delete_source(parts: Shared, bearer: UnscopedOperator, name: str) -> None:
    """Forget a source; one of the settings with its name is asked again."""
    del bearer
    with parts.pool.lend() as connection:
        remove_source(connection, name.replace("\x00", " "))


@router.post("/try")
def post_trial(parts: Shared, bearer: Operator, body: NewTrial) -> Tried:
    """Tell what would be stored of a message, and what would be in quarantine; nothing is stored."""
    check_storable(body.model_dump(mode="json"))
    received_at = body.received_at or datetime.now(UTC)
    trial = Trial(
        source=body.source,
        topic=body.topic,
        payload=_payload(body),
        received_at=received_at if received_at.tzinfo else received_at.replace(tzinfo=UTC),
    )
    with parts.pool.lend() as connection:
        preview = try_source(connection, parts.settings, trial, organisation=bearer.organisation)
    return Tried.model_validate(preview.document())


def _payload(body: NewTrial) -> bytes:
    if (body.payload_text is None) == (body.payload_base64 is None):
        raise RequestInvalid("bad payload: expected either payload_text or payload_base64")
    if body.payload_text is not None:
        return body.payload_text.encode()
    try:
        return base64.b64decode(body.payload_base64 or "", validate=True)
    except binascii.Error as error:
        raise RequestInvalid(f"bad payload_base64: {error} (expected base64)") from error


def _find(parts: Parts, connection: Connection, bearer: Bearer, name: str) -> ListedSource:
    for each in _listed(parts, connection, bearer):
        if each.name == name:
            return each
    raise NotFound(f"no source {name!r} (list them with GET /v1/sources)")


def _listed(parts: Parts, connection: Connection, bearer: Bearer) -> list[ListedSource]:
    edited = list_sources(connection)
    counts = count_by_source(connection) if bearer.scope is None else None
    names = {each.source.name for each in edited}
    rows = [_shown(each.source, each, counts) for each in edited]
    rows += [_shown(source, None, counts) for source in parts.settings.sources if source.name not in names]
    return [row for row in rows if bearer.organisation is None or row.organisation in (None, bearer.organisation)]


def _shown(source: Source, edited: EditedSource | None, counts: dict[str, SourceCounts] | None) -> ListedSource:
    count = None if counts is None else counts.get(source.name, SourceCounts())
    return ListedSource(
        **source.model_dump(include=set(Source.model_fields)),
        origin="settings" if edited is None else "database",
        priority=None if edited is None else edited.priority,
        enabled=True if edited is None else edited.enabled,
        fault=fault_of(source),
        updated_at=None if edited is None else edited.updated_at,
        updated_by=None if edited is None else edited.updated_by,
        devices=None if count is None else count.devices,
        waiting=None if count is None else count.waiting,
        last_received_at=None if count is None else count.last_received_at,
        messages_per_second=None if count is None else count.messages_per_second,
    )
