"""Documents of conditions on when devices are heard."""

from datetime import timedelta
from typing import Any

from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of
from veldwatch.wire.document_part import DocumentPart


def read_absence(part: DocumentPart) -> Absence:
    """Read an absence."""
    return Absence(silent_for=part.duration("silent_for"))


def absence_schemas() -> list[dict[str, Any]]:
    """Describe an absence."""
    return [kind_of("absence", {"silent_for": DURATION}, ["silent_for"])]


def read_area_outage(part: DocumentPart) -> AreaOutage:
    """Read an area outage."""
    return AreaOutage(
        silent_for=part.duration("silent_for"),
        share=part.number_or("share", 0.5, lowest=0.01, highest=1.0),
        at_least=part.whole_or("at_least", 5, lowest=2, highest=1_000_000),
        sites=part.text_or_none("sites"),
        every=part.duration_or("every", timedelta(minutes=1), positive=True),
        forget_after=part.duration_or("forget_after", timedelta(days=2), positive=True),
    )


def area_outage_schemas() -> list[dict[str, Any]]:
    """Describe an area outage."""
    properties: dict[str, Any] = {
        "silent_for": DURATION,
        "share": {"type": "number", "minimum": 0.01, "maximum": 1},
        "at_least": {"type": "integer", "minimum": 2, "maximum": 1_000_000},
        "sites": {**TEXT, "description": "kind of site, such as feeder"},
        "every": DURATION,
        "forget_after": DURATION,
    }
    return [kind_of("area_outage", properties, ["silent_for"])]
