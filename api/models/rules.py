"""Rules, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

EXAMPLE = {
    "id": "water.low-pressure",
    "title": "Pressure is too low",
    "severity": "major",
    "select": {"organisation": "demo-water", "profile": "pressure-logger"},
    "condition": {"kind": "threshold", "metric": "pressure", "below": 1.5, "dead_band": 0.2},
    "hold_for": "10m",
}


class Rule(BaseModel):
    """A rule with its active version."""

    slug: str = Field(examples=["water.low-pressure"])
    title: str = Field(examples=["Pressure is too low"])
    severity: Literal["info", "minor", "major", "critical"]
    enabled: bool
    version: int = Field(examples=[1])
    definition: dict[str, Any] = Field(description="its canonical form", examples=[EXAMPLE])
    created_at: datetime = Field(description="of the active version")
    created_by: str = Field(examples=["control room"])


class CheckedRule(BaseModel):
    """A definition that may be stored."""

    definition: dict[str, Any] = Field(description="its canonical form", examples=[EXAMPLE])
    version: str = Field(description="the same definition has the same anywhere")
