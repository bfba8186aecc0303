"""Meshtastic: nodes of a LoRa mesh, as a gateway's MQTT module writes their packets in JSON, on `msh/.../json/...`.

The device is the sending node, written as the apps do (`!7efeee00`); the gateway that passed its packet on is the
topic's last level. Telemetry gives readings, a position a fix at its own time, all else an event under the packet's
type. The protobuf topics beside (`/e/`, `/c/`) carry the same packets, encrypted, and are left; so is `/map/`.

Where several gateways hear a packet each of them passes it on, with its own time of reception. What the first says is
stored; the others' copies, known by sender and packet number, prove only that the node was heard.

Source: meshtastic/firmware, src/serialization/MeshPacketSerializer.cpp; meshtastic/protobufs, telemetry.proto,
mesh.proto.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import Place, flatten
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.stateful import Changes, StatefulDecoder
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
_COPIES_WITHIN = timedelta(minutes=10)
"""A gateway whose own connection is gone sends what it heard later; a node counts its packets from anywhere."""
_MOST_REMEMBERED = 500
"""Packets of one channel: a mesh sends one in some seconds."""


class _Packet(NamedTuple):
    """One packet, with its sender named; `identity` None: it has no number."""

    kind: str
    payload: JsonObject
    device: str
    when: When
    received_at: datetime
    identity: str | None


class _Heard(msgspec.Struct, frozen=True, array_like=True):
    """Which gateway was the first to pass a packet on, and when that came."""

    gateway: str
    at: datetime


_Memory = Mapping[str, _Heard]
"""Packets that were passed on lately, by sender and number, in the order in which they came."""


class MeshtasticDecoder(StatefulDecoder[_Memory]):
    """Reads packets; a memory is that of one channel, as `msh/EU_868/2/json/LongFast`."""

    name = "meshtastic"

    def memory_name(self, topic: str) -> str | None:
        """Name the channel; the states of gateways, and what is not in JSON, need no memory."""
        levels = topic.split("/")
        return "/".join(levels[:-1]) if "json" in levels[:-1] and levels[-2] != "stat" else None

    def blank(self) -> _Memory:
        """Know of no packet."""
        return {}

    def changes(self, before: _Memory, after: _Memory) -> Changes:
        """Write all of it: it is short."""
        del before
        return Changes(msgspec.json.encode(dict(after)), {})

    def restore(self, head: bytes, parts: Mapping[str, bytes]) -> _Memory:
        """Read the packets."""
        del parts
        try:
            return msgspec.json.decode(head, type=dict[str, _Heard])
        except msgspec.DecodeError:
            return {}

    def decode(self, memory: _Memory, topic: str, payload: bytes, received_at: datetime) -> tuple[_Memory, Decoded]:
        """Read one packet, or the state of a gateway.

        Raises:
            MessageRejected: not a packet in JSON, or of no node.
        """
        packet = _packet(topic, payload, received_at)
        if isinstance(packet, Decoded):
            return memory, packet
        decoded, gateway = _decoded(packet), topic.rpartition("/")[2]
        if packet.identity is None:
            return memory, decoded
        first = memory.get(packet.identity)
        if first is not None and abs(received_at - first.at) <= _COPIES_WITHIN:
            # The same gateway's message once more is not the mesh's doing: it may be replayed because it was refused.
            return memory, decoded if first.gateway == gateway else Decoded(None, heard=decoded.heard)
        kept = dict(islice(memory.items(), max(0, len(memory) + 1 - _MOST_REMEMBERED), None))
        kept.pop(packet.identity, None)
        return kept | {packet.identity: _Heard(gateway, received_at)}, decoded


def _packet(topic: str, payload: bytes, received_at: datetime) -> _Packet | Decoded:
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
    node = _node(document.get("from"))
    return _Packet(
        kind=kind,
        payload=members_of(content) or _text(content),
        device=node,
        when=observed_or_arrival(document.get("timestamp") or None, received_at),
        received_at=received_at,
        identity=_identity(node, document.get("id")),
    )


def _identity(node: str, number_of_packet: object) -> str | None:
    is_number = isinstance(number_of_packet, int) and not isinstance(number_of_packet, bool) and number_of_packet != 0
    return f"{node}/{number_of_packet}" if is_number else None


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
