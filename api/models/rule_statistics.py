"""What became of a rule's alerts, as the API shows it."""

from datetime import datetime

from pydantic import BaseModel, Field


class Place(BaseModel):
    """A device or site with alerts of the rule."""

    organisation: str = Field(examples=["demo-water"])
    device: str | None = Field(description="null: the alerts are about a whole site", examples=["meter-0017"])
    device_id: int | None
    name: str | None = Field(examples=["Mulenga Road 4"])
    site: str | None = Field(examples=["upper-zone"])
    alerts: int
    false_alarms: int


class RuleStatistics(BaseModel):
    """Alerts of all versions of a rule that fired within a stretch; people's times count from when it was recorded."""

    rule: str = Field(examples=["water.continuous-flow"])
    since: datetime
    until: datetime
    time_zone: str = Field(examples=["Africa/Lusaka"])
    alerts: int
    per_week: float
    still_firing: int
    late: int = Field(description="history already when they were recorded")
    retracted: int = Field(description="not counted above: late data showed that they never were")
    raised: int = Field(description="their severity rose")
    places: int = Field(description="different devices and sites")
    median_seconds: float | None = Field(description="how long they held, of those that are over")
    longest_seconds: float | None
    acknowledged: int
    share_acknowledged: float | None
    median_seconds_to_acknowledge: float | None
    median_seconds_to_resolve: float | None = Field(description="from firing to the end that the data tell")
    resolved_by_hand: int
    median_seconds_to_resolve_by_hand: float | None
    resolutions: dict[str, int] = Field(description="verdicts by reason", examples=[{"fixed": 4, "false_alarm": 1}])
    false_alarms: int
    share_false: float | None = Field(description="of those resolved by hand")
    at_night: int = Field(description="fired from ten in the evening to six")
    share_at_night: float | None
    top: list[Place] = Field(description="with most alerts, ten at most")
