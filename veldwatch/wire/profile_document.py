"""A profile as operators write it: YAML or JSON, one or several; with usual devices that come with Veldwatch.

A counter's width is said as the figures that its register shows (`register_digits`, before the point) or as the value
at which it starts again (`register_modulus`), in `register_unit`; a profile keeps it in the metric's unit.
"""

from pathlib import Path
from typing import Any, Literal, cast

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.register import Profile, ProfileMetric
from veldwatch.wire.durations import parse_duration
from veldwatch.wire.units import canonical, conversion

BUNDLED = Path(__file__).parents[1] / "profiles" / "bundled.yaml"


class MetricDocument(BaseModel, frozen=True, extra="forbid"):
    """One metric."""

    metric: str = Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$", examples=["volume"])
    unit: str = Field(description="UCUM code, or one of RFC 8428 where UCUM has none", examples=["m3"])
    kind: Literal["gauge", "counter"] = "gauge"
    register_digits: int | None = Field(
        None, ge=1, le=15, description="figures that a counter shows before the point", examples=[5]
    )
    register_modulus: float | None = Field(None, gt=0, description="in place of the figures: where it starts again")
    register_unit: str | None = Field(None, description="of figures or modulus; none: the metric's", examples=["m3"])
    minimum: float | None = Field(None, allow_inf_nan=False, description="smallest plausible value", examples=[0])
    maximum: float | None = Field(None, allow_inf_nan=False, description="largest plausible value")
    range_source: str = Field("", max_length=500, description="where the range comes from", examples=["data sheet"])

    @field_validator("unit", "register_unit")
    @classmethod
    def check_unit(cls, unit: str | None) -> str | None:
        """Write a unit as UCUM does.

        Raises:
            ValueError: nobody knows it.
        """
        known = None if unit is None else canonical(unit)
        if unit is not None and known is None:
            raise ValueError(f"unknown unit {unit!r} (expected a UCUM code)")
        return known

    @model_validator(mode="after")
    def check_whole(self) -> "MetricDocument":
        """Refuse what contradicts itself.

        Raises:
            ValueError: saying what.
        """
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.register_digits is not None and self.register_modulus is not None:
            raise ValueError("register_digits and register_modulus (expected one of them)")
        if self.kind == "gauge" and (self.register_digits, self.register_modulus) != (None, None):
            raise ValueError("a gauge has no register (expected kind: counter)")
        self.modulus()
        return self

    def modulus(self) -> float | None:
        """Give the width of the register in the metric's unit.

        Raises:
            ValueError: the register's unit measures something else.
        """
        wide = self.register_modulus if self.register_digits is None else float(10**self.register_digits)
        if wide is None or self.register_unit is None:
            return wide
        try:
            return conversion(self.register_unit, self.unit).apply(wide)
        except MessageRejected as error:
            raise ValueError(f"register_unit: {error.detail}") from error


class ProfileDocument(BaseModel, frozen=True, extra="forbid"):
    """A kind of device."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["water-meter-domestic"])
    name: str = Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$", examples=["Domestic water meter"])
    kind: Literal["meter", "sensor", "gateway", "tracker"]
    description: str = Field("", max_length=2000, pattern=r"^[^\x00]*$")
    expected_interval: float | str | None = Field(
        None, description="how often it is heard: seconds, or text like `15m`", examples=["1h"]
    )
    maximum_speed: float | None = Field(
        None, gt=0, description="m/s, of a device that is on no subject with a limit of its own"
    )
    metrics: tuple[MetricDocument, ...] = ()

    @model_validator(mode="after")
    def check_whole(self) -> "ProfileDocument":
        """Refuse what makes no sense.

        Raises:
            ValueError: saying what.
        """
        names = [metric.metric for metric in self.metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"metrics {twice} are there twice (expected each name once)")
        self.profile()
        return self

    def profile(self) -> Profile:
        """Give what the register keeps.

        Raises:
            ValueError: the interval is none.
        """
        interval = self.expected_interval
        text = f"{round(interval)}s" if isinstance(interval, (int, float)) else interval
        return Profile(
            slug=self.slug,
            name=self.name,
            kind=self.kind,
            description=self.description,
            expected_interval=None if text is None else parse_duration(text),
            maximum_speed=self.maximum_speed,
            metrics=tuple(
                ProfileMetric(
                    metric=metric.metric,
                    unit=metric.unit,
                    kind=metric.kind,
                    register_modulus=metric.modulus(),
                    minimum=metric.minimum,
                    maximum=metric.maximum,
                    range_source=metric.range_source,
                )
                for metric in self.metrics
            ),
        )


def read_profiles(text: str) -> list[Profile]:
    """Read a file: one profile, a list of them, or a mapping with such a list under `profiles`.

    Raises:
        ConfigurationInvalid: it is not YAML, or a profile in it is wrong.
    """
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"not YAML: {error}") from error
    if isinstance(content, dict) and "profiles" in content:
        content = cast("dict[str, Any]", content)["profiles"]
    listed: list[Any] = cast("list[Any]", content) if isinstance(content, list) else [content]
    return [_profile(document) for document in listed]


def bundled_profiles() -> list[Profile]:
    """Read the profiles that come with Veldwatch."""
    return read_profiles(BUNDLED.read_text(encoding="utf-8"))


def _profile(document: Any) -> Profile:  # noqa: ANN401  # whatever the file holds
    name: object = cast("dict[str, Any]", document).get("slug") if isinstance(document, dict) else ""
    try:
        return ProfileDocument.model_validate(cast("object", document)).profile()
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigurationInvalid(f"profile {name!r}: {said}") from error
