"""Corrections and estimates beside what devices said: GET and POST /v1/corrections, and a withdrawal."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.access import Operator, Viewer
from api.models.storage import Corrected, Correction, CorrectionBody, CorrectionWithdrawal, NewCorrections
from api.pages import Id, Moment, Page, build_page, decode_cursor
from api.parameters import DatabaseId, Paging
from api.parts import Shared
from veldwatch.storage import corrections
from veldwatch.storage.corrections import BEGINNING, Grounds, SeriesName

router = APIRouter(prefix="/v1/corrections", tags=["readings"])

_Key = tuple[Moment, Id, Id]


class CorrectionQuery(Paging):
    """Of which series."""

    series_id: DatabaseId | None = None


@router.get("")
def read_corrections(parts: Shared, bearer: Viewer, ask: Annotated[CorrectionQuery, Query()]) -> Page[Correction]:
    """List what was said of readings beside their raw values, what counts no more too, by time."""
    after = BEGINNING if ask.cursor is None else decode_cursor(ask.cursor, _Key)
    with parts.pool.lend() as connection:
        rows = corrections.list_corrections(connection, bearer.scope, ask.series_id, after, ask.limit + 1)
    return build_page(Correction, rows, ask.limit, lambda row: (row["observed_at"], row["series_id"], row["version"]))


@router.post("")
def add_corrections(parts: Shared, bearer: Operator, body: NewCorrections) -> Corrected:
    """Let values count in place of what a device said, or where it said nothing; charts and sums follow in seconds."""
    grounds = Grounds(author=bearer.name, method=body.method, reason=body.reason, rule=body.rule)
    values = {item.observed_at: item.value for item in body.items}
    with parts.pool.lend() as connection:
        series = corrections.find_series(connection, bearer.scope, _series(body))
        count = corrections.add_corrections(connection, series, values, grounds, datetime.now(UTC))
    return Corrected(corrections=count)


@router.post("/withdraw")
def withdraw_corrections(parts: Shared, bearer: Operator, body: CorrectionWithdrawal) -> Corrected:
    """Let what the device said count again."""
    grounds = Grounds(author=bearer.name, method="withdrawal", reason=body.reason)
    with parts.pool.lend() as connection:
        series = corrections.find_series(connection, bearer.scope, _series(body))
        count = corrections.withdraw_corrections(connection, series, body.observed_at, grounds)
    return Corrected(corrections=count)


def _series(body: CorrectionBody) -> SeriesName:
    return SeriesName(series_id=body.series_id, device=body.device, metric=body.metric, organisation=body.organisation)
