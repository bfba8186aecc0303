"""GET /v1/incidents, and what operators do with them: acknowledge, assign, comment, resolve, reopen, merge."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Bearer, Operator, Viewer
from api.models.alerts import Alert, Severity, Verdict
from api.models.incidents import (
    Entry,
    Incident,
    IncidentState,
    IncidentStory,
    NewAcknowledgement,
    NewAssignment,
    NewEntry,
    NewMerge,
)
from api.pages import Moment, Page, build_page, decode_cursor
from api.parameters import Instant, Paging, Several, Text
from api.parts import Shared
from api.routes.alerts import AlertSort, key_of_alert
from veldwatch.model import handling
from veldwatch.storage.alerts import AlertFilter, list_alerts
from veldwatch.storage.dependants import get_tariffs
from veldwatch.storage.incident_changes import merge_incident, split_incident
from veldwatch.storage.incidents import (
    IncidentDeed,
    IncidentFilter,
    acknowledge_incident,
    assign_incident,
    comment_incident,
    get_incident,
    list_incidents,
    reopen_incident,
    resolve_incident,
    tell_incident,
)

router = APIRouter(prefix="/v1/incidents", tags=["alerts"])


class IncidentQuery(Paging):
    """Which incidents."""

    state: Several[IncidentState] | None = Field(None, description="`open` or `resolved`")
    severity: Several[Severity] | None = Field(None, description="repeated, or joined with commas: any of them")
    organisation: Text | None = Field(None, description="slug; what that organisation sees of them")
    sort: Literal["opened", "severity", "money", "water", "energy", "people"] = Field(
        "opened", description="the newest, or the largest first"
    )
    since: Instant | None = Field(None, alias="from", description="earliest `opened_at`")
    until: Instant | None = Field(None, alias="to", description="first `opened_at` that is too late")


class IncidentAlertQuery(Paging):
    """In which order."""

    sort: AlertSort = Field("opened", description="the newest, or the largest first")


@router.get("")
def read_incidents(parts: Shared, bearer: Viewer, ask: Annotated[IncidentQuery, Query()]) -> Page[Incident]:
    """List incidents: alerts that are one thing to work on, the newest or the largest first."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[float, Moment, UUID])
    which = IncidentFilter(states=ask.state, severities=ask.severity, since=ask.since, until=ask.until, sort=ask.sort)
    with parts.pool.lend() as connection:
        part = bearer.scope
        if ask.organisation is not None:
            part = get_tariffs(connection, bearer.scope, ask.organisation)["id"]
        rows = list_incidents(connection, part, which, after=after, limit=ask.limit + 1)
    return build_page(Incident, rows, ask.limit, lambda row: (row["key"], row["opened_at"], row["id"]))


@router.get("/{incident_id}")
def read_incident(parts: Shared, bearer: Viewer, incident_id: UUID) -> IncidentStory:
    """Give one incident with what people did and what became of its alerts; an old id gives the one in its place."""
    with parts.pool.lend() as connection:
        return IncidentStory.model_validate(tell_incident(connection, bearer.scope, incident_id))


@router.get("/{incident_id}/alerts")
def read_incident_alerts(
    parts: Shared, bearer: Viewer, incident_id: UUID, ask: Annotated[IncidentAlertQuery, Query()]
) -> Page[Alert]:
    """List the alerts of an incident."""
    after = None if ask.cursor is None else decode_cursor(ask.cursor, tuple[float, Moment, UUID])
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        which = AlertFilter(incident_id=found["id"], sort=ask.sort)
        rows = list_alerts(connection, bearer.scope, which, after=after, limit=ask.limit + 1)
    return build_page(Alert, rows, ask.limit, key_of_alert)


@router.post("/{incident_id}/acknowledge")
def post_acknowledgement(
    parts: Shared, bearer: Operator, incident_id: UUID, body: NewAcknowledgement | None = None
) -> Incident:
    """Take up all alerts of an incident, in the token's name; repeating it changes nothing."""
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        acknowledge_incident(connection, _deed(bearer, found["id"]), body.comment if body else None)
        return Incident.model_validate(get_incident(connection, bearer.scope, found["id"]))


@router.post("/{incident_id}/assign")
def post_assignment(parts: Shared, bearer: Operator, incident_id: UUID, body: NewAssignment) -> Incident:
    """Make all alerts of an incident somebody's work, or nobody's."""
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        assign_incident(connection, _deed(bearer, found["id"]), body.assigned_to or None)
        return Incident.model_validate(get_incident(connection, bearer.scope, found["id"]))


@router.post("/{incident_id}/resolve")
def post_verdict(parts: Shared, bearer: Operator, incident_id: UUID, body: Verdict) -> Incident:
    """Give a verdict on all alerts of an incident that have none, whatever they still say."""
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        resolve_incident(connection, _deed(bearer, found["id"]), handling.Resolution(body.resolution), body.note)
        return Incident.model_validate(get_incident(connection, bearer.scope, found["id"]))


@router.post("/{incident_id}/reopen")
def post_reopening(parts: Shared, bearer: Operator, incident_id: UUID) -> Incident:
    """Take the verdicts of all alerts of an incident back; the history keeps them."""
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        reopen_incident(connection, _deed(bearer, found["id"]))
        return Incident.model_validate(get_incident(connection, bearer.scope, found["id"]))


@router.post("/{incident_id}/merge")
def post_merge(parts: Shared, bearer: Operator, incident_id: UUID, body: NewMerge) -> Incident:
    """Make one incident of two; answers the one that was founded first, which stands for both from now on."""
    with parts.pool.lend() as connection:
        merged = merge_incident(connection, _deed(bearer, incident_id), body.incident_id)
        return Incident.model_validate(get_incident(connection, bearer.scope, merged))


@router.post("/{incident_id}/split")
def post_split(parts: Shared, bearer: Operator, incident_id: UUID) -> Incident:
    """Take back what people merged; what belongs together by itself stays together."""
    with parts.pool.lend() as connection:
        split_incident(connection, _deed(bearer, incident_id))
        return Incident.model_validate(get_incident(connection, bearer.scope, incident_id))


@router.post("/{incident_id}/comments", status_code=201)
def post_comment(parts: Shared, bearer: Operator, incident_id: UUID, body: NewEntry) -> Entry:
    """Write a comment beside an incident, in the token's name."""
    with parts.pool.lend() as connection:
        found = get_incident(connection, bearer.scope, incident_id)
        return Entry.model_validate(comment_incident(connection, _deed(bearer, found["id"]), body.body))


def _deed(bearer: Bearer, incident_id: UUID) -> IncidentDeed:
    return IncidentDeed(incident_id=incident_id, author=bearer.name, scope=bearer.scope, now=datetime.now(UTC))
