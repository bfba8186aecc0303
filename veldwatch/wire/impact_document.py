"""A rule's `impact` block, read and written; its JSON Schema.

`water: value` is short for `water: {of: value}`.
"""

from typing import Any

from veldwatch.model.impact import Flow, Impact, Source
from veldwatch.wire.conditions.shapes import TEXT, object_of
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.units import is_known

_FLOWS = ("water", "energy")


def read_impact(part: DocumentPart) -> Impact:
    """Read the block.

    Raises:
        RuleInvalid: saying the path, the value and what was expected.
    """
    people = part.raw("people")
    if people not in (None, True, False):
        raise part.wrong("people", people, "expected true or false")
    impact = Impact(
        water=_flow(part, "water"),
        energy=_flow(part, "energy"),
        people=bool(people),
        money_per_hour=part.number("money_per_hour", lowest=0) if part.has("money_per_hour") else None,
    )
    part.done()
    return impact


def write_impact(impact: Impact) -> dict[str, Any]:
    """Write the block in its canonical form: defaults left out."""
    written: dict[str, Any] = {}
    for name, flow in (("water", impact.water), ("energy", impact.energy)):
        if flow is not None:
            said = {"of": flow.of.value, "unit": flow.unit, "metric": flow.metric, "rate": flow.rate}
            written[name] = {key: value for key, value in said.items() if value is not None}
            if flow.above_usual:
                written[name]["minus"] = Source.USUAL.value
    if impact.people:
        written["people"] = True
    if impact.money_per_hour is not None:
        written["money_per_hour"] = impact.money_per_hour
    return written


def impact_schema() -> dict[str, Any]:
    """Give the block's JSON Schema."""
    unit = {**TEXT, "description": "a UCUM code"}
    of_value = object_of({"of": {"const": "value"}, "unit": unit, "minus": {"const": "usual"}}, ["of"])
    of_usual = object_of({"of": {"const": "usual"}, "metric": TEXT}, ["of"])
    of_rate = object_of(
        {"of": {"const": "rate"}, "rate": {"type": "number", "minimum": 0}, "unit": unit}, ["of", "rate"]
    )
    flow = {"oneOf": [{"enum": ["value", "usual"]}, of_value, of_usual, of_rate]}
    return {
        **object_of(
            {
                "water": flow,
                "energy": flow,
                "people": {"type": "boolean", "description": "who depends on its device or site is concerned"},
                "money_per_hour": {"type": "number", "minimum": 0, "description": "in the organisation's currency"},
            }
        ),
        "description": "how to estimate what an alert is about, each hour",
    }


def _flow(part: DocumentPart, key: str) -> Flow | None:
    if not part.has(key):
        return None
    if isinstance(part.raw(key), str):
        source = part.choice(key, Source)
        if source is Source.RATE:
            raise part.wrong(key, source.value, "expected a mapping with its rate")
        return Flow(of=source)
    flow = part.part(key)
    source = flow.choice("of", Source)
    read = Flow(
        of=source,
        unit=flow.text_or_none("unit", _check_unit) if source is not Source.USUAL else None,
        above_usual=source is Source.VALUE and flow.has("minus") and _is_usual(flow),
        metric=flow.text_or_none("metric") if source is Source.USUAL else None,
        rate=flow.number("rate", lowest=0) if source is Source.RATE else None,
    )
    flow.done()
    return read


def _is_usual(flow: DocumentPart) -> bool:
    if flow.raw("minus") != Source.USUAL.value:
        raise flow.wrong("minus", flow.raw("minus"), "expected usual")
    return True


def _check_unit(text: str) -> str | None:
    return None if is_known(text) else "expected a UCUM code such as L/h or kW"
