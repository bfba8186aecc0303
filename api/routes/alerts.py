"""GET /v1/alerts, and what operators do with them: acknowledge, comment, assign, resolve by hand, reopen."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Operator, Viewer
from api.models.alert_evidence import AlertEvidence
from api.models.alerts import (
    Acknowledgement,
    Alert,
    AlertStory,
    Assignment,
    Comment,
    NewComment,
    Resolution,
    Severity,
    State,
    Verdict,
)
from api.pages import Moment, Page, build_page, decode_cursor
from api.parameters import DeviceNaming, Instant, Several, Text
from api.parts import Shared
from veldwatch.model import handling
from veldwatch.storage.alert_evidence import tell_evidence
from veldwatch.storage.alerts import (
    AlertFilter,
    Deed,
    Expected,
    acknowledge,
    add_comment,
    assign,
    get_alert,
    list_alerts,
    reopen,
    resolve,
    standing_alert,
    tell_alert,
    unassign,
)
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_changes import put_back, take_out
from veldwatch.storage.pool import Row
from veldwatch.storage.tokens import Bearer

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

AlertSort = Literal["opened", "money", "water", "energy", "people"]


class AlertQuery(DeviceNaming):
    """Which alerts."""

    state: Several[State] | None = Field(None, description="repeated, or joined with commas: any of them")
    severity: Several[Severity] | None = Field(None, description="repeated, or joined with commas: any of them")
    rule: Text | None = Field(None, description="slug")
    acknowledged: bool | None = None
    explained: bool | None = Field(None, description="whether another alert or a planned interruption explains it")
    explained_by: UUID | None = Field(None, description="the alert that explains it")
    open: bool | None = Field(None, description="true: it holds, and nobody resolved it by hand")
    handled: bool | None = Field(None, description="true: a person resolved it by hand")
    assigned: bool | None = Field(None, description="false: it is nobody's work")
    assigned_to: Text | None = Field(None, description="a person's name")
    resolution: Several[Resolution] | None = Field(None, description="repeated, or joined with commas: any of them")
    incident_id: UUID | None = Field(None, description="of this incident")
    sort: AlertSort = Field("opened", description="the newest, or those with the largest impact first")
    since: Instant | None = Field(None, alias="from", description="earliest `opened_at`")
    until: Instant | None = Field(None, alias="to", description="first `opened_at` that is too late")


@router.get("")
def read_alerts(parts: Shared, bearer: Viewer, ask: Annotated[AlertQuery, Query()]) -> Page[Alert]:
    """List alerts, the newest or those with the largest impact first."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[float, Moment, UUID])
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
        open=ask.open,
        handled=ask.handled,
        assigned=ask.assigned,
        assigned_to=ask.assigned_to,
        resolutions=ask.resolution,
        incident_id=ask.incident_id,
        sort=ask.sort,
        since=ask.since,
        until=ask.until,
    )
    with parts.pool.lend() as connection:
        rows = list_alerts(connection, bearer.scope, which, after=after, limit=ask.limit + 1)
    return build_page(Alert, rows, ask.limit, key_of_alert)


def key_of_alert(row: Row) -> tuple[float, datetime, UUID]:
    """Give an alert's place in a list."""
    return row["key"], row["opened_at"], row["id"]


@router.get("/{alert_id}")
def read_alert(parts: Shared, bearer: Viewer, alert_id: UUID) -> AlertStory:
    """Give one alert with its transitions, comments and notifications."""
    with parts.pool.lend() as connection:
        return AlertStory.model_validate(tell_alert(connection, bearer.scope, alert_id))


@router.get("/{alert_id}/evidence")
def read_evidence(parts: Shared, bearer: Viewer, alert_id: UUID) -> AlertEvidence:
    """Tell why an alert is: the exact observations, those around them, the rule as it was then, and its limits."""
    with parts.pool.lend() as connection:
        return AlertEvidence.model_validate(tell_evidence(connection, bearer.scope, alert_id, datetime.now(UTC)))


@router.post("/{alert_id}/acknowledge")
def post_acknowledgement(parts: Shared, bearer: Operator, alert_id: UUID, body: Acknowledgement | None = None) -> Alert:
    """Take an alert up, in the token's name; whoever did so first stays, and repeating it changes nothing."""
    with parts.pool.lend() as connection:
        acknowledge(connection, _deed(bearer, alert_id), body.comment if body else None)
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/comments", status_code=201)
def post_comment(parts: Shared, bearer: Operator, alert_id: UUID, body: NewComment) -> Comment:
    """Write a comment beside an alert, in the token's name."""
    with parts.pool.lend() as connection:
        return Comment.model_validate(add_comment(connection, _deed(bearer, alert_id), body.body))


@router.post("/{alert_id}/assign")
def post_assignment(parts: Shared, bearer: Operator, alert_id: UUID, body: Assignment | None = None) -> Alert:
    """Make an alert somebody's work; where `if_assigned_to` is given and is not so, whoever came first stays (409)."""
    asked = body or Assignment.model_validate({})
    expected = Expected(person=asked.if_assigned_to) if "if_assigned_to" in asked.model_fields_set else None
    with parts.pool.lend() as connection:
        assign(connection, _deed(bearer, alert_id), asked.to or bearer.name, expected)
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/unassign")
def post_unassignment(parts: Shared, bearer: Operator, alert_id: UUID) -> Alert:
    """Make an alert nobody's work again."""
    with parts.pool.lend() as connection:
        unassign(connection, _deed(bearer, alert_id))
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/resolve")
def post_verdict(parts: Shared, bearer: Operator, alert_id: UUID, body: Verdict) -> Alert:
    """Resolve an alert by hand: a verdict beside what the data say; who was first stays, another verdict is a 409."""
    with parts.pool.lend() as connection:
        resolve(connection, _deed(bearer, alert_id), handling.Resolution(body.resolution), body.note)
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/reopen")
def post_reopening(parts: Shared, bearer: Operator, alert_id: UUID) -> Alert:
    """Take a verdict back; the history keeps it."""
    with parts.pool.lend() as connection:
        reopen(connection, _deed(bearer, alert_id))
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/take-out")
def post_taking_out(parts: Shared, bearer: Operator, alert_id: UUID) -> Alert:
    """Give an alert, with what it explains, an incident of its own: it is about something else than the others."""
    with parts.pool.lend() as connection:
        take_out(connection, _deed(bearer, alert_id))
        return _shown(connection, bearer, alert_id)


@router.post("/{alert_id}/put-back")
def post_putting_back(parts: Shared, bearer: Operator, alert_id: UUID) -> Alert:
    """Let an alert be in the incident again where it belongs by itself."""
    with parts.pool.lend() as connection:
        put_back(connection, _deed(bearer, alert_id))
        return _shown(connection, bearer, alert_id)


def _deed(bearer: Bearer, alert_id: UUID) -> Deed:
    return Deed(alert_id=alert_id, author=bearer.name, scope=bearer.scope, now=datetime.now(UTC))


def _shown(connection: Connection, bearer: Bearer, alert_id: UUID) -> Alert:
    """Show the alert that something was done to."""
    return Alert.model_validate(get_alert(connection, bearer.scope, standing_alert(connection, alert_id)))
