"""Documents of conditions on what flows."""

from datetime import timedelta
from typing import Any

from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind, NightFlow
from veldwatch.wire.conditions.shapes import DURATION, TEXT, TIME_OF_DAY, check_time_of_day, check_zone, kind_of
from veldwatch.wire.document_part import DocumentPart


def read_continuous_flow(part: DocumentPart) -> ContinuousFlow:
    """Read a continuous flow."""
    return ContinuousFlow(
        metric=part.text("metric"),
        duration=part.duration("duration"),
        max_gap=part.duration_or("max_gap", timedelta(hours=2), positive=True),
        of=part.choice("of", FlowKind, FlowKind.REGISTER),
        minimum=part.number_or("minimum", 0.0, lowest=0.0),
        beginning=part.choice("beginning", Beginning, Beginning.SEEN),
    )


def read_night_flow(part: DocumentPart) -> NightFlow:
    """Read a minimum night flow."""
    flow = NightFlow(
        metric=part.text("metric"),
        of=part.choice("of", FlowKind, FlowKind.RATE),
        since=part.text_or_none("since", check_time_of_day) or "02:00",
        until=part.text_or_none("until", check_time_of_day) or "04:00",
        time_zone=part.text_or_none("time_zone", check_zone) or "UTC",
        above=part.number("above", lowest=0.0) if part.has("above") else None,
        share=part.number("share", lowest=0.01) if part.has("share") else None,
        at_least=part.number_or("at_least", 0.0, lowest=0.0),
        nights=part.whole_or("nights", 14, lowest=3, highest=60),
        learn_nights=part.whole_or("learn_nights", 7, lowest=3, highest=60),
        for_nights=part.whole_or("for_nights", 2, lowest=1, highest=14),
        relearn_nights=part.whole_or("relearn_nights", 60, lowest=2, highest=730),
    )
    if flow.above is None and flow.share is None:
        raise part.wrong("above", None, "expected above, share or both")
    if flow.since == flow.until:
        raise part.wrong("until", flow.until, "expected another time than since")
    if flow.learn_nights > flow.nights:
        raise part.wrong("learn_nights", flow.learn_nights, f"expected no more than nights, {flow.nights}")
    return flow


def night_flow_schemas() -> list[dict[str, Any]]:
    """Describe a minimum night flow."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "of": {"enum": [kind.value for kind in FlowKind]},
        "since": TIME_OF_DAY,
        "until": TIME_OF_DAY,
        "time_zone": TEXT,
        "above": {"type": "number", "minimum": 0},
        "share": {"type": "number", "minimum": 0.01},
        "at_least": {"type": "number", "minimum": 0},
        "nights": {"type": "integer", "minimum": 3, "maximum": 60},
        "learn_nights": {"type": "integer", "minimum": 3, "maximum": 60},
        "for_nights": {"type": "integer", "minimum": 1, "maximum": 14},
        "relearn_nights": {"type": "integer", "minimum": 2, "maximum": 730},
    }
    schema = kind_of("night_flow", properties, ["metric"])
    return [{**schema, "anyOf": [{"required": ["above"]}, {"required": ["share"]}]}]


def continuous_flow_schemas() -> list[dict[str, Any]]:
    """Describe a continuous flow."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "duration": DURATION,
        "max_gap": DURATION,
        "of": {"enum": [kind.value for kind in FlowKind]},
        "minimum": {"type": "number", "minimum": 0},
        "beginning": {"enum": [beginning.value for beginning in Beginning]},
    }
    return [kind_of("continuous_flow", properties, ["metric", "duration"])]
