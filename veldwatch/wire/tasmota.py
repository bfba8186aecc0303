"""Tasmota: switches, energy meters and sensor bridges, on `{prefix}/{device}/{message}` with `tele`, `stat` or `cmnd`.

Every number is a reading under its path (`ENERGY.Total`, `DS18B20.Temperature`, `Wifi.RSSI`), `ON` and `OFF` are 1
and 0. `Time` is the device's wall clock, without an offset unless `SetOption52` is on: the option `time_zone` says
which, and without it the time of arrival stands. What a Zigbee bridge passes on is of a device of its own,
`{bridge}/{name}`.

Source: Tasmota documentation, "MQTT", "Commands" (TempUnit, PressureUnit, SetOption52); tasmota/tasmota_xsns_sensor.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import flatten
from veldwatch.wire.collected import Collected, together
from veldwatch.wire.local_times import observed_locally, read_zone
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.topics import device_level
from veldwatch.wire.units import canonical
from veldwatch.wire.values import JsonObject, members_of, read_object, shown, switched

_PREFIXES = frozenset({"tele", "stat", "cmnd"})
_SWITCHES = ("POWER", "Switch", "SWITCH")
_UNITS = {
    "Humidity": "%RH", "CarbonDioxide": "[ppm]", "eCO2": "[ppm]", "TVOC": "[ppb]", "Illuminance": "lx", "Vcc": "V",
    "UptimeSec": "s", "Distance": "cm", "Moisture": "%", "BatteryPercentage": "%", "BatteryVoltage": "V",
    "PM1": "ug/m3", "PM2.5": "ug/m3", "PM10": "ug/m3", "CF1": "ug/m3", "CF2.5": "ug/m3",
    "CF10": "ug/m3",
}  # fmt: skip
_ENERGY_UNITS = {
    "Total": "kWh", "Yesterday": "kWh", "Today": "kWh", "Period": "Wh", "Power": "W", "ApparentPower": "VA",
    "ReactivePower": "var", "Factor": "1", "Voltage": "V", "Current": "A", "Frequency": "Hz", "ExportActive": "kWh",
    "ExportReactive": "kvarh", "ImportActive": "kWh", "ImportReactive": "kvarh", "TotalTariff": "kWh",
}  # fmt: skip
_WIFI_UNITS = {"RSSI": "%", "Signal": "dBm"}
# The members beside the sensors that say in what unit these speak, and which of their fields do.
_SAID_UNITS = {
    "TempUnit": ("Temperature", "DewPoint", "TargetTemperature", "ObjectTemperature", "AmbientTemperature"),
    "PressureUnit": ("Pressure", "SeaPressure"),
    "SpeedUnit": ("WindSpeed", "Speed"),
}
_TEXT_VALUES = frozenset(
    {*_UNITS, *_ENERGY_UNITS, *_WIFI_UNITS, *(name for names in _SAID_UNITS.values() for name in names)}
)
_UNIT_WORDS = {"C": "Cel", "F": "[degF]", "mmHg": "mm[Hg]", "kn": "[kn_i]", "kt": "[kn_i]", "ft/s": "[ft_i]/s"}
# Who a sensor is, and how the device is set up; numbers that are no measurement.
_NOT_VALUES = frozenset(
    {
        "Id",
        "Time",
        "Epoch",
        "Channel",
        "AP",
        "Sleep",
        "SleepMode",
        "SSId",
        "BSSId",
        "Address",
        "Endpoint",
        "Group",
        "Device",
    }
)
# A result is mostly a command's echo (`{"TelePeriod":300}`); these of its members tell a state.
_STATES = ("POWER", "DIMMER", "SHUTTER", "COUNTER", "ENERGY")
_HAPPENED = ("BUTTON", "SWITCH", "RFRECEIVED", "IRRECEIVED", "SERIALRECEIVED", "RFIDRECEIVED", "INFO")
_ZIGBEE_UNITS: dict[str, object] = {"TempUnit": "C", "PressureUnit": "hPa"}
"""Of what a Zigbee bridge passes on, whatever its own sensors speak; source: Zigbee Cluster Library, 4.4 and 4.5."""
_ZIGBEE = ("ZbReceived", "ZbInfo")


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell.

    Attributes:
        time_zone: in which the devices' clocks are set; empty: unknown, arrival stands for their times.
    """

    time_zone: str = ""


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of one source."""
    zone = read_zone(read_options(_Options, given).time_zone)

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        return _decode(zone, topic, payload, received_at)

    return decode


def _decode(zone: ZoneInfo | None, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    prefix, device, message = _levels(topic)
    if prefix == "cmnd" or message == "LOGGING":
        return Decoded(None)  # a command to a device, or a line of its log
    text = payload.strip()
    if not text.startswith(b"{"):
        return _bare(Collected(device, observed_locally(None, zone, received_at)), prefix, message, text)
    return together(_parts(device, message, read_object(payload), zone, received_at))


def _levels(topic: str) -> tuple[str, str, str]:
    """Take a topic apart; the prefix comes first, last but one or between, as `FullTopic` says."""
    *levels, message = topic.split("/")
    for place in (0, -1, *range(1, len(levels) - 1)):
        if len(levels) > 1 and levels[place] in _PREFIXES:
            prefix = levels.pop(place)
            return prefix, device_level("/".join(levels)), message
    raise MessageRejected(Reason.MALFORMED_TOPIC, f"{shown(topic)} (expected tele/DEVICE/MESSAGE)")


def _bare(parts: Collected, prefix: str, message: str, text: bytes) -> Decoded:
    """Read what is said beside JSON: a will, `stat/lamp/POWER1` with `ON`; other text tells that the device lives."""
    if message == "LWT":
        if text.lower() not in (b"online", b"offline"):
            raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"LWT {shown(text)} (expected Online or Offline)")
        return parts.decoded(online=text.lower() == b"online")
    if prefix == "stat" and message.startswith(_SWITCHES):
        parts.reading(message, switched(text.decode("ascii", "replace")))
    return parts.decoded()


def _parts(
    device: str, message: str, document: JsonObject, zone: ZoneInfo | None, received_at: datetime
) -> Iterator[Decoded]:
    said = _telling(message, document)
    when = observed_locally(said.get("Epoch", said.get("Time")), zone, received_at)
    own = Collected(device, when)
    values: dict[str, object] = {}
    for name, value in said.items():
        if name.upper().startswith(_HAPPENED) and members_of(value):
            own.event(name, members_of(value))
        elif name not in _ZIGBEE:
            values[name] = value
    _values(own, values)
    yield own.decoded()
    for name in _ZIGBEE:
        for sensor, content in _sensors(said.get(name)):
            named = device if device.endswith(f"/{sensor}") else device_level(f"{device}/{sensor}")
            parts = Collected(named, when)
            _values(parts, _ZIGBEE_UNITS | content)
            yield parts.decoded()


def _telling(message: str, document: JsonObject) -> JsonObject:
    """Take what tells a state: of `STATUS8` what SENSOR does, of `STATUS11` what STATE does, of a result its states."""
    if message.startswith("STATUS"):
        return {**members_of(document.get("StatusSTS")), **members_of(document.get("StatusSNS"))}
    if message == "RESULT":
        telling = (*_STATES, *_HAPPENED, *(name.upper() for name in _ZIGBEE), "TIME", "EPOCH")
        return {name: value for name, value in document.items() if name.upper().startswith(telling)}
    return {message: document} if message.startswith(_HAPPENED) and "ACTION" in document else document


def _sensors(reported: object) -> Iterator[tuple[str, dict[str, object]]]:
    for address, content in members_of(reported).items():
        said = dict(members_of(content))
        named = said.get("Name")
        yield (named if isinstance(named, str) and named else address), said


def _values(parts: Collected, document: JsonObject) -> None:
    units = _said_units(document)
    parts.places(document)
    for measured in flatten({name: _state(name, value) for name, value in document.items()}):
        path = measured.name.split(".")
        # Early firmware sent "21.8"; other text that looks like a number is a serial number.
        is_value = not isinstance(measured.value, str) or path[-1] in _TEXT_VALUES
        if _NOT_VALUES.isdisjoint(path) and is_value:
            parts.reading(measured.name, measured.value, _unit(path, units))


def _state(name: str, value: object) -> object:
    return switched(value) if name.startswith(_SWITCHES) else value


def _said_units(document: JsonObject) -> dict[str, str]:
    units: dict[str, str] = {}
    for member, fields in _SAID_UNITS.items():
        word = document.get(member)
        unit = (_UNIT_WORDS.get(word) or canonical(word)) if isinstance(word, str) else None
        if unit is not None:
            units |= dict.fromkeys(fields, unit)
    return units


def _unit(path: list[str], said: dict[str, str]) -> str | None:
    if path[0] == "Wifi":
        return _WIFI_UNITS.get(path[-1])
    if path[0] == "ENERGY" and len(path) > 1 and path[1] in _ENERGY_UNITS:
        return _ENERGY_UNITS[path[1]]
    # "PM2.5" is one name, though it holds the dot that joins names.
    field = ".".join(path[1:]) if len(path) > 1 and path[1].startswith(("PM", "CF")) else path[-1]
    named = field.rstrip("0123456789") or field  # `Temperature1` of several probes
    return said.get(field) or _UNITS.get(field) or said.get(named)
