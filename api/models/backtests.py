"""Back-tests, as the API takes and shows them."""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from api.models.alerts import Severity
from api.models.rules import EXAMPLE
from api.parameters import Instant, Text, TimeZone


class NewBacktest(BaseModel, extra="forbid"):
    """What is to be tried: a stored rule by its name, or a definition that is stored nowhere."""

    rule: Text | None = Field(default=None, description="slug of a stored rule", examples=["leak"])
    definition: dict[str, Any] | None = Field(
        default=None,
        description="a rule as in PUT /v1/rules; compared with the stored one of its id",
        examples=[EXAMPLE],
    )
    since: Instant = Field(alias="from", description="first moment at which an alert counts")
    until: Instant | None = Field(default=None, alias="to", description="first moment that does not count; none: now")
    time_zone: TimeZone = Field(default="UTC", examples=["Africa/Lusaka"], description="where night is night")

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse both and none.

        Raises:
            ValueError: saying so.
        """
        if (self.rule is None) == (self.definition is None):
            raise ValueError("expected one of rule and definition")
        return self


class BacktestRaise(BaseModel):
    """A severity that would have risen."""

    at: datetime
    severity: Severity


class BacktestAlert(BaseModel):
    """An alert that a version would have raised."""

    id: str
    device: str | None = Field(examples=["meter-17"])
    site: str | None
    organisation: str = Field(examples=["demo-water"])
    metric: str | None = Field(examples=["pressure"])
    state: Literal["pending", "firing", "resolved"]
    opened_at: datetime
    fired_at: datetime
    resolved_at: datetime | None
    severity: Severity | None = Field(default=None, description="the highest that it rose to")
    raises: list[BacktestRaise] = Field(default=[], description="how its severity rose")
    value: float | None
    summary: str
    evidence: dict[str, Any] = Field(description="the readings, fixes or contacts that made it so")


class ComparedAlert(BaseModel):
    """An alert of the draft beside one of the present version."""

    difference: Literal["same", "changed", "new", "gone"] | None = Field(description="none: nothing to compare with")
    draft: BacktestAlert | None
    present: BacktestAlert | None


class PlaceCount(BaseModel):
    """How many alerts a device, or a site, would have had."""

    name: str = Field(examples=["meter-17"])
    count: int


class BacktestFigures(BaseModel):
    """What one version comes to."""

    rule: str
    version: str
    severity: Severity
    subjects: int = Field(description="series, devices or sites that it looked at")
    observations: int = Field(description="that were folded, from the first one stored")
    count: int
    per_week: float | None
    risen: dict[Severity, int] = Field(default={}, description="alerts whose severity rose, by what it rose to")
    at_night: int = Field(description="fired from 22:00 to 06:00 in the time zone asked for")
    share_at_night: float | None = Field(description="none: no alert")
    devices: list[PlaceCount] = Field(description="at most 500, those with most alerts first")
    devices_with_alerts: int


class Changes(BaseModel):
    """How many alerts stand in which relation."""

    same: int
    changed: int
    new: int
    gone: int


class ToldReceiver(BaseModel):
    """Who would be told, as receivers are today."""

    receiver: str = Field(examples=["control-room"])
    organisation: str | None = Field(description="none: alerts of every organisation")
    channel: str = Field(examples=["email"])
    minimum_severity: Severity
    alerts: int = Field(description="of the draft that it would be told of")
    present_alerts: int | None
    messages: int = Field(default=0, description="that it would have got of their beginnings and raises")
    present_messages: int | None = None
    kept_back: dict[str, int] = Field(
        default={}, description="news that nobody is told, by the reason", examples=[{"silenced": 2, "inhibited": 14}]
    )
    waited: dict[str, int] = Field(
        default={},
        description="alerts told later, or not yet at the end, by the reason",
        examples=[{"off_schedule": 3}],
    )
    why_not: Literal["disabled", "severity"] | None = Field(description="why it is told of none")


class BacktestResult(BaseModel):
    """What came of a back-test."""

    draft: BacktestFigures
    present: BacktestFigures | None = Field(description="of the active version; none: there is none, or it is the same")
    changes: Changes | None
    told: list[ToldReceiver]
    not_regarded: list[Literal["arrival", "other_rules", "people", "today"]] = Field(
        default=[],
        description="of who is told: when data came; the alerts of other rules; what people did to alerts; that"
        " receivers, silences, the calendar and places are those of today",
    )
    total: int = Field(description="rows that there are")
    listed: int = Field(description="rows that are listed, the first by when they fired")
    alerts: list[ComparedAlert]


class Backtest(BaseModel):
    """A back-test and how far it is."""

    id: int
    organisation: str | None = Field(description="whose devices it looks at; none: everybody's")
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    since: datetime = Field(serialization_alias="from")
    until: datetime = Field(serialization_alias="to")
    time_zone: str
    requested_by: str
    requested_at: datetime
    state: Literal["waiting", "running", "finished", "cancelled", "failed"]
    done: int = Field(description="subjects that are folded")
    total: int | None = Field(description="subjects that there are; none: not known yet")
    observations: int
    started_at: datetime | None = Field(description="when it was taken up, the last time")
    finished_at: datetime | None
    result: BacktestResult | None = Field(description="none: not finished, or in a list")
    error: str | None = Field(description="failed: why")
