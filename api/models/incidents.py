"""Incidents, as the API shows them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from api.models.alerts import CommentText, Severity
from api.models.impact import WithImpact

IncidentState = Literal["open", "resolved"]
Assignee = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00]*$")]


class Incident(WithImpact):
    """Alerts near in time, place and topology: one thing to work on. Each organisation sees its own part of it."""

    id: UUID = Field(examples=["4b3f2c1e-5f0f-5c43-9d43-6c1f6d1f7a11"])
    title: str = Field(description="its cause, or its worst alert", examples=["Feeder without voltage: Feeder 3"])
    severity: Severity = Field(description="of its worst alert")
    state: IncidentState = Field(description="open while one of its alerts fires")
    opened_at: datetime = Field(description="when the first of its conditions began")
    fired_at: datetime = Field(description="when the first of its alerts fired")
    resolved_at: datetime | None = Field(description="when the last of its alerts ended; null: open")
    alerts: int = Field(examples=[812])
    open_alerts: int = Field(examples=[40])
    acknowledged_alerts: int = Field(examples=[0])
    devices: int = Field(examples=[811])
    organisations: list[str] = Field(
        description="whose alerts are in it, as far as you may see", examples=[["demo-water"]]
    )
    site: str | None = Field(description="of what it is named by", examples=["feeder-3"])
    site_name: str | None = Field(examples=["Feeder 3"])
    longitude: float | None = Field(description="mean of its devices", examples=[31.18])
    latitude: float | None = Field(description="mean of its devices", examples=[-10.21])
    lead_alert_id: UUID = Field(description="the alert that it is named by")
    is_planned: bool = Field(description="a planned interruption explains its alerts")
    assigned_to: str | None = Field(examples=["Chanda"])
    resolved_by_hand_at: datetime | None = Field(description="when a person gave the last verdict on all of it")
    resolved_by: str | None = Field(examples=["control room"])
    updated_at: datetime


class Entry(BaseModel):
    """What a person, or the engine that merged it with another, did with an incident."""

    id: int
    kind: Literal[
        "acknowledged",
        "assigned",
        "commented",
        "resolved",
        "reopened",
        "merged",
        "split",
        "taken_out",
        "put_back",
    ]
    at: datetime
    author: str = Field(examples=["control room"])
    body: str = Field(description="a comment; to whom it was assigned", examples=["Crew is on the way."])
    other_id: UUID | None = Field(
        description="the incident that was merged into it or that it came apart from; where an alert went to or was"
    )
    alert_id: UUID | None = Field(description="the alert that was taken out or put back")


class Step(BaseModel):
    """What became of alerts of an incident: those of one minute and kind together."""

    kind: str = Field(examples=["firing"])
    author: str = Field(examples=["engine"])
    at: datetime
    until: datetime
    count: int = Field(examples=[310])
    title: str = Field(description="of the first of them", examples=["Electricity meter silent: e-0017"])
    alert_id: UUID = Field(description="the first of them")


class IncidentStory(Incident):
    """An incident with all that became of it."""

    entries: list[Entry] = Field(description="oldest first")
    course: list[Step] = Field(description="oldest first, 500 at most")


class NewAcknowledgement(BaseModel, extra="forbid"):
    """Body of an acknowledgement."""

    comment: CommentText | None = Field(None, examples=["Crew is on the way."])


class NewAssignment(BaseModel, extra="forbid"):
    """Body of an assignment."""

    assigned_to: Assignee | None = Field(description="null: nobody", examples=["Chanda"])


class NewMerge(BaseModel, extra="forbid"):
    """Body of a merge."""

    incident_id: UUID = Field(description="the other one", examples=["4b3f2c1e-5f0f-5c43-9d43-6c1f6d1f7a11"])


class NewEntry(BaseModel, extra="forbid"):
    """Body of a comment."""

    body: CommentText = Field(examples=["Valve closed at the corner."])
