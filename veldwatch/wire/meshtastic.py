"""Meshtastic: nodes of a LoRa mesh, as a gateway's MQTT module writes their packets in JSON, on `msh/.../json/...`.

The device is the sending node, written as the apps do (`!7efeee00`); the gateway that passed its packet on is the
topic's last level. Telemetry gives readings, a position a fix at its own time, all else an event under the packet's
type. The protobuf topics beside (`/e/`, `/c/`) carry the same packets, encrypted, and are left; so is `/map/`.

Source: meshtastic/firmware, src/serialization/MeshPacketSerializer.cpp; meshtastic/protobufs, telemetry.proto,
mesh.proto.
"""

import re
from datetime import datetime
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import Place, flatten
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import JsonObject, members_of, number, read_object, shown

_UNITS = {
    "battery_level": "%", "channel_utilization": "%", "air_util_tx": "%", "uptime_seconds": "s", "temperature": "Cel",
    "relative_humidity": "%RH", "barometric_pressure": "hPa", "gas_resistance": "MOhm", "lux": "lx", "white_lux": "lx",
    "ir_lux": "lx", "uv_lux": "lx", "wind_speed": "m/s", "wind_gust": "m/s", "wind_lull": "m/s",
    "wind_direction": "deg", "weight": "kg", "distance": "mm", "rainfall_1h": "mm", "rainfall_24h": "mm",
    "soil_moisture": "%", "soil_temperature": "Cel", "pm10": "ug/m3", "pm25": "ug/m3",
    "pm100": "ug/m3", "pm10_e": "ug/m3", "pm25_e": "ug/m3", "pm100_e": "ug/m3", "co2": "[ppm]", "ground_speed": "m/s",
    "altitude": "m", "voltage": "V", "current": "mA",
    **{f"voltage_ch{channel}": "V" for channel in range(1, 9)},
    **{f"current_ch{channel}": "mA" for channel in range(1, 9)},
}  # fmt: skip
_SEVEN_DIGITS = 1e7
"""Degrees are sent as integers, in units of 1e-7."""
_HUNDRED_THOUSANDTHS = 1e5
"""The course is sent in units of 1e-5 degrees; source: firmware, src/gps/GPS.cpp (ground_track)."""
_NOT_READINGS = frozenset({"latitude_i", "longitude_i", "time", "timestamp", "ground_track", "precision_bits", "id"})
_KINDS_OF_READINGS = frozenset({"telemetry", "paxcounter"})
_NODE = re.compile(r"![0-9A-Fa-f]{8}", re.ASCII)
_COMMANDS = ("sendtext", "sendposition")
"""What an application asks a gateway to send; no node said it."""
_LARGEST_NODE = 0xFFFFFFFF


class _Packet(NamedTuple):
    """One packet, with its sender named."""

    kind: str
    payload: JsonObject
    device: str
    when: When
    received_at: datetime


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read one packet, or the state of a gateway.

    Raises:
        MessageRejected: not a packet in JSON, or of no node.
    """
    levels = topic.split("/")
    if len(levels) >= 3 and levels[-2] == "stat":
        return _gateway(levels[-1], payload, received_at)
    if "json" not in levels:
        return Decoded(None)
    document = read_object(payload)
    kind, content = document.get("type"), document.get("payload")
    if kind in _COMMANDS:
        return Decoded(None)
    if not isinstance(kind, str):
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"type {shown(kind)}: not a packet of a node")
    members = members_of(content)
    when = observed_or_arrival(document.get("timestamp") or None, received_at)
    packet = _Packet(kind, members or _text(content), _node(document.get("from")), when, received_at)
    return _decoded(packet)


def _decoded(packet: _Packet) -> Decoded:
    parts = Collected(packet.device, packet.when)
    if packet.kind == "position":
        _position(parts, packet)
    elif packet.kind in _KINDS_OF_READINGS:
        _readings(parts, packet.payload, packet.when)
    elif packet.kind:
        parts.event(packet.kind, packet.payload)
    return parts.decoded()


def _text(content: object) -> JsonObject:
    return {"text": content} if isinstance(content, str) else {}


def _position(parts: Collected, packet: _Packet) -> None:
    said = packet.payload
    try:
        when = observed_or_arrival(said.get("time") or said.get("timestamp"), packet.received_at)
        # A node without a clock of its own leaves the time out; the gateway's time of reception is then the nearest.
        moment = packet.when if said.get("time", said.get("timestamp")) in (None, 0) else when
        _readings(parts, said, moment)
        longitude, latitude = _degrees(said.get("longitude_i")), _degrees(said.get("latitude_i"))
        if longitude is None and latitude is None:
            return
        place = Place(
            longitude,
            latitude,
            altitude=said.get("altitude"),
            speed=said.get("ground_speed"),
            heading=number(said["ground_track"]) / _HUNDRED_THOUSANDTHS if "ground_track" in said else None,
        )
        parts.place(place, when=moment)
    except MessageRejected as error:
        parts.reject("position", error)


def _degrees(sent: object) -> float | None:
    return None if sent is None else number(sent) / _SEVEN_DIGITS


def _readings(parts: Collected, said: JsonObject, when: When) -> None:
    for measured in flatten(said):
        if measured.name not in _NOT_READINGS and not isinstance(measured.value, str):
            parts.reading(measured.name, measured.value, _UNITS.get(measured.name), when=when)


def _node(number_of_node: object) -> str:
    """Write a node as the apps do; early firmware wrote the upper half of the numbers as negative ones."""
    if isinstance(number_of_node, str) and _NODE.fullmatch(number_of_node):
        return number_of_node.lower()
    if isinstance(number_of_node, bool) or not isinstance(number_of_node, int) or abs(number_of_node) > _LARGEST_NODE:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"from {shown(number_of_node)} (expected a node's number)")
    return f"!{number_of_node & _LARGEST_NODE:08x}"


def _gateway(level: str, payload: bytes, received_at: datetime) -> Decoded:
    said = payload.strip()
    if said not in (b"online", b"offline"):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"stat {shown(said)} (expected online or offline)")
    parts = Collected(device_level(level), observed_or_arrival(None, received_at))
    return parts.decoded(online=said == b"online")
