"""Planned interruptions and the calendars that they come from, as the API takes and shows them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.parameters import Instant, Text, TimeZone

InterruptionKind = Literal["planned", "load_shedding"]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class Interruption(BaseModel):
    """A planned interruption: silence that begins within it is explained."""

    id: int
    organisation: str = Field(examples=["demo-water"])
    kind: InterruptionKind
    begins_at: datetime
    ends_at: datetime
    title: str = Field(examples=["Stage 2"])
    reason: str
    calendar: str | None = Field(description="null: somebody entered it")
    uid: str | None = Field(description="of the calendar's event")
    author: str = Field(examples=["control room"])
    sites: list[str] = Field(description="slugs; all sites below them too")
    devices: list[str] = Field(description="external ids")
    explains: int = Field(description="alerts that it explains")
    cancelled_at: datetime | None = Field(description="called off: it explains nothing any more")


class ChangedInterruption(BaseModel, extra="forbid"):
    """Body of a change: all of it, as it is to be from now on."""

    kind: InterruptionKind = "planned"
    title: Title = Field(examples=["Transformer T4 is exchanged"])
    reason: Reason = ""
    begins_at: Instant
    ends_at: Instant
    sites: list[Text] = Field([], max_length=1000)
    devices: list[Text] = Field([], max_length=10_000)


class NewInterruption(ChangedInterruption):
    """Body of a new interruption."""

    organisation: Text | None = Field(None, description="slug; none: your token's")


class Calendar(BaseModel):
    """A calendar that was imported."""

    id: int
    organisation: str
    slug: str = Field(examples=["beacon-line"])
    kind: InterruptionKind
    imported_at: datetime
    imported_by: str
    coming: int = Field(description="interruptions of it that are not over")


class CalendarUpload(BaseModel, extra="forbid"):
    """Body of an import."""

    organisation: Text | None = Field(None, description="slug; none: your token's")
    kind: InterruptionKind = "planned"
    content: str = Field(max_length=1_000_000, description="iCalendar (RFC 5545), or a schedule in JSON")
    sites: list[Text] = Field([], max_length=1000, description="where events are that do not say so themselves")
    devices: list[Text] = Field([], max_length=10_000)
    time_zone: TimeZone = Field("UTC", description="of times that name none", examples=["Africa/Johannesburg"])
    complete: bool = Field(False, description="what the file does not name any more, and is to come, is called off")


class SkippedEvent(BaseModel):
    """An event that was left out."""

    uid: str
    reason: str


class CalendarReport(BaseModel):
    """What came of an import."""

    events: int
    changed: int = Field(description="interruptions that are new or other than before")
    cancelled: int
    older: int = Field(description="events of which a newer revision is known")
    explained: int = Field(description="alerts that are explained otherwise now")
    skipped: list[SkippedEvent]
