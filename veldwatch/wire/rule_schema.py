"""The JSON Schema of a rule document: what editors complete and check by; `parse_rule` decides.

`docs/reference/rule.schema.json` is this, written by `veldwatch rules schema`; a test keeps them the same, and another
checks that schema and parser agree.
"""

import json
from typing import Any

from veldwatch.model.faults import FAULTS
from veldwatch.model.message_template import MESSAGE_FIELDS
from veldwatch.model.rule import Explains, Severity
from veldwatch.wire.conditions.composite import part_schema
from veldwatch.wire.conditions.registry import FORMS
from veldwatch.wire.conditions.shapes import DURATION, TEXT, TEXTS, object_of
from veldwatch.wire.escalation import escalation_schema
from veldwatch.wire.impact_document import impact_schema
from veldwatch.wire.rule_document import ID_PATTERN
from veldwatch.wire.schedule import schedule_schema


def rule_schema() -> dict[str, Any]:
    """Give the schema as a document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Veldwatch rule",
        "$defs": {"part": part_schema()},
        "type": "object",
        "required": ["id", "title", "severity", "condition"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "pattern": ID_PATTERN},
            "title": {**TEXT, "maxLength": 200},
            "severity": {"enum": [severity.value for severity in Severity]},
            "select": object_of(
                {
                    "organisation": TEXT,
                    "site": {**TEXT, "description": "slug; devices of the sites below it match too"},
                    "profile": TEXT,
                    "devices": {**TEXTS, "description": "external ids, any of them"},
                    "tags": {**TEXTS, "description": "all of them"},
                }
            ),
            "condition": {"oneOf": [schema for form in FORMS.values() for schema in form.schemas()]},
            "hold_for": {**DURATION, "description": "how long it must last; threshold and geofence only"},
            "keep_firing_for": {**DURATION, "description": "how long it must stay away; not for absence"},
            "escalate": escalation_schema(),
            "message": {**TEXT, "description": "fields in braces: " + ", ".join(MESSAGE_FIELDS)},
            "runbook": {"type": "string", "pattern": r"^(https?://|docs/)\S+$"},
            "reason": {**TEXT, "maxLength": 2000, "description": "why one should care, shown with its alerts"},
            "source": {
                **TEXT,
                "maxLength": 2000,
                "description": "where the method is from, shown with its alerts",
            },
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "impact": impact_schema(),
            "schedule": {**schedule_schema(), "description": "when people are told; what still holds then"},
            "detects": {
                "type": "array",
                "items": {"enum": list(FAULTS)},
                "description": "kinds of fault that it is there to find; [] where what it tells of is none",
            },
            "explains": {
                "enum": [explains.value for explains in Explains],
                "description": "whose silence its alerts explain, which is then not told",
            },
        },
    }


def schema_text() -> str:
    """Write the schema as the file holds it."""
    return json.dumps(rule_schema(), indent=2) + "\n"
