"""Quarantine, replays and discards, as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, model_validator

from api.parameters import Instant, Paging, Several, Strict, Text
from veldwatch.model.quarantine import QuarantineState, Selection
from veldwatch.storage.quarantine_work import By

LongNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]
MaybeEmpty = Annotated[str, StringConstraints(max_length=256, pattern=r"^[^\x00]*$")]
Form = Annotated[str, StringConstraints(max_length=70_000, pattern=r"^[^\x00]*$")]
State = Literal["open", "stored", "discarded", "merged", "any"]


class QuarantineFilter(Strict):
    """Which messages; what is not named may be anything."""

    state: State = Field("open", description="open: waits; stored: a replay took it in; discarded; merged; any")
    reason: Several[Text] = Field([], description="of the closed list; may be repeated", examples=[["no_source"]])
    source: MaybeEmpty | None = Field(None, description="name; empty: no source took it", examples=["chirpstack"])
    topic_pattern: Form | None = Field(None, description="as groups tell it", examples=["meters/+/up"])
    topic: Form | None = Field(None, description="a part of the topic", examples=["meters/17"])
    organisation: Text | None = Field(None, description="slug", examples=["demo-water"])
    device: Text | None = Field(None, description="the device's own identifier", examples=["meter-0017"])
    since: Instant | None = Field(None, alias="from", description="came at this time or later")
    until: Instant | None = Field(None, alias="to", description="came before this time")
    up_to: LongNumber | None = Field(
        None, description="none with a larger id: nothing that arrived after you looked", examples=[4711]
    )

    def selection(self, scope: str | None, ids: tuple[int, ...] | None = None) -> Selection:
        """Give what storage understands.

        Args:
            scope: slug of the one organisation that may be seen; None: all.
        """
        hidden = scope is not None and self.organisation not in (None, scope)
        return Selection(
            ids=() if hidden else ids,
            states=() if self.state == "any" else (QuarantineState(self.state),),
            reasons=tuple(self.reason),
            organisation=scope or self.organisation,
            source=self.source,
            topic_pattern=self.topic_pattern,
            topic=self.topic,
            device=self.device,
            since=self.since,
            until=self.until,
            up_to=self.up_to,
        )


class QuarantineQuery(QuarantineFilter, Paging):
    """Which messages, and which page of them."""


class GroupsQuery(QuarantineQuery):
    """Which messages, and what they are grouped by."""

    by: Several[By] = Field(["reason", "source", "topic_pattern"], description="may be repeated")


class Which(BaseModel, extra="forbid"):
    """Messages by their ids, or by a filter; an empty filter is every one that waits."""

    ids: list[LongNumber] | None = Field(None, min_length=1, max_length=10_000, examples=[[17, 18]])
    filter: QuarantineFilter | None = Field(None, examples=[{"reason": ["no_source"]}])

    @model_validator(mode="after")
    def _one_of_both(self) -> "Which":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("expected `ids` or `filter`, one of both")
        return self

    def selection(self, scope: str | None) -> Selection:
        """Give what storage understands; ids may name what was discarded, too."""
        if self.filter is not None:
            return self.filter.selection(scope)
        states = (QuarantineState.OPEN, QuarantineState.DISCARDED)
        return Selection(ids=tuple(self.ids or ()), states=states, organisation=scope)


class NewDiscard(Which):
    """Body of a discard."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")] = Field(
        description="why, for the record", examples=["a test rig that was left on"]
    )


class QuarantinedMessage(BaseModel):
    """A message that could not be stored."""

    id: int
    received_at: datetime = Field(description="when it came first")
    last_received_at: datetime
    count: int = Field(description="how often it came")
    source: str = Field(description="empty: no source took it", examples=["veldwatch"])
    topic: str = Field(examples=["veldwatch/v1/demo-water/meter-0017/readings"])
    topic_pattern: str = Field(examples=["veldwatch/v1/demo-water/+/readings"])
    organisation: str | None = Field(description="null: cannot be told", examples=["demo-water"])
    device: str | None = Field(description="its own identifier; null: cannot be told", examples=["meter-0017"])
    reason: str = Field(examples=["malformed_payload"])
    detail: str | None = Field(
        description="a sentence; null for viewers: it may quote the payload", examples=["payload is not JSON at byte 0"]
    )
    state: Literal["open", "stored", "discarded", "merged"]
    payload_text: str | None = Field(description="null where the bytes are no text, and for viewers")
    payload_base64: str | None = Field(
        description="in lists at most the first 4,096 bytes; null for viewers", examples=["e30="]
    )
    payload_bytes: int = Field(description="how long what is kept is")
    cut: bool = Field(description="it was longer than the limit: only its beginning is kept")
    replayable: bool
    why_not: str | None = Field(description="why it cannot be replayed")
    waiting_in: int | None = Field(description="the replay in which it waits for ingest")
    attempts: int = Field(description="how often a replay tried to store it")
    attempted_at: datetime | None
    replayed_at: datetime | None
    discarded_at: datetime | None
    merged_into: int | None = Field(description="the message under which it waits")


class Attempt(BaseModel):
    """What one replay made of a message."""

    replay_id: int
    requested_at: datetime
    requested_by: str = Field(examples=["control room"])
    outcome: Literal["stored", "failed", "cancelled"] | None = Field(description="null: it waits")
    at: datetime | None
    reason: str | None = Field(examples=["bad_value"])
    detail: str | None


class QuarantinedMessageWhole(QuarantinedMessage):
    """A message with all its bytes, and what replays made of it."""

    history: list[Attempt] = Field(description="newest first, at most 50")


class ReasonCount(BaseModel):
    """How many messages have one reason."""

    reason: str = Field(examples=["no_source"])
    count: int = Field(examples=[12])


class QuarantineSummary(BaseModel):
    """The reasons, most frequent first."""

    items: list[ReasonCount]


class QuarantineGroup(BaseModel):
    """Messages that share something; what they are not grouped by is null."""

    reason: str | None = Field(examples=["no_source"])
    source: str | None
    topic_pattern: str | None = Field(examples=["meters/+/up"])
    organisation: str | None
    device: str | None
    day: datetime | None = Field(description="of the first arrival, UTC")
    messages: int = Field(examples=[10_000])
    arrivals: int = Field(description="a message may have come more than once")
    first_received_at: datetime
    last_received_at: datetime
    newest_id: int
    detail: str | None = Field(description="the newest one's sentence; null for viewers")
    replayable: int
    waiting: int = Field(description="how many wait in a replay")


class OnlyCounted(BaseModel):
    """Messages of which nothing is kept but their number."""

    reason: str
    source: str
    state: Literal["open", "stored", "discarded", "merged"] = Field(
        description="open: they came when there was no room; another: they were settled long ago"
    )
    messages: int
    first_at: datetime
    last_at: datetime


class QuarantineGroups(BaseModel):
    """Groups, the largest first."""

    items: list[QuarantineGroup]
    next: str | None = Field(description="cursor of the next page; null: this is the last")
    counted: list[OnlyCounted] = Field(description="empty for a token of one organisation: whose they were is not kept")


class ReplayFailure(BaseModel):
    """A reason for which messages failed again."""

    reason: str = Field(examples=["bad_value"])
    count: int
    example: int = Field(description="id of one of them")


class QuarantineReplay(BaseModel):
    """Messages that intake is asked to take again, and what came of them."""

    id: int
    state: Literal["running", "finished", "cancelled"]
    requested_at: datetime
    requested_by: str = Field(examples=["control room"])
    organisation: str | None = Field(description="the asker's; null: all")
    selection: dict[str, Any] = Field(examples=[{"reasons": ["no_source"], "states": ["open"]}])
    asked: int
    waiting: int
    stored: int
    failed: int
    cancelled: int
    left_out: int = Field(description="were meant too, and cannot be replayed")
    cancelled_at: datetime | None
    cancelled_by: str | None
    finished_at: datetime | None
    failures: list[ReplayFailure] = Field(description="most frequent first; empty in lists")


class QuarantineDiscard(BaseModel):
    """Messages that somebody gave up."""

    id: int
    at: datetime
    author: str = Field(examples=["control room"])
    reason: str = Field(examples=["a test rig that was left on"])
    organisation: str | None = Field(description="the author's; null: all")
    selection: dict[str, Any]
    discarded: int
