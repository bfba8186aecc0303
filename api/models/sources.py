"""Sources, and what would come of a message, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from veldwatch.wire.source_document import SourceDefinition

OPTIONS_EXAMPLE: dict[str, Any] = {
    "device": "{topic[1]}",
    "time": {"path": "$.at", "format": "%d.%m.%Y %H:%M", "zone": "Africa/Lusaka"},
    "metrics": [
        {"name": "flow_rate", "value": "$.flow", "unit": "L/h"},
        {"name": "valve_open", "value": "$.valve", "values": {"OPEN": 1, "SHUT": 0}},
    ],
}
EXAMPLE: dict[str, Any] = {
    "name": "town-loggers",
    "topic_filter": "town/+/state",
    "decoder": "mapping",
    "options": OPTIONS_EXAMPLE,
    "organisation": "demo-water",
    "register_unknown": True,
    "priority": 50,
    "enabled": True,
}
PAYLOAD_EXAMPLE = '{"at": "22.11.2026 12:00", "flow": 114.5, "valve": "OPEN"}'


class ListedSource(BaseModel):
    """A source, where it comes from, and what came of its messages."""

    name: str = Field(examples=["town-loggers"])
    topic_filter: str = Field(examples=["town/+/state"])
    decoder: str = Field(examples=["mapping"])
    options: dict[str, Any] = Field(examples=[OPTIONS_EXAMPLE])
    organisation: str | None = Field(description="slug; null: as topic or setting say", examples=["demo-water"])
    register_unknown: bool | None = Field(description="null: as the setting `register_unknown_devices`")
    register_as: Literal["pending", "active"] = Field(description="what a device is that registers itself")
    device_pattern: str | None = Field(
        description="regular expression that an identifier must match to be registered", examples=["logger-[0-9]+"]
    )
    registrations_per_hour: int | None = Field(
        description="for each organisation; 0: any number; null: as the setting", examples=[100]
    )
    origin: Literal["database", "settings"] = Field(description="those of the settings are asked last")
    priority: int | None = Field(description="the smallest is asked first; null: of the settings", examples=[50])
    enabled: bool
    fault: str | None = Field(description="why it cannot work; its messages are in quarantine as `source_invalid`")
    updated_at: datetime | None
    updated_by: str | None = Field(examples=["control room"])
    devices: int | None = Field(description="that it registered; null: your token is for one organisation")
    waiting: int | None = Field(description="its messages in quarantine; null: your token is for one organisation")
    last_received_at: datetime | None = Field(description="when it took a message last; null: not lately, or as above")
    messages_per_second: float | None = Field(description="that it takes now; null: as above", examples=[12.5])


class SourceList(BaseModel):
    """The sources in the order in which they are asked, and the decoders that one can name."""

    items: list[ListedSource]
    decoders: list[str] = Field(examples=[["chirpstack", "mapping", "veldwatch"]])


class NewTrial(BaseModel, extra="forbid"):
    """Body of a trial: a source, and a message."""

    source: SourceDefinition | str | None = Field(
        None, description="a definition or a name; none: the source that takes the topic", examples=[EXAMPLE]
    )
    topic: str | None = Field(
        None, max_length=65535, description="none: one that the source takes", examples=["town/logger-7/state"]
    )
    payload_text: str | None = Field(None, examples=[PAYLOAD_EXAMPLE])
    payload_base64: str | None = Field(None, description="in place of the text")
    received_at: datetime | None = Field(None, description="none: now", examples=["2026-11-22T10:00:03Z"])


class TriedDevice(BaseModel):
    """A device that the message names."""

    device: str = Field(examples=["logger-7"])
    state: Literal["active", "pending", "retired", "refused", "new", "unknown", "not_checked"] = Field(
        description="new: would be registered; unknown: not registered, and the source may not register it"
    )


class TriedReading(BaseModel):
    """A reading that would be stored, in the unit of its series."""

    device: str = Field(examples=["logger-7"])
    metric: str = Field(examples=["flow_rate"])
    observed_at: datetime
    value: float = Field(examples=[114.5])
    unit: str | None = Field(examples=["L/h"])
    quality: list[str] = Field(description="what is known about the trust in it", examples=[["time_of_arrival"]])


class TriedPosition(BaseModel):
    """A position that would be stored: degrees, metres, metres per second."""

    device: str
    observed_at: datetime
    longitude: float
    latitude: float
    altitude: float | None
    accuracy: float | None
    speed: float | None
    heading: float | None
    quality: list[str]


class TriedEvent(BaseModel):
    """An event that would be stored."""

    device: str
    observed_at: datetime
    kind: str = Field(examples=["tamper"])
    attributes: dict[str, Any]


class TriedRejection(BaseModel):
    """Why the message, or a part of it, would be in quarantine."""

    reason: str = Field(examples=["bad_value"])
    detail: str = Field(examples=["'flow_rate' at $.flow: 'x' (expected a number)"])


class Tried(BaseModel):
    """What would come of a message; nothing was stored."""

    outcome: Literal["stored", "stored_in_part", "quarantined"]
    source: str | None = Field(description="that takes it; null: none does", examples=["town-loggers"])
    decoder: str | None = Field(examples=["mapping"])
    organisation: str | None = Field(examples=["demo-water"])
    received_at: datetime
    devices: list[TriedDevice]
    online: bool | None = Field(description="what it says of its device; null: nothing")
    readings: list[TriedReading]
    positions: list[TriedPosition]
    events: list[TriedEvent]
    rejections: list[TriedRejection]
    warnings: list[str] = Field(
        description="what is odd about the trial", examples=[["the source is disabled: it takes no message"]]
    )
