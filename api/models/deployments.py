"""Subjects and deployments, as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.parameters import DatabaseId, Instant, Text


class OnIt(BaseModel):
    """A device that is on a subject."""

    device_id: int = Field(examples=[23])
    device: str = Field(examples=["collar-03"])


class Subject(BaseModel):
    """What devices are on: an animal, a service point, a pump."""

    id: int = Field(examples=[5])
    slug: str = Field(examples=["tembo"])
    organisation: str = Field(examples=["demo-wildlife"])
    name: str = Field(examples=["Tembo"])
    kind: str = Field(examples=["animal"])
    species: str | None = Field(examples=["Loxodonta africana"])
    maximum_speed: float | None = Field(description="m/s, of this one; null: its species'")
    speed_limit: float | None = Field(description="m/s: what its fixes are judged by", examples=[12])
    devices: list[OnIt] = Field(description="that are on it now")


class SubjectBody(BaseModel, extra="forbid"):
    """Body of a subject."""

    organisation: Text | None = Field(None, description="slug; none: your token's")
    name: Text | None = Field(None, description="none: the slug")
    kind: Text = Field(examples=["animal"])
    species: Text | None = Field(None, description="scientific name, or the common name of a known species")
    maximum_speed: float | None = Field(None, gt=0, le=10_000, description="m/s")


class Deployment(BaseModel):
    """A device on a subject during a time."""

    id: int = Field(examples=[9])
    device_id: int = Field(examples=[23])
    device: str = Field(examples=["collar-03"])
    subject: str = Field(examples=["tembo"])
    subject_name: str = Field(examples=["Tembo"])
    kind: str = Field(description="the subject's", examples=["animal"])
    species: str | None
    organisation: str = Field(examples=["demo-wildlife"])
    since: datetime | None = Field(description="null: ever since")
    until: datetime | None = Field(description="first moment at which it is not on it any more; null: it lasts")


class DeploymentList(BaseModel):
    """Deployments, newest first; at most 1000."""

    items: list[Deployment]


class NewDeployment(BaseModel, extra="forbid"):
    """Body of a deployment."""

    subject: Text = Field(description="slug, of the device's organisation", examples=["tembo"])
    since: Instant | None = Field(None, description="none: ever since; with `move`: now")
    until: Instant | None = Field(None, description="none: it lasts")
    move: bool = Field(False, description="end what it is on until then; else an overlap is refused")


class DeploymentRange(BaseModel, extra="forbid"):
    """Body of a correction."""

    since: Instant | None = Field(description="null: ever since")
    until: Instant | None = Field(description="null: it lasts")


class DeploymentEnd(BaseModel, extra="forbid"):
    """Body of an end."""

    at: Instant | None = Field(None, description="none: now")


class Exchange(BaseModel, extra="forbid"):
    """Body of an exchange: a new meter in the place of an old one."""

    device_id: DatabaseId = Field(description="that is there", examples=[17])
    by_device_id: DatabaseId = Field(description="that takes its place", examples=[18])
    at: Instant | None = Field(None, description="none: now")
