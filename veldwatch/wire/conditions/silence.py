"""Documents of conditions on when devices are heard."""

from typing import Any

from veldwatch.model.conditions.silence import Absence
from veldwatch.wire.conditions.shapes import DURATION, kind_of
from veldwatch.wire.document_part import DocumentPart


def read_absence(part: DocumentPart) -> Absence:
    """Read an absence."""
    return Absence(silent_for=part.duration("silent_for"))


def absence_schemas() -> list[dict[str, Any]]:
    """Describe an absence."""
    return [kind_of("absence", {"silent_for": DURATION}, ["silent_for"])]
