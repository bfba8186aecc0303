"""GET /v1/events and /v1/contacts: what happened at devices, and when they were heard."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Viewer
from api.models.telemetry import Contact, Event
from api.pages import Id, Moment, Page, Slug, build_page, decode_cursor
from api.parameters import Spanning, Text
from api.parts import Shared
from veldwatch.storage.events import list_contacts, list_events

router = APIRouter(prefix="/v1", tags=["telemetry"])


class EventQuery(Spanning):
    """Which events."""

    kind: Text | None = Field(None, description="such as `tamper`")


@router.get("/events")
def read_events(parts: Shared, bearer: Viewer, ask: Annotated[EventQuery, Query()]) -> Page[Event]:
    """List events, newest first."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[Moment, Id, Slug])
    span = ask.model_copy(update={"cursor": None}).span(newest_first=True)
    with parts.pool.lend() as connection:
        rows = list_events(connection, bearer.scope, ask.which(), span, kind=ask.kind, after=after)
    return build_page(Event, rows, ask.limit, lambda row: (row["observed_at"], row["device_id"], row["digest"]))


@router.get("/contacts")
def read_contacts(parts: Shared, bearer: Viewer, ask: Annotated[Spanning, Query()]) -> Page[Contact]:
    """List when devices were heard, newest first."""
    with parts.pool.lend() as connection:
        rows = list_contacts(connection, bearer.scope, ask.which(), ask.span(newest_first=True))
    return build_page(Contact, rows, ask.limit, lambda row: (row["received_at"], row["device_id"]))
