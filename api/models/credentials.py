"""Credentials of devices and gateways as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.parameters import Instant, Text

TopicFilter = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Credential(BaseModel):
    """What lets a device or a gateway in; never with anything that would let one in."""

    id: int = Field(examples=[17])
    organisation: str = Field(examples=["kasama-water"])
    kind: Literal["password", "certificate"]
    username: str = Field(
        description="name at the broker and over HTTP; of a certificate: its subject",
        examples=["meter-0017-a1b2c3d4e5"],
    )
    state: Literal["valid", "expired", "revoked"]
    devices: list[str] = Field(description="external ids of those that it speaks for", examples=[["meter-0017"]])
    publish: list[str] = Field(description="topic filters beside its devices' own", examples=[["application/#"]])
    subscribe: list[str] = Field(description="as publish, of what it may hear", examples=[[]])
    note: str = Field(examples=["spare in the van"])
    created_at: datetime
    created_by: str = Field(examples=["control room"])
    valid_until: datetime | None = Field(description="null: until it is revoked")
    revoked_at: datetime | None
    revoked_by: str | None
    successor_id: int | None = Field(description="of the one that took its place when it was rotated")


class IssuedCredential(Credential):
    """A credential that was just made: the only answer that ever holds its secret."""

    secret: str | None = Field(description="shown this once; null for a certificate", examples=["vd_..."])
    mqtt_host: str = Field(description="as devices reach the broker", examples=["mqtt.example.org"])
    mqtt_port: int = Field(examples=[8883])
    mqtt_tls: bool


class _Wanted(BaseModel):
    model_config = {"extra": "forbid"}

    subject: str | None = Field(
        None,
        max_length=512,
        description="of a certificate, RFC 2253; unset: a secret is made",
        examples=["CN=meter-0017"],
    )
    note: str = Field("", max_length=256, examples=["spare in the van"])
    publish: list[TopicFilter] = Field([], max_length=1000, examples=[["owntracks/anna/phone"]])
    subscribe: list[TopicFilter] = Field([], max_length=1000)
    valid_until: Instant | None = None


class NewDeviceCredential(_Wanted):
    """A credential of one device."""


class NewCredential(_Wanted):
    """A credential of several devices, or of a gateway with topics of its own."""

    organisation: Text | None = Field(None, description="slug; unset: the token's own")
    devices: list[Text] = Field([], max_length=1000, description="external ids", examples=[["meter-0017"]])


class Rotation(BaseModel):
    """How long the old one still lets in."""

    model_config = {"extra": "forbid"}

    old_valid_until: Instant | None = Field(None, description="unset: 24 h from now")
