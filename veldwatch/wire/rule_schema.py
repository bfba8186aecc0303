"""The JSON Schema of a rule document: what editors complete and check by; `parse_rule` decides.

`docs/reference/rule.schema.json` is this, written by `veldwatch rules schema`; a test keeps them the same, and another
checks that schema and parser agree.
"""

import json
from typing import Any

from veldwatch.model.faults import FAULTS
from veldwatch.model.message_template import MESSAGE_FIELDS
from veldwatch.model.rule import Beginning, FlowKind, GeofenceEvent, Severity
from veldwatch.wire.rule_document import ID_PATTERN

_DURATION: dict[str, Any] = {
    "type": "string",
    "pattern": r"^(?=.*\d)((\d+d)?(\d+h)?(\d+m)?(\d+s)?|P(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?)$",
    "description": "90s, 15m, 24h, 1h30m, 7d, or ISO 8601: PT24H",
}
_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}


def rule_schema() -> dict[str, Any]:
    """Give the schema as a document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Veldwatch rule",
        "type": "object",
        "required": ["id", "title", "severity", "condition"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": ID_PATTERN},
            "title": {**_TEXT, "maxLength": 200},
            "severity": {"enum": [severity.value for severity in Severity]},
            "select": _object(
                {
                    "organisation": _TEXT,
                    "site": {**_TEXT, "description": "slug; devices of the sites below it match too"},
                    "profile": _TEXT,
                    "devices": {**_TEXTS, "description": "external ids, any of them"},
                    "tags": {**_TEXTS, "description": "all of them"},
                }
            ),
            "condition": {
                "oneOf": [_threshold(limit) for limit in ("above", "below", "outside")]
                + [_continuous_flow(), _kind("absence", {"silent_for": _DURATION}, ["silent_for"])]
                + [_geofence(area) for area in ("site", "polygon")]
                + [_immobility()]
            },
            "hold_for": {**_DURATION, "description": "how long it must last; threshold and geofence only"},
            "keep_firing_for": {**_DURATION, "description": "how long it must stay away; not for absence"},
            "message": {**_TEXT, "description": "fields in braces: " + ", ".join(MESSAGE_FIELDS)},
            "runbook": {"type": "string", "pattern": r"^https?://\S+$"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "detects": {
                "type": "array",
                "items": {"enum": list(FAULTS)},
                "description": "kinds of fault that it is there to find; [] where what it tells of is none",
            },
        },
    }


def schema_text() -> str:
    """Write the schema as the file holds it."""
    return json.dumps(rule_schema(), indent=2) + "\n"


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def _kind(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return _object({"kind": {"const": kind}, **properties}, ["kind", *required])


def _threshold(limit: str) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "number"}
    limits: dict[str, Any] = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    properties = {
        "metric": _TEXT,
        limit: limits if limit == "outside" else number,
        "dead_band": {"type": "number", "minimum": 0},
    }
    return _kind("threshold", properties, ["metric", limit])


def _continuous_flow() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "metric": _TEXT,
        "duration": _DURATION,
        "max_gap": _DURATION,
        "of": {"enum": [kind.value for kind in FlowKind]},
        "minimum": {"type": "number", "minimum": 0},
        "beginning": {"enum": [beginning.value for beginning in Beginning]},
    }
    return _kind("continuous_flow", properties, ["metric", "duration"])


def _geofence(area: str) -> dict[str, Any]:
    polygon = {"type": "object", "required": ["type"], "description": "GeoJSON Polygon or MultiPolygon, WGS 84"}
    properties: dict[str, Any] = {
        "event": {"enum": [event.value for event in GeofenceEvent]},
        area: _TEXT if area == "site" else polygon,
        "margin_metres": {"type": "number", "minimum": 0, "maximum": 100_000},
        "max_gap": _DURATION,
    }
    return _kind("geofence", properties, ["event", area])


def _immobility() -> dict[str, Any]:
    properties: dict[str, Any] = {
        "radius_metres": {"type": "number", "minimum": 0.1, "maximum": 100_000},
        "window": _DURATION,
        "share": {"type": "number", "minimum": 0.5, "maximum": 1},
    }
    return _kind("immobility", properties, [])
