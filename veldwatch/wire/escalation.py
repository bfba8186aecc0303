"""Severities that rise, in a rule document: `escalate`, a list of steps."""

from typing import Any

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.area import Balance, Neighbours
from veldwatch.model.conditions.composite import Calculated
from veldwatch.model.conditions.kinds import kind_of
from veldwatch.model.conditions.values import RateOfChange, Threshold, ValueChange
from veldwatch.model.notifications import SEVERITIES
from veldwatch.model.rule import Escalation, Rule, Severity
from veldwatch.wire.conditions.shapes import DURATION, object_of
from veldwatch.wire.document_part import DocumentPart

WORSENING = (Threshold, RateOfChange, ValueChange, Calculated, Balance, Neighbours)
"""Conditions whose value is known while they hold, so that it can get worse."""


def read_escalation(part: DocumentPart) -> tuple[Escalation, ...]:
    """Read the steps of a rule; absent: none.

    Raises:
        RuleInvalid: a step asks for nothing, or for two levels.
    """
    steps: list[Escalation] = []
    for item in part.parts("escalate"):
        step = Escalation(
            severity=item.choice("severity", Severity),
            after=item.duration("after") if item.has("after") else None,
            above=item.number("above") if item.has("above") else None,
            below=item.number("below") if item.has("below") else None,
        )
        if step.above is not None and step.below is not None:
            raise item.wrong("below", step.below, "expected above or below, not both")
        if step.after is None and step.above is None and step.below is None:
            raise RuleInvalid(f"missing {item.at('after')} (expected after, above or below)")
        item.done()
        steps.append(step)
    return tuple(steps)


def check_escalation(rule: Rule) -> None:
    """Refuse steps that could never count.

    Raises:
        RuleInvalid: a step does not raise the severity, or names a level of a condition that has none.
    """
    for number, step in enumerate(rule.escalate):
        at = f"escalate[{number}]"
        if SEVERITIES.index(step.severity.value) <= SEVERITIES.index(rule.severity.value):
            raise RuleInvalid(f"bad {at}.severity: {step.severity.value!r} (expected more than {rule.severity.value})")
        if (step.above is None and step.below is None) or isinstance(rule.condition, WORSENING):
            continue
        name = "above" if step.above is not None else "below"
        raise RuleInvalid(f"bad {at}.{name}: not for {kind_of(rule.condition)} (expected after)")


def escalation_schema() -> dict[str, Any]:
    """Describe the steps."""
    number = {"type": "number"}
    step = object_of(
        {
            "severity": {"enum": list(SEVERITIES[1:])},
            "after": {**DURATION, "description": "how long it has fired"},
            "above": {**number, "description": "the condition's value is above this"},
            "below": {**number, "description": "the condition's value is below this"},
        },
        ["severity"],
    )
    return {
        "type": "array",
        "items": {**step, "anyOf": [{"required": [name]} for name in ("after", "above", "below")]},
        "description": "steps that raise the severity while it holds: all that a step names must be so",
    }
