"""Shelly, generation 2 and later: relays, meters, sensors, on `{prefix}/status/{component}` and `{prefix}/events/rpc`.

The device is the topic prefix, by default the model with the MAC address. A value is a reading under its path within
its component (`apower`, `aenergy.total`); of a component's second and further instances, and of the device's own
services, the component stands before it (`switch:1.apower`, `wifi.rssi`). A notification has a time, a status has
not.

Source: Shelly technical documentation, gen 2: "Notifications", "MQTT" and the components' status tables.
"""

import re
from datetime import datetime

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import flatten
from veldwatch.wire.collected import Collected
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, as_object, items_of, members_of, read_object, shown

_COMPONENT = re.compile(r"[a-z][a-z0-9_]*(?::[0-9]+)?", re.ASCII)
_FIRST_INSTANCE = re.compile(r"[a-z][a-z0-9_]*:0", re.ASCII)
_SERVICES = frozenset(
    {"sys", "wifi", "eth", "cloud", "mqtt", "ble", "ws", "modbus", "knx", "matter", "zigbee", "bthome", "ui",
     "plugs_ui", "pill", "http", "webhook", "script", "schedule", "service", "lora", "dali", "serial"}
)  # fmt: skip
_UNITS = {
    "apower": "W", "act_power": "W", "aprt_power": "VA", "voltage": "V", "current": "A", "freq": "Hz", "pf": "1",
    "tC": "Cel", "tF": "[degF]", "rh": "%RH", "lux": "lx", "rssi": "dBm", "uptime": "s", "percent": "%",
    "battery.V": "V", "battery.percent": "%", "aenergy.total": "Wh", "ret_aenergy.total": "Wh", "current_C": "Cel",
    "target_C": "Cel", "act": "Wh", "act_ret": "Wh", "act_energy": "Wh", "act_ret_energy": "Wh", "total_act": "Wh",
    "total_act_ret": "Wh", "total_act_energy": "Wh", "total_act_ret_energy": "Wh", "pos": "%", "current_pos": "%",
    "target_pos": "%", "brightness": "%", "current_humidity": "%RH", "target_humidity": "%RH",
}  # fmt: skip
_OF_TWO = frozenset({("thermostat:0", "output")})
"""Fields of a first instance that another component beside it has too: a Wall Display has a relay and a thermostat."""
_PHASE = re.compile(r"(?:[abcn]|total)_(?P<field>.+)", re.ASCII)
# Instance numbers, times, addresses, and the last three minutes' energy, which the totals tell as well.
_NOT_VALUES = frozenset(
    {"id", "ts", "minute_ts", "unixtime", "last_sync_ts", "by_minute", "cfg_rev", "kvs_rev", "schedule_rev",
     "webhook_rev", "btrelay_rev", "ap_client_count", "transition", "wakeup_period", "last_updated_ts",
     "last_update_ts", "packet_id", "started_at", "timer_started_at", "timer_duration", "move_started_at",
     "move_timeout"}
)  # fmt: skip


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read one message.

    Raises:
        MessageRejected: not a message of a Shelly, or at no time that can be.
    """
    levels = topic.split("/")
    for place in range(1, len(levels)):
        rest = levels[place:]
        if rest == ["online"]:
            return _online(levels[:place], payload, received_at)
        if rest == ["events", "rpc"]:
            return _notification(levels[:place], payload, received_at)
        if rest == ["status"]:
            return _whole_status(levels[:place], payload, received_at)
        if len(rest) == 2 and rest[0] == "status" and _COMPONENT.fullmatch(rest[1]):
            return _status(levels[:place], rest[1], payload, received_at)
    raise MessageRejected(
        Reason.MALFORMED_TOPIC, f"{shown(topic)} (expected DEVICE/status/COMPONENT, DEVICE/events/rpc or DEVICE/online)"
    )


def _collected(prefix: list[str], said: object, received_at: datetime) -> Collected:
    return Collected(device_level("/".join(prefix)), observed_or_arrival(said, received_at))


def _online(prefix: list[str], payload: bytes, received_at: datetime) -> Decoded:
    text = payload.strip()
    if text not in (b"true", b"false"):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"online {shown(text)} (expected true or false)")
    return _collected(prefix, None, received_at).decoded(online=text == b"true")


def _status(prefix: list[str], component: str, payload: bytes, received_at: datetime) -> Decoded:
    if ":" not in component and component not in _SERVICES:
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"no component of a Shelly: {shown(component)}")
    parts = _collected(prefix, None, received_at)
    _component(parts, component, read_object(payload))
    return parts.decoded()


def _whole_status(prefix: list[str], payload: bytes, received_at: datetime) -> Decoded:
    """Read the answer to `status_update`: every component by its name."""
    document = read_object(payload)
    if not _SERVICES & document.keys():
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no status of a Shelly: none of its services is in it")
    parts = _collected(prefix, None, received_at)
    for component, content in document.items():
        if _COMPONENT.fullmatch(component):
            _component(parts, component, members_of(content))
    return parts.decoded()


def _notification(prefix: list[str], payload: bytes, received_at: datetime) -> Decoded:
    document = read_object(payload)
    method = document.get("method")
    if method not in ("NotifyStatus", "NotifyFullStatus", "NotifyEvent"):
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"method {shown(method)} (expected NotifyStatus or alike)")
    said = as_object(document.get("params"), "params")
    parts = _collected(prefix, said.get("ts"), received_at)
    if method == "NotifyEvent":
        _events(parts, said, received_at)
    else:
        for component, content in said.items():
            if _COMPONENT.fullmatch(component):
                _component(parts, component, members_of(content))
    return parts.decoded()


def _component(parts: Collected, component: str, content: JsonObject) -> None:
    is_first = _FIRST_INSTANCE.fullmatch(component) is not None
    for measured in flatten(content):
        before = "" if is_first and (component, measured.name) not in _OF_TWO else f"{component}."
        path = measured.name.split(".")
        if _NOT_VALUES.isdisjoint(path) and "errors" not in path and not isinstance(measured.value, str):
            parts.reading(before + measured.name, measured.value, _unit(measured.name))
    errors = items_of(content.get("errors"))
    if errors:
        parts.event("errors", {"component": component, "errors": errors})


def _unit(path: str) -> str | None:
    """Give the unit of a field: by its path, its last part, or that without the phase (`a_voltage`)."""
    field = path.rpartition(".")[2]
    found = _UNITS.get(path) or _UNITS.get(field)
    phase = _PHASE.fullmatch(field)
    return found or (_UNITS.get(phase["field"]) if phase else None)


def _events(parts: Collected, said: JsonObject, received_at: datetime) -> None:
    for item in items_of(said.get("events")):
        try:
            event = as_object(item, "an event")
            when = observed_or_arrival(event.get("ts", said.get("ts")), received_at)
        except MessageRejected as error:
            parts.reject("event", error)
            continue
        kind = event.get("event")
        details = {name: value for name, value in event.items() if name not in ("event", "ts")}
        parts.event(kind if isinstance(kind, str) else "event", details, when=when)
