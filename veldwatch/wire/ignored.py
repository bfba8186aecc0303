"""Topics whose messages are not for storing: commands to devices, discovery, logs of other programs.

A source with this decoder is a decision that an operator can see and undo; without one such messages would fill
quarantine. They are counted as every message is.
"""

from datetime import datetime

from veldwatch.model.telemetry import Decoded


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Say that nothing is in a message."""
    del topic, payload, received_at
    return Decoded(None)
