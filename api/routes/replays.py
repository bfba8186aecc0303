"""POST /v1/quarantine/replays and /v1/quarantine/discards: what is to become of quarantined messages, and who said so.

A replay is work for ingest, which takes it up within a second and goes through it in small portions: ask for it, then
look how far it is.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.access import Operator, Viewer
from api.models.quarantine import NewDiscard, QuarantineDiscard, QuarantineReplay, Which
from api.pages import LongId, Page, build_page, decode_cursor
from api.parameters import Paging
from api.parts import Shared
from veldwatch.storage import quarantine_work, replays
from veldwatch.storage.pool import Row
from veldwatch.storage.quarantine_work import NEWEST

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

ReplayId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.post("/replays", status_code=202)
def post_replay(parts: Shared, bearer: Operator, body: Which) -> QuarantineReplay:
    """Have messages taken in again, as they came; at most 100,000 at once, the oldest first."""
    with parts.pool.lend() as connection:
        number = replays.ask(connection, body.selection(bearer.organisation), author=bearer.name)
        return _replay(replays.get_replay(connection, number))


@router.get("/replays")
def read_replays(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[QuarantineReplay]:
    """List replays, newest first: who asked for what, and what came of it."""
    with parts.pool.lend() as connection:
        rows = replays.list_replays(connection, bearer.organisation, before=_before(ask.cursor), limit=ask.limit + 1)
    return build_page(QuarantineReplay, [_with_state(row) for row in rows], ask.limit, lambda row: row["id"])


@router.get("/replays/{replay_id}")
def read_replay(parts: Shared, bearer: Viewer, replay_id: ReplayId) -> QuarantineReplay:
    """Tell how far a replay is, and why messages failed again."""
    with parts.pool.lend() as connection:
        return _replay(replays.get_replay(connection, replay_id, bearer.organisation))


@router.post("/replays/{replay_id}/cancel")
def cancel_replay(parts: Shared, bearer: Operator, replay_id: ReplayId) -> QuarantineReplay:
    """Let those wait no longer that ingest has not begun with; what was done stays."""
    with parts.pool.lend() as connection:
        return _replay(replays.cancel(connection, replay_id, author=bearer.name, organisation=bearer.organisation))


@router.post("/discards", status_code=201)
def post_discard(parts: Shared, bearer: Operator, body: NewDiscard) -> QuarantineDiscard:
    """Give messages up; they are kept for a while, and a replay by their ids takes them back."""
    selection = body.selection(bearer.organisation)
    with parts.pool.lend() as connection:
        made = quarantine_work.discard(connection, selection, author=bearer.name, reason=body.reason)
    return QuarantineDiscard.model_validate(made)


@router.get("/discards")
def read_discards(parts: Shared, bearer: Viewer, ask: Annotated[Paging, Query()]) -> Page[QuarantineDiscard]:
    """List what was given up, newest first: who, when and why."""
    with parts.pool.lend() as connection:
        rows = quarantine_work.discards(
            connection, bearer.organisation, before=_before(ask.cursor), limit=ask.limit + 1
        )
    return build_page(QuarantineDiscard, rows, ask.limit, lambda row: row["id"])


def _before(cursor: str | None) -> int:
    return NEWEST if cursor is None else int(decode_cursor(cursor, LongId))


def _replay(row: Row) -> QuarantineReplay:
    return QuarantineReplay.model_validate(_with_state(row))


def _with_state(row: Row) -> Row:
    done = "finished" if row["cancelled_at"] is None else "cancelled"
    waiting = row["asked"] - row["stored"] - row["failed"] - row["cancelled"]
    return row | {"state": "running" if row["finished_at"] is None else done, "waiting": waiting}
