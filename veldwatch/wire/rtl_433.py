"""rtl_433: what a radio receiver hears of sensors and meters at 433 to 915 MHz, on `rtl_433/{host}/events`.

The device is `{model}/{id}`; where an older model has no `id`, its `sensor_id` or alike. A number is a reading under
its own name, whose end tells the unit (`temperature_C`). `time` is the receiver's wall clock unless rtl_433 runs with
`-M time:iso`, `time:unix` or `time:utc`: the option `time_zone` says which, and without it arrival stands. What the
topics `devices/...` say once more, field by field, is left.

Source: rtl_433, docs/DATA_FORMAT.md, docs/OPERATION.md and src/output_mqtt.c.
"""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.collected import Collected
from veldwatch.wire.local_times import observed_locally, read_zone
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, checked_name, read_object, shown

# Ends of names, the longer ones first: `_mm_h` before `_h`.
_UNITS = {
    "_ug_m3": "ug/m3", "_mi_h": "[mi_i]/h", "_km_h": "km/h", "_m_s": "m/s", "_mm_h": "mm/h", "_in_h": "[in_i]/h",
    "_mph": "[mi_i]/h", "_kph": "km/h", "_inch": "[in_i]",
    "_inHg": None, "_kWh": "kWh", "_Wh": "Wh", "_kW": "kW", "_klux": "klx", "_lux": "lx", "_hPa": "hPa", "_kPa": "kPa",
    "_PSI": "[psi]", "_psi": "[psi]", "_bar": "bar", "_deg": "deg", "_ppm": "[ppm]", "_ppb": "[ppb]", "_mm": "mm",
    "_cm": "cm", "_in": "[in_i]", "_km": "km", "_mi": "[mi_i]", "_m3": "m3", "_mV": "mV", "_mA": "mA", "_dB": "dB",
    "_pct": "%", "_kg": "kg", "_C": "Cel", "_F": "[degF]", "_V": "V", "_A": "A", "_W": "W", "_m": "m", "_L": "L",
    "_s": "s", "_Hz": "Hz",
}  # fmt: skip
# What names a device, the surest first: until 2019 some models had no `id` but one of the others.
_IDENTITIES = ("id", "sensor_id", "sid", "device_id", "device", "channel")
_NAMED = {"humidity": "%RH", "moisture": "%", "battery_ok": "1"}
# Identities, the frame's kind and length, and how one receiver heard one of the repeats that a device sends within the
# same second: no measurement.
_NOT_VALUES = frozenset(
    {*_IDENTITIES, "subtype", "model", "type", "time", "protocol", "freq", "freq1", "freq2", "rssi", "snr", "noise",
     "code", "button", "EndpointID", "ProtocolID", "sequence", "sequence_num", "msg_counter", "unit", "group",
     "house_code", "message_type", "num_rows", "len"}
)  # fmt: skip


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell.

    Attributes:
        time_zone: of the receivers' clocks; empty: unknown, arrival stands for their times.
    """

    time_zone: str = ""


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of one source."""
    zone = read_zone(read_options(_Options, given).time_zone)

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        return _decode(zone, topic, payload, received_at)

    return decode


def _decode(zone: ZoneInfo | None, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    levels = topic.split("/")
    if "devices" in levels[1:-1] or levels[-1] == "states":
        return Decoded(None)  # the same once more, field by field; and the receiver's own settings
    if levels[-1] == "availability":
        return _availability(levels, payload, received_at)
    document = read_object(payload)
    if "model" not in document:
        return _unmodelled(document)
    when = observed_locally(_moment(document.get("time")), zone, received_at)
    parts = Collected(_device(document), when)
    for name, value in document.items():
        if name not in _NOT_VALUES and isinstance(value, (int, float)):
            parts.reading(name, value, unit_of(name))
    return parts.decoded()


def unit_of(field: str) -> str | None:
    """Give the UCUM code of a field by its name's end; None: the name has no unit."""
    return _NAMED.get(field) or next((unit for end, unit in _UNITS.items() if field.endswith(end)), None)


def _moment(said: object) -> object:
    """Read `@1666722691.5` as the number that it is; with `-M time:rel` or `samp`, `@0.3s`, there is no clock."""
    if isinstance(said, str) and said.startswith("@"):
        return None if said.endswith("s") else said[1:]
    return said


def _device(document: JsonObject) -> str:
    named = checked_name(document.get("model"), "model")
    identity = next((document[name] for name in _IDENTITIES if document.get(name) not in (None, "")), None)
    return named if identity is None else checked_name(f"{named}/{identity}", "id")


def _availability(levels: list[str], payload: bytes, received_at: datetime) -> Decoded:
    said = payload.strip()
    if said not in (b"online", b"offline") or len(levels) < 2:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"availability {shown(said)} (expected online or offline)")
    parts = Collected(device_level(levels[-2]), observed_locally(None, None, received_at))
    return parts.decoded(online=said == b"online")


def _unmodelled(document: JsonObject) -> Decoded:
    """Statistics of the receiver and lines of its log come on the same topic."""
    if {"frames", "stats", "enabled", "lvl", "msg", "shutdown"} & document.keys():
        return Decoded(None)
    raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no model: not an event of rtl_433")
