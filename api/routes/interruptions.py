"""/v1/interruptions: what is planned to be without power, which explains silence beforehand."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Operator, Viewer
from api.models.interruptions import ChangedInterruption, Interruption, NewInterruption
from api.pages import LongId, Moment, Page, build_page, decode_cursor
from api.parameters import DatabaseLongId, Instant, Paging, Text
from api.parts import Shared
from veldwatch.config import patience_of
from veldwatch.storage import interruptions
from veldwatch.storage.interruptions import Place, Planned

router = APIRouter(prefix="/v1/interruptions", tags=["alerts"])


class InterruptionQuery(Paging):
    """Which interruptions."""

    organisation: Text | None = Field(None, description="slug")
    since: Instant | None = Field(None, alias="from", description="those that end after it")
    until: Instant | None = Field(None, alias="to", description="those that begin before it")
    cancelled: bool = Field(False, description="those that were called off too")


@router.get("")
def read_interruptions(parts: Shared, bearer: Viewer, ask: Annotated[InterruptionQuery, Query()]) -> Page[Interruption]:
    """List interruptions that touch a stretch, by their begin."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[Moment, LongId])
    with parts.pool.lend() as connection:
        rows = interruptions.list_interruptions(
            connection,
            bearer.scope,
            organisation=ask.organisation,
            since=ask.since,
            until=ask.until,
            cancelled=ask.cancelled,
            after=after,
            limit=ask.limit + 1,
        )
    return build_page(Interruption, rows, ask.limit, lambda row: (row["begins_at"], row["id"]))


@router.post("", status_code=201)
def post_interruption(parts: Shared, bearer: Operator, body: NewInterruption) -> Interruption:
    """Enter an interruption, in the token's name."""
    planned = _planned(body, body.organisation or bearer.organisation or "")
    with parts.pool.lend() as connection:
        number = interruptions.add_interruption(
            connection,
            planned,
            author=bearer.name,
            scope=bearer.scope,
            now=datetime.now(UTC),
            patience=patience_of(parts.settings),
        )
        return Interruption.model_validate(interruptions.get_interruption(connection, bearer.scope, number))


@router.get("/{interruption_id}")
def read_interruption(parts: Shared, bearer: Viewer, interruption_id: DatabaseLongId) -> Interruption:
    """Give one interruption, called off or not."""
    with parts.pool.lend() as connection:
        return Interruption.model_validate(interruptions.get_interruption(connection, bearer.scope, interruption_id))


@router.put("/{interruption_id}")
def put_interruption(
    parts: Shared, bearer: Operator, interruption_id: DatabaseLongId, body: ChangedInterruption
) -> Interruption:
    """Change an interruption that somebody entered: all of it; what it explains follows at once."""
    with parts.pool.lend() as connection:
        interruptions.change_interruption(
            connection,
            interruption_id,
            _planned(body, ""),
            author=bearer.name,
            scope=bearer.scope,
            now=datetime.now(UTC),
            patience=patience_of(parts.settings),
        )
        return Interruption.model_validate(interruptions.get_interruption(connection, bearer.scope, interruption_id))


@router.delete("/{interruption_id}", status_code=204)
def delete_interruption(parts: Shared, bearer: Operator, interruption_id: DatabaseLongId) -> None:
    """Call an interruption off: it is kept, and explains nothing any more."""
    with parts.pool.lend() as connection:
        interruptions.cancel_interruption(
            connection,
            interruption_id,
            scope=bearer.scope,
            now=datetime.now(UTC),
            patience=patience_of(parts.settings),
        )


def _planned(body: ChangedInterruption, organisation: str) -> Planned:
    return Planned(
        organisation=organisation,
        kind=body.kind,
        title=body.title,
        reason=body.reason,
        begins_at=body.begins_at,
        ends_at=body.ends_at,
        place=Place(sites=tuple(body.sites), devices=tuple(body.devices)),
    )
