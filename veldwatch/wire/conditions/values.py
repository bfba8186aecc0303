"""Documents of conditions on the values of one series."""

from typing import Any

from veldwatch.model.conditions.values import Threshold
from veldwatch.wire.conditions.shapes import TEXT, kind_of
from veldwatch.wire.document_part import DocumentPart


def read_threshold(part: DocumentPart) -> Threshold:
    """Read a threshold."""
    limit = part.one_of("above", "below", "outside")
    condition = Threshold(
        metric=part.text("metric"),
        above=part.number("above") if limit == "above" else None,
        below=part.number("below") if limit == "below" else None,
        outside=part.limits("outside") if limit == "outside" else None,
        dead_band=part.number_or("dead_band", 0.0, lowest=0.0),
    )
    if condition.outside is not None and 2 * condition.dead_band >= condition.outside[1] - condition.outside[0]:
        raise part.wrong("dead_band", condition.dead_band, "expected less than half the range, or it never ends")
    return condition


def threshold_schemas() -> list[dict[str, Any]]:
    """Describe a threshold, by the limit that is given."""
    return [_threshold(limit) for limit in ("above", "below", "outside")]


def _threshold(limit: str) -> dict[str, Any]:
    number: dict[str, Any] = {"type": "number"}
    limits: dict[str, Any] = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
    properties = {
        "metric": TEXT,
        limit: limits if limit == "outside" else number,
        "dead_band": {"type": "number", "minimum": 0},
    }
    return kind_of("threshold", properties, ["metric", limit])
