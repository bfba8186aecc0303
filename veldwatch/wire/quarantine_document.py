"""A quarantined message as JSON and as text: what the API, the console and the command line show of it."""

import base64
import json
from collections.abc import Mapping

from veldwatch.model.quarantine import QuarantineRow, QuarantineState

_BYTES_A_LINE = 16


def document(row: QuarantineRow) -> dict[str, object]:
    """Write a message with its bytes; times are as they are."""
    return {
        "id": row.id,
        "received_at": row.received_at,
        "last_received_at": row.last_received_at,
        "count": row.count,
        "source": row.source,
        "topic": row.topic,
        "topic_pattern": row.topic_pattern,
        "organisation": row.organisation,
        "device": row.device,
        "reason": row.reason,
        "detail": row.detail,
        "state": row.state.value,
        "payload_text": text_of(row.payload),
        "payload_base64": base64.b64encode(row.payload).decode(),
        "payload_bytes": row.payload_bytes,
        "cut": row.cut,
        "replayable": row.why_not is None,
        "why_not": row.why_not,
        "waiting_in": row.waiting_in,
        "attempts": row.attempts,
        "attempted_at": row.attempted_at,
        "replayed_at": row.settled_at if row.state is QuarantineState.STORED else None,
        "discarded_at": row.settled_at if row.state is QuarantineState.DISCARDED else None,
        "merged_into": row.merged_into,
    }


def without_content(found: Mapping[str, object]) -> dict[str, object]:
    """Leave out the bytes, and the sentence, which may quote them."""
    return {**found, "payload_text": None, "payload_base64": None, "detail": None}


def text_of(payload: bytes) -> str | None:
    """Read bytes as UTF-8; None: they are not."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return None


def pretty_json(payload: bytes) -> str | None:
    """Indent a JSON document; None: it is none."""
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None


def printable(text: str) -> str:
    """Write control characters as escapes: shown as they are, they could steer a terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)


def hex_dump(payload: bytes) -> str:
    """Write bytes as offset, sixteen of them, and those that can be printed."""
    lines: list[str] = []
    for offset in range(0, len(payload), _BYTES_A_LINE):
        part = payload[offset : offset + _BYTES_A_LINE]
        printable = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{offset:06x}  {part.hex(' '):<47}  {printable}")
    return "\n".join(lines)
