"""Receivers, the demo's mailbox and simulator, and health, as the API shows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from api.models.alerts import Severity
from veldwatch.model.faults import FAULTS

Printable = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _known_kind(name: str) -> str:
    if name not in FAULTS:
        raise ValueError(f"expected one of {', '.join(FAULTS)}")
    return name


FaultKind = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra={"enum": list(FAULTS)})]


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


class Fault(BaseModel):
    """A fault in what the simulators play, at a device or at a site: planned, or asked for."""

    id: int
    run_id: int | None = Field(description="the run of the simulators; null: none has taken it up")
    planned_key: str | None = Field(description="its name in the run's scenario; null: somebody asked for it")
    device_id: int | None = Field(description="null: it is at a site", examples=[17])
    device: str | None = Field(examples=["meter-0017"])
    device_name: str | None
    site_id: int | None = Field(description="null: it is at a device", examples=[3])
    site: str | None = Field(description="slug", examples=["north"])
    site_name: str | None
    organisation: str
    kind: FaultKind
    parameters: dict[str, Any] = Field(examples=[{"duration_seconds": 3600}])
    size: float | None = Field(description="of the kind's first parameter; null: the kind has no size")
    size_unit: str | None = Field(description="UCUM", examples=["L/h"])
    requested_at: datetime
    requested_by: str
    started_at: datetime | None = Field(description="simulated time, as the two ends")
    ends_at: datetime | None
    stopped_at: datetime | None


class SimulatedDevice(BaseModel):
    """A device that the simulators play."""

    id: int = Field(examples=[17])
    external_id: str = Field(examples=["meter-0017"])
    organisation: str = Field(examples=["demo-water"])
    name: str
    profile: str | None
    kind: str | None


class Simulator(BaseModel):
    """What can be injected, where, and what was."""

    kinds: list[FaultKind]
    devices: list[SimulatedDevice]
    faults: list[Fault] = Field(description="newest first, at most 100")


class NewFault(BaseModel, extra="forbid"):
    """Body of a request for a fault."""

    device_id: int | None = Field(None, ge=1, le=2**31 - 1, description="or `site_id`, exactly one", examples=[17])
    site_id: int | None = Field(None, ge=1, le=2**31 - 1)
    kind: FaultKind
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="`duration_seconds`, and what the kind takes", examples=[{}]
    )


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


class Health(BaseModel):
    """How the whole is doing."""

    status: Literal["ok", "behind"] = Field(description="behind: a consumer of the log is a minute late or more")
    version: str = Field(examples=["0.1.0"])
    edition: str = Field(examples=["postgresql"])
    server_version: str = Field(examples=["18.6"])
    extension_version: str | None
    migrations: list[Migration]
    consumers: list[Consumer]
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
