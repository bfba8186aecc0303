"""Storage, retention and corrections, as the API shows them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from api.parameters import DatabaseId, Instant, Text
from veldwatch.storage.retention import LEAST_DAYS, MOST_DAYS, What


class DividedTable(BaseModel):
    """A table that time divides into months or chunks."""

    table_name: str = Field(examples=["reading"])
    parts: int
    compressed_parts: int
    began: datetime
    ended: datetime
    rows: int = Field(description="estimated by the server; exact in compressed chunks")
    bytes: int
    bytes_per_row: float | None = Field(description="with indexes", examples=[3.4])
    compressed_bytes_per_row: float | None


class WholeTable(BaseModel):
    """A table that time does not divide."""

    table_name: str = Field(examples=["alert"])
    rows: int
    bytes: int


class Upkeep(BaseModel):
    """A job of the server's or of the maintenance program."""

    work: str = Field(examples=["roll up reading"])
    last_success_at: datetime | None
    late_seconds: float | None = Field(description="how long what is due has waited; null: nothing is due")
    failures: int | None = Field(description="null: not a job of the server's")
    unwell: bool = Field(description="its last run failed, or it should have run long ago")


class Storage(BaseModel):
    """What the database takes, and how its upkeep goes."""

    server: str = Field(examples=["timescaledb-community (server 17.5, timescaledb 2.23.0)"])
    bytes: int
    divided: list[DividedTable]
    whole: list[WholeTable]
    upkeep: list[Upkeep]


class RetentionBody(BaseModel, extra="forbid"):
    """What is kept, of whom; a part that is left out names any."""

    what: What = Field(examples=["reading"])
    organisation: Text | None = Field(None, examples=["demo-water"])
    profile: Text | None = None
    metric: Text | None = None


class NewRetention(RetentionBody):
    """Body of a policy that is set."""

    kept_days: int | None = Field(ge=LEAST_DAYS, le=MOST_DAYS, description="null: for ever", examples=[730])
    reason: Text = Field(examples=["agreed with the auditor"])


class RetentionRemoval(RetentionBody):
    """Body of a policy that is removed."""

    reason: Text


class RetentionPreviewBody(RetentionBody):
    """Body of a preview."""

    kept_days: int | None = Field(
        None, ge=LEAST_DAYS, le=MOST_DAYS, description="null or left out: for ever", examples=[90]
    )
    removed: bool = Field(default=False, description="as if the policy were removed; `kept_days` says nothing then")


class RetentionPolicy(BaseModel):
    """How long something is kept."""

    what: What
    organisation: str | None = Field(description="null: any")
    profile: str | None = Field(description="null: any")
    metric: str | None = Field(description="null: any")
    kept_days: int | None = Field(description="null: for ever")


class RetentionChange(RetentionPolicy):
    """Who changed a policy, and why."""

    at: datetime
    author: str
    action: str = Field(examples=["set"])
    kept_days_before: int | None
    reason: str


class Retention(BaseModel):
    """How long what is kept."""

    default_days: int | None = Field(description="of raw telemetry without a policy; null: for ever")
    policies: list[RetentionPolicy]
    changes: list[RetentionChange] = Field(description="the latest first")


class WouldGo(BaseModel):
    """What would be dropped."""

    what: What
    rows: int = Field(description="at most 1,000,000 are counted")
    more: bool = Field(description="there are more than `rows`; what follows is of those that were counted")
    sources: int = Field(description="series, or devices")
    began: datetime | None
    ended: datetime | None
    waits_for: str | None = Field(description="a reader of the log that some of it waits for; null: none")


class RetentionPreview(BaseModel):
    """What would be dropped now; nothing is."""

    items: list[WouldGo]


class HeldBack(BaseModel):
    """What is past its time and stays, and for whose sake."""

    whats: list[What]
    since: datetime | None = Field(description="from when on it is needed; null: all of it")
    organisation: str | None = Field(description="null: of several")
    device: str | None = Field(description="null: several")
    devices: int
    alert_id: UUID | None
    backtest_id: int | None
    reason: str = Field(examples=["an alert is open: water is lost"])


class WaitingForReader(BaseModel):
    """Something that is past its time and waits for a reader of the log."""

    what: What
    reason: str = Field(examples=["rules has not read all that was said of that time"])


class RetentionHeld(BaseModel):
    """What is past its time and stays all the same."""

    items: list[HeldBack] = Field(description="the longest needed first; 100 at most")
    waiting: list[WaitingForReader]


class CorrectedValue(BaseModel, extra="forbid"):
    """A value that counts at a time."""

    observed_at: Instant
    value: float = Field(allow_inf_nan=False)


class CorrectionBody(BaseModel, extra="forbid"):
    """Which series, and on what grounds."""

    series_id: DatabaseId | None = None
    organisation: Text | None = None
    device: Text | None = Field(None, examples=["m-1"])
    metric: Text | None = Field(None, examples=["volume"])
    reason: Text = Field(examples=["read from a photograph"])


class NewCorrections(CorrectionBody):
    """Body of corrections and estimates."""

    method: Text = Field(examples=["manual"])
    rule: Text | None = Field(None, description="of validation that asked for it")
    items: list[CorrectedValue] = Field(min_length=1, max_length=10_000)


class CorrectionWithdrawal(CorrectionBody):
    """Body of a withdrawal."""

    observed_at: list[Instant] = Field(min_length=1, max_length=10_000)


class Corrected(BaseModel):
    """How many readings count otherwise now."""

    corrections: int


class Correction(BaseModel):
    """A word on a reading."""

    series_id: int
    device: str
    metric: str
    observed_at: datetime
    version: int
    value: float
    raw_value: float | None = Field(description="what the device said; null: nothing")
    method: str
    rule: str | None
    author: str
    reason: str
    created_at: datetime
    counts: bool = Field(description="it is the newest word, and not withdrawn")
    withdrawn: bool = Field(description="it says that the raw value counts again")
