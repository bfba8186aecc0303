"""What would come of a message, without storing it: the decoder runs as in ingest, behind the same boundary.

A preview is of one message by itself: what depends on other messages (aliases of a birth certificate, a value that is
stored already) it cannot know.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Event, Position, Quality, Reading, Rejection
from veldwatch.wire.sources import Route
from veldwatch.wire.values import shown

# A device that may not speak costs its whole message.
_OF_THE_WHOLE = frozenset(
    {Reason.UNKNOWN_DEVICE, Reason.UNKNOWN_ORGANISATION, Reason.DEVICE_RETIRED, Reason.DEVICE_REFUSED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would come of one message.

    Attributes:
        source: name of the one that takes it; None: none does.
        organisation: slug of its devices; None: it was not read.
        devices: those that it names, and what is known of each; see `DEVICE_STATES`.
        rejections: why it, or a part of it, would be in quarantine.
        warnings: what is odd about the trial itself.
    """

    source: str | None
    decoder: str | None
    received_at: datetime
    organisation: str | None = None
    readings: tuple[Reading, ...] = ()
    positions: tuple[Position, ...] = ()
    events: tuple[Event, ...] = ()
    online: bool | None = None
    devices: tuple[tuple[str, str], ...] = ()
    rejections: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """Say in a word what would come of it: `stored`, `stored_in_part` or `quarantined`."""
        if not self.rejections:
            return "stored"
        kept = self.readings or self.positions or self.events
        return "stored_in_part" if kept and not self._is_refused else "quarantined"

    @property
    def _is_refused(self) -> bool:
        return any(rejection.reason in _OF_THE_WHOLE for rejection in self.rejections)

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "outcome": self.outcome,
            "source": self.source,
            "decoder": self.decoder,
            "organisation": self.organisation,
            "received_at": self.received_at,
            "devices": [{"device": device, "state": state} for device, state in self.devices],
            "online": self.online,
            "readings": [_with_words(reading) for reading in self.readings],
            "positions": [_with_words(position) for position in self.positions],
            "events": [
                {**event._asdict(), "attributes": msgspec.json.decode(event.attributes.encode())}
                for event in self.events
            ],
            "rejections": [{"reason": each.reason.value, "detail": each.detail} for each in self.rejections],
            "warnings": list(self.warnings),
        }


def preview_of(
    route: Route, topic: str, payload: bytes, received_at: datetime, *, limit: int, organisation: str
) -> Preview:
    """Read one message as ingest would.

    Args:
        limit: longest payload that is read, in bytes.
        organisation: slug where neither topic nor source names one.
    """
    blank = Preview(source=route.source.name, decoder=route.source.decoder, received_at=received_at)
    if len(payload) > limit:
        return replace(blank, rejections=(Rejection(Reason.PAYLOAD_TOO_LARGE, f"longer than {limit} bytes"),))
    try:
        decoded = route.decode(topic, payload, received_at)
    except MessageRejected as error:
        return replace(blank, rejections=(Rejection(error.reason, error.detail),))
    except Exception as error:  # noqa: BLE001  # a decoder is a plug-in: its defect is what the preview is for
        detail = f"{type(error).__name__}: {error}"
        return replace(blank, rejections=(Rejection(Reason.DECODER_FAILED, detail),))
    readings, conflicts = _each_once(decoded.readings)
    devices = dict.fromkeys(
        [*decoded.heard, *(row.device for part in (readings, decoded.positions, decoded.events) for row in part)]
    )
    return replace(
        blank,
        organisation=decoded.organisation or route.source.organisation or organisation,
        readings=readings,
        positions=decoded.positions,
        events=decoded.events,
        online=decoded.online,
        devices=tuple((device, "not_checked") for device in devices),
        rejections=(*decoded.rejections, *conflicts),
        warnings=("this decoder reads messages by what earlier ones said; here the message stands alone",)
        if route.stateful is not None
        else (),
    )


def quality_words(quality: int) -> list[str]:
    """Name what is known about the trust in a value; none: it is good."""
    return [str(flag.name).lower() for flag in Quality if flag and flag in Quality(quality)]


def _with_words(row: Reading | Position) -> dict[str, Any]:
    return {**row._asdict(), "quality": quality_words(row.quality)}


def _each_once(readings: tuple[Reading, ...]) -> tuple[tuple[Reading, ...], list[Rejection]]:
    """Of one metric at one time the first value is stored; another beside it is a conflict."""
    first: dict[tuple[str, str, datetime], Reading] = {}
    conflicts: list[Rejection] = []
    for reading in readings:
        kept = first.setdefault(reading[:3], reading)
        if kept.value != reading.value:
            conflicts.append(
                Rejection(
                    Reason.CONFLICTING_DUPLICATE,
                    f"{shown(reading.metric)} of {shown(reading.device)} at {reading.observed_at.isoformat()}:"
                    f" {reading.value!r} beside {kept.value!r}",
                )
            )
    return tuple(first.values()), conflicts
