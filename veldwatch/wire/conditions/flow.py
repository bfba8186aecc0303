"""Documents of conditions on what flows."""

from datetime import timedelta
from typing import Any

from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of
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
