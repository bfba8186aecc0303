"""Silences, as the API takes and shows them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from api.models.alerts import Severity, State
from api.parameters import Instant, Text


class SilenceMatcher(BaseModel, extra="forbid"):
    """Which alerts: every part that is given must fit."""

    organisation: Text | None = Field(
        None, description="slug; none: your token's, or every one", examples=["demo-water"]
    )
    rule: Text | None = Field(None, description="slug, or the beginning of several and *", examples=["water.*"])
    site: Text | None = Field(None, description="slug, with all sites below it", examples=["upper-zone"])
    device: Text | None = Field(None, description="external id")
    tag: Text | None = None
    profile: Text | None = Field(None, description="slug")
    severities: list[Severity] = Field([], description="any of them")
    labels: dict[Text, Text] = Field({}, description="of the rule, all of them", max_length=20)
    everything: bool = Field(False, description="it is meant to mute everything: no part is given")


class NewSilence(BaseModel, extra="forbid"):
    """Body of a new silence."""

    matcher: SilenceMatcher
    reason: Text = Field(examples=["pump house is rebuilt until Friday"])
    starts_at: Instant | None = Field(None, description="none: now")
    ends_at: Instant
    long: bool = Field(False, description="it is meant to last more than 30 days")


class SilenceEnd(BaseModel, extra="forbid"):
    """Body of a change: when a silence ends from now on."""

    ends_at: Instant = Field(description="now or earlier: at once")
    long: bool = Field(False, description="it is meant to go on for more than 30 days")


class SilenceChange(BaseModel):
    """What somebody did with a silence."""

    kind: Literal["made", "extended", "shortened", "expired"]
    at: datetime
    author: str = Field(examples=["control room"])
    ends_at: datetime


class Silence(BaseModel):
    """A matcher with an expiry: what fires within it is recorded and not told; it is told then, if it still holds."""

    id: int
    organisation: str | None = Field(description="slug; null: every one")
    rule: str | None
    site: str | None
    device: str | None
    tag: str | None
    profile: str | None
    severities: list[Severity]
    labels: dict[str, str]
    everything: bool
    author: str = Field(examples=["control room"])
    reason: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    state: Literal["coming", "active", "expired"]
    kept_back: int = Field(description="alerts that somebody would have been told of otherwise")


class SilenceStory(Silence):
    """A silence with what was done with it."""

    changes: list[SilenceChange]


class MutedAlert(BaseModel):
    """An alert that a silence mutes, in short."""

    id: UUID
    rule: str
    organisation: str
    site: str | None
    device: str | None
    device_name: str | None
    severity: Severity
    state: State
    opened_at: datetime
    fired_at: datetime | None
    resolved_at: datetime | None
    summary: str


class Muted(BaseModel):
    """What a silence mutes."""

    total: int = Field(examples=[12])
    alerts: list[MutedAlert] = Field(description="100 of them at most")
