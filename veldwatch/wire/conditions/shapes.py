"""Parts that JSON Schemas of conditions are made of."""

from typing import Any

DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(?=.*\d)((\d+d)?(\d+h)?(\d+m)?(\d+s)?|P(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$",
    "description": "90s, 15m, 24h, 1h30m, 7d, or ISO 8601: PT24H",
}
TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def object_of(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    """Describe an object with these properties and no others."""
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def kind_of(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """Describe a condition of a kind."""
    return object_of({"kind": {"const": kind}, **properties}, ["kind", *required])
