"""Golden cases: one folder for one behaviour of a decoder, with a message and what must come of it.

The model is telegraf's `testcases` folders: whoever meets a payload that is read wrongly adds a folder, not code.
"""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import Decoded, Position, Quality, Reading
from veldwatch.wire.sources import find_decoder

CASES = Path(__file__).parent / "cases"
RECEIVED_AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
"""When every message of a case arrives; times that are said to be this are the time of arrival."""


class Case(NamedTuple):
    """One folder."""

    folder: Path

    @property
    def name(self) -> str:
        """Name the case as pytest shows it."""
        return f"{self.decoder}/{self.folder.name}"

    @property
    def expected(self) -> dict[str, Any]:
        """Read what must come of the message; a case that was just begun expects nothing."""
        file = self.folder / "expected.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def outcome(self) -> dict[str, Any]:
        """Let the decoder read the message, and put what it says into words."""
        decode = find_decoder(self.decoder, self.options)
        try:
            return _in_words(decode(self.topic, self.payload, RECEIVED_AT))
        except MessageRejected as error:
            return {"refused": error.reason.value}

    @property
    def decoder(self) -> str:
        """Name the decoder whose behaviour it shows."""
        return self.folder.parent.name

    @property
    def options(self) -> dict[str, Any]:
        """Read what its source tells the decoder."""
        file = self.folder / "options.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    @property
    def topic(self) -> str:
        """Read the topic."""
        return (self.folder / "topic").read_text(encoding="utf-8").strip("\n")

    @property
    def payload(self) -> bytes:
        """Read the bytes of the message."""
        encoded = self.folder / "payload.b64"
        if encoded.is_file():
            return base64.b64decode(encoded.read_bytes())
        return (self.folder / "payload").read_bytes()


def all_cases() -> list[Case]:
    """Find the cases, in order of their names."""
    return [Case(topic.parent) for topic in sorted(CASES.glob("*/*/topic"))]


def _in_words(decoded: Decoded) -> dict[str, Any]:
    said: dict[str, Any] = {
        "readings": [_reading(reading) for reading in decoded.readings],
        "positions": [_position(position) for position in decoded.positions],
        "events": [
            {"device": e.device, "time": _time(e.observed_at), "kind": e.kind, "attributes": json.loads(e.attributes)}
            for e in decoded.events
        ],
        "rejections": [rejection.reason.value for rejection in decoded.rejections],
        "heard": list(decoded.heard),
    }
    said = {name: listed for name, listed in said.items() if listed}
    return said if decoded.online is None else said | {"online": decoded.online}


def _reading(reading: Reading) -> str:
    value = f"{reading.value!r} {reading.unit}" if reading.unit else repr(reading.value)
    return f"{reading.device} | {reading.metric} = {value} | {_when(reading.observed_at, reading.quality)}"


def _position(position: Position) -> str:
    optional = {
        name: value
        for name in ("altitude", "accuracy", "speed", "heading")
        if (value := getattr(position, name)) is not None
    }
    beside = "".join(f" {name} {value!r}" for name, value in optional.items())
    place = f"longitude {position.longitude!r} latitude {position.latitude!r}{beside}"
    return f"{position.device} | {place} | {_when(position.observed_at, position.quality)}"


def _when(moment: datetime, quality: int) -> str:
    flags = [flag.name or "" for flag in Quality(quality)]
    return " | ".join([_time(moment), *flags])


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
