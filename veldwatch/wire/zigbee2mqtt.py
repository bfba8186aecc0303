"""Zigbee2MQTT: what Zigbee devices say, on `zigbee2mqtt/{friendly name}`; a friendly name may hold `/`.

Numbers, booleans and `ON`/`OFF` are readings under their own names; a button's `action` is an event. `last_seen`, where
the bridge is set to send it, is the time of observation, else arrival is. The bridge's own topics tell its state
(device `bridge`) and who joined or left; its lists, logs, requests and answers hold nothing to store.

Source: Zigbee2MQTT documentation, "MQTT Topics and Messages", "Device-Availability", "Exposes", "Health".
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import flatten
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, members_of, read_object, shown, switched

# Source: zigbee-herdsman-converters, src/lib/exposes.ts (presets).
_UNITS = {
    "temperature": "Cel", "device_temperature": "Cel", "local_temperature": "Cel", "soil_temperature": "Cel",
    "cpu_temperature": "Cel", "external_temperature_input": "Cel", "occupied_heating_setpoint": "Cel",
    "unoccupied_heating_setpoint": "Cel", "occupied_cooling_setpoint": "Cel", "current_heating_setpoint": "Cel",
    "humidity": "%RH", "soil_moisture": "%", "pressure": "hPa", "battery": "%", "battery_voltage": "mV",
    "power": "W", "power_apparent": "VA", "power_reactive": "var", "power_factor": "1", "energy": "kWh",
    "produced_energy": "kWh", "consumed_energy": "kWh", "ac_frequency": "Hz", "illuminance_lux": "lx",
    "illuminance": "lx", "co2": "[ppm]", "formaldehyd": "mg/m3", "voc": "[ppb]", "pm1": "ug/m3", "pm25": "ug/m3",
    "pm10": "ug/m3", "noise": "dB", "position": "%", "water_consumed": "m3", "flow": "m3/h",
    "rssi": "dBm", "wind_speed": "m/s", "soil_fertility": "uS/cm", "conductivity": "uS/cm",
}  # fmt: skip
_PHASES = ("_phase_b", "_phase_c", "_neutral")
_ENDPOINTS = ("_left", "_right", "_center", "_l1", "_l2", "_l3", "_l4", "_a", "_b", "_c", "_1", "_2", "_3", "_4")
_NO_MAINS_VOLTS = 600
_EVENTS = ("action", "click")
# Who a device is and what it was set to or may take: no measurement.
_NOT_VALUES = frozenset(
    {
        "last_seen",
        "elapsed",
        "device",
        "update",
        "update_available",
        "color",
        "color_options",
        "color_mode",
        "level_config",
        "power_on_behavior",
        "action_group",
    }
)
_TO_DEVICE = frozenset({"set", "get"})


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell.

    Attributes:
        base_topic: as in the bridge's own configuration.
        use_last_seen: False: arrival is the time of every message, for bridges whose converters speak without having
            heard from the device (an `occupancy_timeout`): they repeat a `last_seen` with another value.
    """

    base_topic: str = "zigbee2mqtt"
    use_last_seen: bool = True


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of one source."""
    options = read_options(_Options, given)

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        return _decode(options, topic, payload, received_at)

    return decode


def _decode(options: _Options, topic: str, payload: bytes, received_at: datetime) -> Decoded:
    base = options.base_topic.split("/")
    levels = topic.split("/")
    path = levels[len(base) :]
    if levels[: len(base)] != base or not path or not all(path):
        raise MessageRejected(Reason.MALFORMED_TOPIC, f"{shown(topic)} (expected {options.base_topic}/FRIENDLY_NAME)")
    if path[0] == "bridge":
        return _bridge(path[1:], payload, received_at)
    if path[-1] in _TO_DEVICE or (len(path) > 2 and path[-2] in _TO_DEVICE):
        return Decoded(None)  # a command to a device
    if path[-1] == "availability" and len(path) > 1:
        return _availability("/".join(path[:-1]), payload, received_at)
    return _device(options, path, payload, received_at)


def _device(options: _Options, path: list[str], payload: bytes, received_at: datetime) -> Decoded:
    text = payload.strip()
    if not text:
        return Decoded(None)  # the bridge clears a retained message
    if not text.startswith((b"{", b"[")):
        return _attribute(path, text, received_at)
    document = read_object(payload)
    parts = Collected(device_level("/".join(path)), _when(options, document, received_at))
    parts.places(document)
    for name in _EVENTS:
        if document.get(name) not in (None, ""):
            parts.event(name, {key: value for key, value in document.items() if key.startswith(name)})
    for measured in flatten({name: switched(value) for name, value in document.items() if name not in _NOT_VALUES}):
        parts.reading(measured.name, measured.value, _unit(measured.name, document))
    return parts.decoded()


def _attribute(path: list[str], text: bytes, received_at: datetime) -> Decoded:
    """Read `zigbee2mqtt/lamp/brightness` with `215`: the output mode `attribute`."""
    if len(path) < 2:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"{shown(text)} (expected a JSON object)")
    parts = Collected(device_level("/".join(path[:-1])), observed_or_arrival(None, received_at))
    parts.reading(path[-1], switched(text.decode("utf-8", "replace")), _unit(path[-1], {}))
    return parts.decoded()


def _when(options: _Options, document: JsonObject, received_at: datetime) -> When:
    return observed_or_arrival(document.get("last_seen") if options.use_last_seen else None, received_at)


def _unit(name: str, document: JsonObject) -> str | None:
    if name == "voltage":
        # Converters say millivolts of a battery and volts of the mains under one name.
        if "battery" in document or _is_above(document.get(name), _NO_MAINS_VOLTS):
            return "mV"
        return "V" if {"power", "current", "energy"} & document.keys() else None
    if name == "illuminance" and "illuminance_lux" in document:
        return None  # until the bridge's second major version the raw logarithm stood beside the value in lux
    for suffix in (*_PHASES, *_ENDPOINTS):
        name = name.removesuffix(suffix)
    return {"voltage": "V", "current": "A"}.get(name) or _UNITS.get(name)


def _is_above(value: object, limit: float) -> bool:
    return isinstance(value, (int, float)) and value > limit


def _availability(device: str, payload: bytes, received_at: datetime) -> Decoded:
    parts = Collected(device_level(device), observed_or_arrival(None, received_at))
    return parts.decoded(online=_online(payload))


def _online(payload: bytes) -> bool:
    """Read `online`, or `{"state":"online"}` of the bridge's second major version."""
    text = payload.strip()
    said: object = text.decode("utf-8", "replace")
    if text.startswith(b"{"):
        said = read_object(payload).get("state")
    if said not in ("online", "offline"):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"availability {shown(said)} (expected online or offline)")
    return said == "online"


def _bridge(path: list[str], payload: bytes, received_at: datetime) -> Decoded:
    if path == ["state"]:
        return _availability("bridge", payload, received_at)
    if path != ["event"]:
        return Decoded(None)
    happened = read_object(payload)
    details, kind = members_of(happened.get("data")), happened.get("type")
    if not isinstance(kind, str):
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no event of the bridge: no type is in it")
    named = details.get("friendly_name") or details.get("ieee_address")
    if not isinstance(named, str):
        return Decoded(None)
    parts = Collected(device_level(named), observed_or_arrival(None, received_at))
    parts.event(kind, details)
    return parts.decoded(heard=kind != "device_leave")
