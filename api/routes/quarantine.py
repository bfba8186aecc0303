"""GET /v1/quarantine: messages that could not be stored, alone and in groups, each with a reason and its bytes.

A token of one organisation sees those on its own topics and of sources that are its own; whose the others are cannot
be told. What a payload holds nobody knows, an animal's place or somebody's number: viewers see neither it nor the
sentence, which may quote it.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from api.access import Viewer
from api.models.quarantine import (
    GroupsQuery,
    OnlyCounted,
    QuarantinedMessage,
    QuarantinedMessageWhole,
    QuarantineGroup,
    QuarantineGroups,
    QuarantineQuery,
    QuarantineSummary,
)
from api.pages import Id, LongId, Page, build_page, decode_cursor, encode_cursor
from api.parts import Shared
from veldwatch.model.quarantine import QuarantineRow
from veldwatch.storage import quarantine, quarantine_work
from veldwatch.storage.pool import Row
from veldwatch.storage.tokens import Bearer, Role
from veldwatch.wire.quarantine_document import document, without_content

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

_PREVIEW_BYTES = 4096


@router.get("")
def read_quarantine(
    parts: Shared, bearer: Viewer, ask: Annotated[QuarantineQuery, Query()]
) -> Page[QuarantinedMessage]:
    """List messages, newest first."""
    before = None if ask.cursor is None else decode_cursor(ask.cursor, LongId)
    selection = ask.selection(bearer.organisation)
    with parts.pool.lend() as connection:
        rows = quarantine.newest(
            connection, selection, before=before, limit=ask.limit + 1, payload_bytes=_PREVIEW_BYTES
        )
    return build_page(QuarantinedMessage, [_shown(row, bearer) for row in rows], ask.limit, lambda row: row["id"])


@router.get("/summary")
def read_summary(parts: Shared, bearer: Viewer) -> QuarantineSummary:
    """Count the messages that wait, by reason, the most frequent first."""
    with parts.pool.lend() as connection:
        counts = quarantine.summary(connection, bearer.organisation)
    return QuarantineSummary.model_validate({"items": [{"reason": reason, "count": count} for reason, count in counts]})


@router.get("/groups")
def read_groups(parts: Shared, bearer: Viewer, ask: Annotated[GroupsQuery, Query()]) -> QuarantineGroups:
    """Group messages by what they share, the largest group first."""
    skip = 0 if ask.cursor is None else decode_cursor(ask.cursor, Id)
    selection = ask.selection(bearer.organisation)
    with parts.pool.lend() as connection:
        rows = quarantine_work.groups(connection, selection, ask.by, skip=skip, limit=ask.limit + 1)
        counted = quarantine_work.counted(connection) if bearer.organisation is None else []
    hidden = {} if _may_see_content(bearer) else {"detail": None}
    return QuarantineGroups(
        items=[QuarantineGroup.model_validate(row | hidden) for row in rows[: ask.limit]],
        next=encode_cursor(skip + ask.limit) if len(rows) > ask.limit else None,
        counted=[OnlyCounted.model_validate(row) for row in counted],
    )


@router.get("/{message_id}")
def read_message(
    parts: Shared, bearer: Viewer, message_id: Annotated[int, Path(ge=1, le=2**63 - 1)]
) -> QuarantinedMessageWhole:
    """Give one message with all its bytes, and what replays made of it."""
    with parts.pool.lend() as connection:
        row = quarantine.get(connection, message_id, bearer.organisation)
        history = quarantine_work.attempts(connection, message_id)
    hidden = {} if _may_see_content(bearer) else {"detail": None}
    return QuarantinedMessageWhole.model_validate(
        {**_shown(row, bearer), "history": [attempt | hidden for attempt in history]}
    )


def _shown(found: QuarantineRow, bearer: Bearer) -> Row:
    row: dict[str, Any] = document(found)
    return row if _may_see_content(bearer) else without_content(row)


def _may_see_content(bearer: Bearer) -> bool:
    return bearer.role is not Role.VIEWER
