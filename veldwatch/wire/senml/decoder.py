"""SenML: measurements in JSON or CBOR, on any topic.

A number or a truth value is a reading, text (`vs`) and octets (`vd`, base64 with the URL's alphabet) are events of kind
`text` and `data` with the metric as attribute, a sum is a reading `METRIC_sum`. A latitude beside a longitude of the
same device and time is a fix, with an altitude if a metric `alt` or `altitude` in metres is there. Relative times count
from arrival.

Source: RFC 8428.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Literal

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Position, Reading, Rejection
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.senml.names import Split, split_name
from veldwatch.wire.senml.pack import read_pack
from veldwatch.wire.senml.resolve import Resolved, resolve
from veldwatch.wire.senml.units import LATITUDE, LONGITUDE, of_sum, ucum
from veldwatch.wire.told import Told
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import checked_name, fix

_ALTITUDES = frozenset({"alt", "altitude"})


class SenmlOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell the decoder.

    Attributes:
        device: `name`: the first part of each record's name; `topic`: the topic's last level, and the whole name is
            the metric, for devices that call their records `temperature` and not themselves.
        serialization: auto: told by the first byte.
    """

    device: Literal["name", "topic"] = "name"
    serialization: Literal["auto", "json", "cbor"] = "auto"


@dataclass(slots=True)
class _Place:
    """What the records of one device and one time say of where it was."""

    latitudes: list[float] = field(default_factory=list)
    longitudes: list[float] = field(default_factory=list)
    altitude: float | None = None


class _Contents:
    """What the records of a pack come to."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.rejections: list[Rejection] = []
        self.heard: dict[str, None] = {}
        self.told = Told()
        self._places: dict[tuple[str, tuple[datetime, int]], _Place] = {}

    def add(self, record: Resolved, split: Split) -> None:
        """Take one record."""
        device = checked_name(split.device, "device")
        metric = split.metric or record.unit or "value"
        self.heard[device] = None
        moment, quality = record.when
        place = self._place(device, record, metric)
        if place:
            return
        if isinstance(record.value, str):
            self.told.add(device, moment, "text", metric, record.value)
        elif isinstance(record.value, bytes):
            octets = base64.urlsafe_b64encode(record.value).decode().rstrip("=")
            self.told.add(device, moment, "data", metric, octets)
        elif record.value is not None:
            unit = None if isinstance(record.value, bool) else ucum(record.unit)
            self.readings.append(Reading(device, metric, moment, float(record.value), unit, quality))
        if record.total is not None:
            name = checked_name(f"{metric}_sum", "name of a sum")
            self.readings.append(Reading(device, name, moment, record.total, of_sum(record.unit), quality))

    def _place(self, device: str, record: Resolved, metric: str) -> bool:
        """Take a part of a fix; True: it is nothing else."""
        if not isinstance(record.value, float):
            return False
        is_altitude = record.unit == "m" and metric.lower() in _ALTITUDES
        if not is_altitude and record.unit not in (LATITUDE, LONGITUDE):
            return False
        place = self._places.setdefault((device, record.when), _Place())
        if is_altitude:
            place.altitude = record.value
        else:
            (place.latitudes if record.unit == LATITUDE else place.longitudes).append(record.value)
        return not is_altitude

    def positions(self) -> tuple[Position, ...]:
        """Give the fixes; half of one is rejected."""
        found: list[Position] = []
        for (device, when), place in self._places.items():
            for latitude, longitude in zip_longest(place.latitudes, place.longitudes):
                try:
                    found.append(fix(device, when, longitude, latitude, altitude=place.altitude))
                except MessageRejected as error:
                    self.rejections.append(Rejection(Reason.BAD_POSITION, f"{device}: {error.detail}"))
        return tuple(found)


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of a source.

    Raises:
        ConfigurationInvalid: an option is unknown or wrong.
    """
    options = read_options(SenmlOptions, given)

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        named = device_level(topic.rpartition("/")[2]) if options.device == "topic" else None
        records, rejections = resolve(read_pack(payload, options.serialization), received_at)
        contents = _Contents()
        contents.rejections += rejections
        for record in records:
            try:
                contents.add(record, split_name(record.name) if named is None else Split(named, record.name))
            except MessageRejected as error:
                contents.rejections.append(Rejection(error.reason, f"{record.name}: {error.detail}"))
        positions = contents.positions()
        if not contents.heard and not contents.rejections:
            raise MessageRejected(Reason.NOTHING_TO_STORE, "no record has a value")
        return Decoded(
            None,
            readings=tuple(contents.readings),
            positions=positions,
            events=contents.told.events(),
            rejections=tuple(contents.rejections),
            heard=tuple(contents.heard),
        )

    return decode
