"""Why an alert is, as the API shows it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.alerts import Severity


class RuleThen(BaseModel):
    """The version of the rule that the alert is of."""

    slug: str = Field(examples=["water.low-pressure"])
    version: int = Field(examples=[3])
    definition: dict[str, Any] = Field(description="as it was then")
    created_at: datetime
    created_by: str
    active: bool = Field(description="it is the present version")


class Limit(BaseModel):
    """A limit of the condition, or a level of the rule's escalation."""

    side: Literal["above", "below"]
    value: float
    severity: Severity
    drawn: bool = Field(description="it is of the readings' own scale")


class EvidenceReading(BaseModel):
    """A reading around the alert."""

    observed_at: datetime
    value: float
    quality: int


class EvidenceSeries(BaseModel):
    """A series that the alert rests on, with its readings around it."""

    series_id: int
    metric: str
    unit: str | None
    device: str
    device_name: str | None
    readings: list[EvidenceReading] = Field(description="oldest first, 5,000 at most")


class EvidenceFix(BaseModel):
    """A fix around the alert."""

    observed_at: datetime
    longitude: float
    latitude: float
    accuracy: float | None
    quality: int


class EvidenceContact(BaseModel):
    """When the device was heard around the alert."""

    received_at: datetime
    messages: int
    online: bool = Field(description="false: the device's last will")


class EvidenceEvent(BaseModel):
    """What the device told around the alert, of the kinds that the rule looks at."""

    observed_at: datetime
    kind: str
    attributes: dict[str, Any]


class AlertEvidence(BaseModel):
    """What an alert rests on; the same form for all kinds of condition."""

    alert_id: UUID
    summary: str
    explained: str = Field(description="in a sentence or two")
    value: float | None = Field(description="what the condition computed")
    rule: RuleThen
    limits: list[Limit]
    observations: dict[str, Any] = Field(description="the exact readings, fixes, contacts, events, samples or buckets")
    since: datetime = Field(description="what is around the alert begins here: half its length, 30 minutes to 7 days")
    until: datetime
    series: list[EvidenceSeries]
    fixes: list[EvidenceFix]
    contacts: list[EvidenceContact]
    events: list[EvidenceEvent]
