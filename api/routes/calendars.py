"""/v1/calendars: files of planned interruptions, imported again and again."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path

from api.access import Operator, Viewer
from api.models.interruptions import Calendar, CalendarReport, CalendarUpload
from api.pages import Page
from api.parts import Shared
from veldwatch.config import patience_of
from veldwatch.errors import ConfigurationInvalid, RequestInvalid
from veldwatch.model.local_buckets import find_zone
from veldwatch.storage import calendars
from veldwatch.storage.calendars import CalendarImport
from veldwatch.storage.interruptions import Place
from veldwatch.wire.calendar_file import read_calendar

router = APIRouter(prefix="/v1/calendars", tags=["alerts"])


@router.get("")
def read_calendars(parts: Shared, bearer: Viewer) -> Page[Calendar]:
    """List calendars; there is one page of them."""
    with parts.pool.lend() as connection:
        rows = calendars.list_calendars(connection, bearer.scope, datetime.now(UTC))
    return Page[Calendar](items=[Calendar.model_validate(row) for row in rows], next=None)


@router.put("/{calendar}")
def put_calendar(
    parts: Shared,
    bearer: Operator,
    calendar: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")],
    body: CalendarUpload,
) -> CalendarReport:
    """Bring a calendar up to date with a file; the same file again changes nothing."""
    try:
        asked = CalendarImport(
            organisation=body.organisation or bearer.organisation or "",
            slug=calendar,
            kind=body.kind,
            file=read_calendar(body.content),
            place=Place(sites=tuple(body.sites), devices=tuple(body.devices)),
            zone=find_zone(body.time_zone),
            is_complete=body.complete,
        )
    except ConfigurationInvalid as error:
        raise RequestInvalid(str(error)) from error
    with parts.pool.lend() as connection:
        report = calendars.import_calendar(
            connection,
            asked,
            author=bearer.name,
            scope=bearer.scope,
            now=datetime.now(UTC),
            patience=patience_of(parts.settings),
        )
    return CalendarReport.model_validate(report, from_attributes=True)
