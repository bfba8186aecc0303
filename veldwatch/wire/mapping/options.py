"""What a source may tell the mapping decoder. The published schema is made from these structs.

Print it with `python -m veldwatch.wire.mapping.options`; `docs/reference/mapping.schema.json` holds it.
"""

import inspect
import json
import sys
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Scalar = str | int | float | bool
PathText = Annotated[str, Meta(description="JSONPath: `$` is the document, `@` the item at hand", min_length=1)]
TemplateText = Annotated[
    str,
    Meta(
        description="a JSONPath, or text with {$.path}, {@.path}, {topic}, {topic[N]} or {key} in braces", min_length=1
    ),
]


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on the message."""

    path: PathText
    equals: Annotated[
        Scalar | list[Scalar] | UnsetType, Meta(description="one of these; unset: anything but null or absent")
    ] = UNSET


class Time(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When it happened."""

    path: Annotated[TemplateText, Meta(description="where the time is; a template may join a date and a time")]
    format: Annotated[
        str,
        Meta(
            description="auto (ISO 8601, or a number since 1970 in s, ms, us or ns, told apart by its size), iso, s,"
            " ms, us, ns, or a format of strptime such as %d.%m.%Y %H:%M"
        ),
    ] = "auto"
    zone: Annotated[
        str | None, Meta(description="of times without an offset: Africa/Lusaka, UTC, +02:00; unset: they are refused")
    ] = None
    missing: Annotated[
        Literal["reject", "arrival"],
        Meta(description="what stands for a time that is absent, empty, or of a clock that was never set"),
    ] = "reject"


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number of the message, or of each item, and what it is."""

    name: Annotated[TemplateText, Meta(description="of the metric")]
    value: PathText
    unit: Annotated[
        str | None, Meta(description="a UCUM code (m3, Cel, kWh), or a JSONPath to one; unset: the series' own")
    ] = None
    scale: Annotated[float, Meta(description="the value is multiplied by it")] = 1.0
    offset: Annotated[float, Meta(description="and this is added then")] = 0.0
    values: Annotated[
        dict[str, float], Meta(description='numbers for words: {"ON": 1, "OFF": 0}; true and false are 1 and 0 anyway')
    ] = {}
    implausible: Annotated[
        list[Scalar] | UnsetType,
        Meta(
            description="values as sent that mean a fault of the sensor (-127, 85): stored, and marked; unset: those"
            " that are usual for the kind of quantity; []: none"
        ),
    ] = UNSET
    ignore: Annotated[list[Scalar], Meta(description="values as sent that mean that there is none: not stored")] = []
    required: Annotated[bool, Meta(description="its absence goes to quarantine")] = False
    when: Annotated[When | None, Meta(description="only then")] = None


class PositionOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fix: degrees of WGS 84."""

    longitude: PathText
    latitude: PathText
    altitude: PathText | None = None
    accuracy: Annotated[PathText | None, Meta(description="metres")] = None
    speed: PathText | None = None
    heading: Annotated[PathText | None, Meta(description="degrees from north, clockwise")] = None
    altitude_unit: Annotated[str, Meta(description="UCUM")] = "m"
    speed_unit: Annotated[str, Meta(description="UCUM: m/s, km/h, [kn_i] ...")] = "m/s"
    when: Annotated[When | None, Meta(description="only then: many receivers say whether they have a fix")] = None


class EventOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A discrete thing that happened."""

    kind: TemplateText
    when: Annotated[When | None, Meta(description="only then; unset: with every item that has the kind")] = None
    attributes: Annotated[dict[str, PathText], Meta(description="name to path; what is absent is left out")] = {}


class MappingOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How any JSON becomes readings, positions and events.

    With neither `metrics`, `position` nor `events`, every number of the document becomes a metric (`flatten`).
    """

    payload: Annotated[
        Literal["json", "text"], Meta(description="text: the payload is one bare value, which `$` gives")
    ] = "json"
    items: Annotated[
        str | None,
        Meta(
            description="JSONPath to an array, or to several values: each is an item with a time and values of its own"
        ),
    ] = None
    device: Annotated[TemplateText, Meta(description="the device's own identifier")] = "{topic}"
    organisation: Annotated[
        str | None, Meta(description="a template of {topic[N]} that names the organisation; unset: the source's")
    ] = None
    time: Annotated[str | Time, Meta(description="arrival, a JSONPath, or an object")] = "arrival"
    metrics: list[Metric] = []
    position: PositionOptions | None = None
    events: list[EventOptions] = []
    flatten: Annotated[
        bool | None,
        Meta(
            description="every number that is not named above becomes a metric under its dotted name, and a latitude"
            " beside a longitude a fix; unset: where nothing is named above"
        ),
    ] = None
    allow_empty: Annotated[
        bool, Meta(description="a message that holds none of it is a sign of life, not one for quarantine")
    ] = False


def options_schema() -> dict[str, Any]:
    """Give the JSON Schema of the options."""
    schema = msgspec.json.schema(MappingOptions)
    for each in schema["$defs"].values():
        each["description"] = inspect.cleandoc(each["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Options of the decoder `mapping`",
        **schema,
    }


def schema_text() -> str:
    """Write the schema as `docs/reference/mapping.schema.json` holds it."""
    return json.dumps(options_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
