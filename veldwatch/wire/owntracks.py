"""OwnTracks: phones and trackers that publish JSON on `owntracks/{user}/{device}[/...]`.

The device is `tid`, the tracker's id, where the message has it, else the topic's device level. Each number that the
app sends is a reading under its own name (`batt`, `vel`, `acc`, `cog` ...), beside the fix that is made of them. A
waypoint is a place that a person marked, not a fix. Encrypted messages cannot be read and are refused.

Source: OwnTracks booklet, chapter JSON.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Position, Reading, Rejection
from veldwatch.wire.sentinels import doubt
from veldwatch.wire.times import observed
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import (
    JsonObject,
    as_object,
    attributes,
    checked_name,
    fix,
    is_numeric_text,
    number_or_text,
    read_object,
    shown,
)

_UNITS = {
    "batt": "%", "vel": "km/h", "acc": "m", "vac": "m", "alt": "m", "cog": "deg", "rad": "m", "p": "kPa", "dist": "m",
    "distance": "m", "steps": "1", "floorsup": "1", "floorsdown": "1", "uext": "V", "ubatt": "V", "odometer": "m",
    "trip": "m", "rssi": "dBm", "tempc": "Cel",
}  # fmt: skip
# Times, states in numbers, and whose network it was: no measurement.
_NOT_READINGS = frozenset(
    {"lat", "lon", "tst", "created_at", "wtst", "from", "to", "_http", "bs", "m", "tid", "imei", "mcc", "mnc", "lac",
     "cid"}
)  # fmt: skip
_BELOW_DEVICE = frozenset(
    {"event", "step", "beacon", "waypoint", "waypoints", "dump", "status", "info", "cmd", "request"}
)
_NOT_ATTRIBUTES = frozenset({"_type", "tst", "tid", "face", "topic", "_id"})
_KMH = 3.6


class _Report(NamedTuple):
    """One message with its device named."""

    kind: str
    document: JsonObject
    device: str
    received_at: datetime

    def observed(self, value: object = None) -> tuple[datetime, int]:
        return observed(self.document.get("tst") if value is None else value, self.received_at)


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read one message.

    Raises:
        MessageRejected: not OwnTracks JSON, encrypted, a command to the device, or nothing that can be stored.
    """
    document = read_object(payload)
    kind = document.get("_type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None or not isinstance(kind, str):
        detail = (
            "encrypted: it can be read only by who holds the key" if kind == "encrypted" else f"_type {shown(kind)}"
        )
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, detail)
    return reader(_Report(kind, document, _device(document, topic), received_at))


def _device(document: JsonObject, topic: str) -> str:
    tracker = document.get("tid")
    if tracker not in (None, ""):
        return checked_name(str(tracker) if isinstance(tracker, int) else tracker, "tid")
    levels = topic.split("/")
    return device_level(levels[-2] if len(levels) > 3 and levels[-1] in _BELOW_DEVICE else levels[-1])


def _location(report: _Report) -> Decoded:
    moment, quality = report.observed()
    readings, rejections = _readings(report, moment, quality)
    positions: tuple[Position, ...] = ()
    try:
        positions = (_fix(report, moment, quality),)
    except MessageRejected as error:
        rejections.append(Rejection(error.reason, error.detail))
    return Decoded(
        None,
        readings=tuple(readings),
        positions=positions,
        rejections=tuple(rejections),
        heard=(report.device,),
    )


def _fix(report: _Report, moment: datetime, quality: int) -> Position:
    said = report.document
    return fix(
        report.device,
        (moment, quality),
        said.get("lon"),
        said.get("lat"),
        altitude=said.get("alt"),
        accuracy=said.get("acc"),
        speed=_metres_per_second(said.get("vel")),
        heading=said.get("cog"),
    )


def _metres_per_second(kilometres_per_hour: object) -> float | None:
    try:
        return number_or_text(kilometres_per_hour) / _KMH
    except MessageRejected:
        return None


def _readings(report: _Report, moment: datetime, quality: int) -> tuple[list[Reading], list[Rejection]]:
    readings: list[Reading] = []
    rejections: list[Rejection] = []
    for field, value in report.document.items():
        if field in _NOT_READINGS or isinstance(value, bool):
            continue
        # The first apps sent every number as text; other text that looks like a number (an SSID) is none.
        if not isinstance(value, (int, float)) and not (field in _UNITS and is_numeric_text(value)):
            continue
        try:
            metric, unit, amount = checked_name(field, "field"), _UNITS.get(field), number_or_text(value)
            doubtful = quality | doubt(metric, unit, amount)
            readings.append(Reading(report.device, metric, moment, amount, unit, doubtful))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, f"{shown(field)}: {error.detail}"))
    return readings, rejections


def _transition(report: _Report) -> Decoded:
    """Entering or leaving a region is an event, told together with the place where it was noticed."""
    moment, quality = report.observed()
    event = _as_event(report, moment)
    readings, rejections = _readings(report, moment, quality)
    positions: tuple[Position, ...] = ()
    if report.document.get("lat") is not None:
        try:
            positions = (_fix(report, moment, quality),)
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, error.detail))
    return Decoded(
        None,
        readings=tuple(readings),
        positions=positions,
        events=(event,),
        rejections=tuple(rejections),
        heard=(report.device,),
    )


def _event(report: _Report) -> Decoded:
    moment, _ = report.observed()
    return Decoded(None, events=(_as_event(report, moment),), heard=(report.device,))


def _waypoints(report: _Report) -> Decoded:
    listed = report.document.get("waypoints")
    if not isinstance(listed, list):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"waypoints is {shown(listed)} (expected a list)")
    events: list[Event] = []
    rejections: list[Rejection] = []
    for place, item in enumerate(listed):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON
        try:
            one = report._replace(kind="waypoint", document=as_object(item, "it"))  # pyright: ignore[reportUnknownArgumentType]  # JSON
            events.append(_as_event(one, one.observed()[0]))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, f"waypoint {place}: {error.detail}"))
    return Decoded(None, events=tuple(events), rejections=tuple(rejections), heard=(report.device,))


def _steps(report: _Report) -> Decoded:
    """A count of steps from one time to another, said at `tst`."""
    moment, quality = report.observed()
    readings, rejections = _readings(report, moment, quality)
    return Decoded(None, readings=tuple(readings), rejections=tuple(rejections), heard=(report.device,))


def _last_will(report: _Report) -> Decoded:
    """The broker published it; `tst` is when the app connected, not when it fell silent."""
    return Decoded(
        None, events=(Event(report.device, report.received_at, "lwt"),), heard=(report.device,), online=False
    )


def _heard(report: _Report) -> Decoded:
    """A card names a person, a status describes an app: nothing to store but that the device was heard."""
    return Decoded(None, heard=(report.device,))


def _as_event(report: _Report, moment: datetime) -> Event:
    details = {field: value for field, value in report.document.items() if field not in _NOT_ATTRIBUTES}
    return Event(report.device, moment, report.kind, attributes(details))


_READERS: Mapping[str, Callable[[_Report], Decoded]] = {
    "location": _location,
    "transition": _transition,
    "waypoint": _event,
    "waypoints": _waypoints,
    "beacon": _event,
    "steps": _steps,
    "lwt": _last_will,
    "card": _heard,
    "status": _heard,
}
