"""GET /v1/rule-schema and POST /v1/rule-check: what a definition may be, and whether one is, without storing it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from api.access import Viewer
from api.models.rules import EXAMPLE, CheckedRule
from api.parameters import check_storable
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id
from veldwatch.wire.rule_schema import rule_schema

router = APIRouter(prefix="/v1", tags=["rules"])


@router.get("/rule-schema")
def read_schema(bearer: Viewer) -> dict[str, Any]:  # noqa: ARG001  # whoever may read
    """Give the JSON Schema of a definition; what it accepts may still be refused."""
    return rule_schema()


@router.post("/rule-check")
def check_rule(bearer: Viewer, definition: Annotated[dict[str, Any], Body(examples=[EXAMPLE])]) -> CheckedRule:  # noqa: ARG001
    """Read a definition and store nothing; of one that is wrong, say where."""
    check_storable(definition)
    rule = parse_rule(definition)
    return CheckedRule(definition=rule_to_document(rule), version=str(version_id(rule)))
