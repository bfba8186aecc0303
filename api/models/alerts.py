"""Alerts and what becomes of them, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from api.models.impact import WithImpact

State = Literal["pending", "firing", "resolved", "retracted"]
Severity = Literal["info", "minor", "major", "critical"]
Resolution = Literal["fixed", "false_alarm", "test", "duplicate", "no_action_needed"]
TransitionKind = Literal[
    "pending",
    "firing",
    "raised",
    "resolved",
    "retracted",
    "corrected",
    "acknowledged",
    "commented",
    "assigned",
    "unassigned",
    "resolved_by_hand",
    "reopened",
    "taken_out",
    "put_back",
]
Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
CommentText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]*$")
]


class Raise(BaseModel):
    """A severity that rose."""

    at: datetime = Field(description="event time")
    severity: Severity


class Alert(WithImpact):
    """Something that a rule found."""

    id: UUID = Field(examples=["0d2a2f6e-5f0f-5c43-9d43-6c1f6d1f7a11"])
    rule: str = Field(examples=["water.continuous-flow"])
    rule_version: int = Field(examples=[1])
    rule_title: str = Field(examples=["Water never stops flowing"])
    organisation: str = Field(examples=["demo-water"])
    site: str | None = Field(examples=["upper-zone"])
    device: str | None = Field(examples=["meter-0017"])
    device_id: int | None = Field(examples=[17])
    device_name: str | None = Field(examples=["Mulenga Road 4"])
    series_id: int | None = Field(examples=[41])
    metric: str | None = Field(examples=["volume"])
    severity: Severity
    state: State
    opened_at: datetime = Field(description="when the condition began")
    fired_at: datetime | None = Field(description="when it had lasted long enough")
    resolved_at: datetime | None = Field(description="when it last held")
    recorded_at: datetime = Field(description="when Veldwatch first recorded it")
    late: bool = Field(description="it was history already when it was recorded")
    value: float | None = Field(examples=[0.4])
    summary: str = Field(examples=["Mulenga Road 4: flow without a pause since 22 November 06:00"])
    evidence: dict[str, Any] = Field(description="the exact readings, fixes or contacts that made it so")
    acknowledged_at: datetime | None
    acknowledged_by: str | None = Field(examples=["control room"])
    explained_by: UUID | None = Field(description="the alert that explains the silence that this one tells of")
    explained_by_interruption: int | None = Field(description="or the planned interruption that does")
    explained_by_title: str | None = Field(examples=["Feeder without voltage: Beacon line"])
    explained_until: datetime | None = Field(
        description="if it still holds then it is told all the same; null: what explains it lasts, or nothing does"
    )
    explains: int = Field(description="alerts that this one explains", examples=[0])
    silenced_by: int | None = Field(description="the silence that mutes it now")
    assigned_to: str | None = Field(description="whose work it is", examples=["Grace Banda"])
    assigned_at: datetime | None
    assigned_by: str | None = Field(examples=["control room"])
    resolution: Resolution | None = Field(description="a person's verdict, whatever the state")
    resolution_note: str | None = Field(examples=["Valve replaced."])
    resolved_by_hand_at: datetime | None
    resolved_by: str | None = Field(examples=["control room"])
    raises: list[Raise] = Field(description="how its severity rose while it held; `severity` is the last")
    longitude: float | None = Field(description="where the device was then", examples=[31.18])
    latitude: float | None = Field(description="where the device was then", examples=[-10.21])
    incident_id: UUID | None = Field(description="the incident that it is part of; null: it has not fired")
    taken_out_by: str | None = Field(
        description="who gave it an incident of its own; null: it is where it belongs",
        examples=["control room"],
    )


class Transition(BaseModel):
    """One step in an alert's life."""

    id: int
    kind: TransitionKind
    at: datetime = Field(description="event time")
    recorded_at: datetime
    author: str = Field(examples=["engine"])
    detail: dict[str, Any]


class Comment(BaseModel):
    """What a person wrote beside an alert."""

    id: int
    author: str = Field(examples=["control room"])
    body: str = Field(examples=["Crew is on the way."])
    created_at: datetime


class Attempt(BaseModel):
    """One try to tell a receiver."""

    number: int = Field(examples=[1])
    at: datetime
    outcome: Literal["delivered", "temporary_failure", "permanent_failure"]
    detail: str = Field(description="the receiver's own words", examples=["250 OK"])


class Notification(BaseModel):
    """One message to one receiver, and what came of it."""

    id: UUID
    receiver: str = Field(examples=["control-room"])
    channel: Literal["email", "webhook"]
    kind: str | None = Field(examples=["firing"])
    headline: str | None
    text: str | None
    state: Literal["pending", "delivered", "failed", "suppressed"]
    reason: str | None = Field(description="why it was suppressed, failed, or waits")
    silence_id: int | None = Field(description="the silence that keeps or kept it back")
    grouped_in: UUID | None = Field(description="the message that told of it together with others")
    created_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    attempts: list[Attempt]


class AlertStory(Alert):
    """An alert with all that became of it."""

    transitions: list[Transition]
    comments: list[Comment]
    notifications: list[Notification]


class Acknowledgement(BaseModel, extra="forbid"):
    """Body of an acknowledgement."""

    comment: CommentText | None = Field(None, examples=["Crew is on the way."])


class NewComment(BaseModel, extra="forbid"):
    """Body of a comment."""

    body: CommentText = Field(examples=["Valve closed at the corner."])


class Assignment(BaseModel, extra="forbid"):
    """Body of an assignment."""

    to: Person | None = Field(None, description="a person's name; none: the token's", examples=["Grace Banda"])
    if_assigned_to: Person | None = Field(
        None,
        description="whose work it has to be until now, null: nobody's; without it the last one counts",
        examples=[None],
    )


class Verdict(BaseModel, extra="forbid"):
    """Body of a resolution by hand."""

    resolution: Resolution
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000, pattern=r"^[^\x00]*$")] = Field(
        "", examples=["Valve replaced."]
    )
