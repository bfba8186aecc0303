"""What a codec made of the bytes of a LoRaWAN device, as parts of a message: the same behind each network server."""

from datetime import datetime

from veldwatch.wire import sensecap
from veldwatch.wire.codec_objects import flatten, is_identity
from veldwatch.wire.collected import Collected
from veldwatch.wire.values import JsonObject


def collect(parts: Collected, content: JsonObject, received_at: datetime) -> None:
    """Add values under flattened names, and a fix where there is one; measurements of SenseCAP's under their own."""
    rest = sensecap.collect(parts, content, received_at)
    parts.places(rest)
    for measured in flatten(rest):
        if not is_identity(measured):
            parts.reading(measured.name, measured.value, measured.unit)
