"""Receivers, the demo's mailbox, and health, as the API shows them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.models.alerts import Severity

Printable = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Me(BaseModel):
    """Whose token was shown."""

    name: str = Field(examples=["control room"])
    role: Literal["viewer", "operator"]
    organisation: str | None = Field(description="slug; null: all organisations", examples=["demo-water"])


class Receiver(BaseModel):
    """Who is told of alerts; a secret is never shown."""

    id: int
    slug: str = Field(examples=["control-room"])
    organisation: str | None = Field(description="slug; null: alerts of every organisation")
    channel: Literal["email", "webhook"]
    address: str = Field(examples=["control@example.org"])
    minimum_severity: Severity
    enabled: bool
    created_at: datetime
    signed: bool = Field(description="whether its webhooks are signed")


class NewReceiver(BaseModel, extra="forbid"):
    """Body of a new receiver."""

    slug: Printable = Field(examples=["control-room"])
    channel: Literal["email", "webhook"]
    address: Printable = Field(examples=["control@example.org"])
    organisation: Printable | None = Field(None, examples=["demo-water"])
    minimum_severity: Severity = "info"
    secret: Printable | None = Field(None, description="webhook: the key of the HMAC signature, 16 characters or more")


class Mail(BaseModel):
    """A message in the demo's mailbox."""

    key: str
    to: str = Field(examples=["control@example.org"])
    from_: str = Field(alias="from", examples=["veldwatch@localhost"])
    subject: str = Field(examples=["[major] Water never stops flowing: Mulenga Road 4"])
    date: datetime | None
    text: str


class Migration(BaseModel):
    """A step of the schema that was applied."""

    number: int
    name: str
    applied_at: datetime


class Consumer(BaseModel):
    """How far a consumer of the log is behind."""

    consumer: str = Field(examples=["rules"])
    batches: int = Field(description="that it has not read; no more than 10,000 are counted")
    seconds: float = Field(description="age of the oldest of them")
    updated_at: datetime


class RuleWorker(BaseModel):
    """A share of the rules' subjects, and how it fares."""

    place: int = Field(description="from 1 on")
    division: int = Field(description="how many shares there are")
    taken: bool = Field(description="a rules program carries it out")
    since: datetime | None = Field(description="when that program connected")
    batches: int = Field(description="of the log that it has not read; no more than 10,000 are counted")
    seconds: float = Field(description="age of the oldest of them")


class Health(BaseModel):
    """How the whole is doing."""

    status: Literal["ok", "behind"] = Field(description="behind: a consumer of the log is a minute late or more")
    version: str = Field(examples=["0.1.0"])
    edition: str = Field(examples=["postgresql"])
    server_version: str = Field(examples=["18.6"])
    extension_version: str | None
    migrations: list[Migration]
    consumers: list[Consumer]
    rule_workers: list[RuleWorker] = Field(description="which shares of the rules' subjects are carried out")
    last_batch_at: datetime | None
    batches_per_second: float = Field(description="mean of the last minute")
    readings_per_second: float = Field(description="new ones, mean of the last minute")
    quarantine: int = Field(description="messages that wait to be looked at")
    outbox_pending: int
    outbox_failed: int
    alerts_firing: int
    devices: int
    series: int
    stream_clients: int
