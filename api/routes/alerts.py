"""GET /v1/alerts, and what operators do with them: acknowledge and comment."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Operator, Viewer
from api.models.alerts import Acknowledgement, Alert, AlertStory, Comment, NewComment, Severity, State
from api.pages import Moment, Page, build_page, decode_cursor
from api.parameters import DeviceNaming, Instant, Several, Text
from api.parts import Shared
from veldwatch.storage.alerts import AlertFilter, Deed, acknowledge, add_comment, get_alert, list_alerts, tell_alert

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])


class AlertQuery(DeviceNaming):
    """Which alerts."""

    state: Several[State] | None = Field(None, description="repeated, or joined with commas: any of them")
    severity: Several[Severity] | None = Field(None, description="repeated, or joined with commas: any of them")
    rule: Text | None = Field(None, description="slug")
    acknowledged: bool | None = None
    explained: bool | None = Field(None, description="whether another alert or a planned interruption explains it")
    explained_by: UUID | None = Field(None, description="the alert that explains it")
    since: Instant | None = Field(None, alias="from", description="earliest `opened_at`")
    until: Instant | None = Field(None, alias="to", description="first `opened_at` that is too late")


@router.get("")
def read_alerts(parts: Shared, bearer: Viewer, ask: Annotated[AlertQuery, Query()]) -> Page[Alert]:
    """List alerts by `opened_at`, newest first."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[Moment, UUID])
    which = AlertFilter(
        states=ask.state,
        severities=ask.severity,
        rule=ask.rule,
        organisation=ask.organisation,
        device=ask.device,
        device_id=ask.device_id,
        acknowledged=ask.acknowledged,
        explained=ask.explained,
        explained_by=ask.explained_by,
        since=ask.since,
        until=ask.until,
    )
    with parts.pool.lend() as connection:
        rows = list_alerts(connection, bearer.scope, which, after=after, limit=ask.limit + 1)
    return build_page(Alert, rows, ask.limit, lambda row: (row["opened_at"], row["id"]))


@router.get("/{alert_id}")
def read_alert(parts: Shared, bearer: Viewer, alert_id: UUID) -> AlertStory:
    """Give one alert with its transitions, comments and notifications."""
    with parts.pool.lend() as connection:
        return AlertStory.model_validate(tell_alert(connection, bearer.scope, alert_id))


@router.post("/{alert_id}/acknowledge")
def post_acknowledgement(parts: Shared, bearer: Operator, alert_id: UUID, body: Acknowledgement | None = None) -> Alert:
    """Take an alert up, in the token's name; whoever did so first stays, and repeating it changes nothing."""
    deed = Deed(alert_id=alert_id, author=bearer.name, scope=bearer.scope, now=datetime.now(UTC))
    with parts.pool.lend() as connection:
        acknowledge(connection, deed, body.comment if body else None)
        return Alert.model_validate(get_alert(connection, bearer.scope, alert_id))


@router.post("/{alert_id}/comments", status_code=201)
def post_comment(parts: Shared, bearer: Operator, alert_id: UUID, body: NewComment) -> Comment:
    """Write a comment beside an alert, in the token's name."""
    deed = Deed(alert_id=alert_id, author=bearer.name, scope=bearer.scope, now=datetime.now(UTC))
    with parts.pool.lend() as connection:
        return Comment.model_validate(add_comment(connection, deed, body.body))
