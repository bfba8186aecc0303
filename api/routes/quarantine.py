"""GET /v1/quarantine: messages that could not be stored, each with a reason and its bytes. For operators.

A token of one organisation sees those on its own topics; whose the others are cannot be told.
"""

import base64
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Operator
from api.models.operation import QuarantinedMessage, QuarantineSummary
from api.pages import LongId, Page, build_page, decode_cursor
from api.parameters import Paging, Text
from api.parts import Shared
from veldwatch.storage import quarantine
from veldwatch.storage.pool import Row
from veldwatch.storage.quarantine import QuarantineRow

router = APIRouter(prefix="/v1/quarantine", tags=["operation"])


class QuarantineQuery(Paging):
    """Which messages."""

    reason: Text | None = Field(None, description="one of the closed list in docs/reference")


@router.get("")
def read_quarantine(
    parts: Shared, bearer: Operator, ask: Annotated[QuarantineQuery, Query()]
) -> Page[QuarantinedMessage]:
    """List messages, newest first."""
    before = None if ask.cursor is None else decode_cursor(ask.cursor, LongId)
    with parts.pool.lend() as connection:
        rows = quarantine.newest(
            connection, organisation=bearer.organisation, reason=ask.reason, before=before, limit=ask.limit + 1
        )
    return build_page(QuarantinedMessage, [_shown(row) for row in rows], ask.limit, lambda row: row["id"])


@router.get("/summary")
def read_summary(parts: Shared, bearer: Operator) -> QuarantineSummary:
    """Count the messages that wait, by reason, the most frequent first."""
    with parts.pool.lend() as connection:
        counts = quarantine.summary(connection, bearer.organisation)
    return QuarantineSummary.model_validate({"items": [{"reason": reason, "count": count} for reason, count in counts]})


def _shown(found: QuarantineRow) -> Row:
    row = asdict(found)
    payload: bytes = row.pop("payload")
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = None
    return {**row, "payload_text": text, "payload_base64": base64.b64encode(payload).decode()}
