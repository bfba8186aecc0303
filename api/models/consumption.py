"""What registers counted, as the API shows it."""

from datetime import datetime

from pydantic import BaseModel, Field


class Consumption(BaseModel):
    """What was counted in one stretch of time, of one series or on one subject."""

    bucket: datetime = Field(description="when it begins")
    until: datetime = Field(description="when it ends")
    device: str | None = Field(description="null: a subject, whichever device was on it", examples=["meter-0017"])
    device_id: int | None = Field(examples=[17])
    series_id: int | None = Field(examples=[41])
    subject: str | None = Field(examples=["plot-12"])
    metric: str = Field(examples=["volume"])
    unit: str = Field(examples=["m3"])
    amount: float = Field(description="never negative", examples=[0.42])
    excess: float = Field(description="beyond what the register can count; never part of `amount`", examples=[0.0])
    codes: list[str] = Field(
        description="what was done to the amount: rollover, reset, exchange, fall, gap, estimated, implausible,"
        " suspected_rollover; empty: differences of readings",
        examples=[["rollover"]],
    )
    readings: int = Field(description="that ended in it", examples=[4])
