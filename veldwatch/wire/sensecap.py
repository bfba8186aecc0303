"""SenseCAP's codecs: a list `messages` of measurements, each of which says by a number what it measures.

The number gives name and unit, whatever words and place in the list the codec chose. A tracker's longitude and
latitude of one time are a fix at that time, for it sends late what it could not send; what happened to it (SOS, fall,
motion) is events.

Source: Seeed, SenseCAP API, "List of Measurement IDs"; SenseCAP's decoders for The Things Network of S210x (numbers
alone) and T1000 (a word and a time in milliseconds with each).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import cast

from veldwatch.errors import MessageRejected
from veldwatch.wire.codec_objects import Place, flatten, is_identity
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.values import JsonObject, is_name, items_of, members_of

_LONGITUDE, _LATITUDE, _HAPPENED = "4197", "4198", "4200"
_KNOWN: dict[str, tuple[str, str | None]] = {
    "3000": ("battery", "%"),
    "4097": ("air_temperature", "Cel"),
    "4098": ("air_humidity", "%RH"),
    "4099": ("light_intensity", "lx"),
    "4100": ("co2", "[ppm]"),
    "4101": ("barometric_pressure", "Pa"),
    "4102": ("soil_temperature", "Cel"),
    "4103": ("soil_moisture", "%"),
    "4104": ("wind_direction", "deg"),
    "4105": ("wind_speed", "m/s"),
    "4106": ("ph", "[pH]"),
    "4107": ("light_quantum", "umol/m2/s"),
    "4108": ("electrical_conductivity", "dS/m"),
    "4109": ("dissolved_oxygen", "mg/L"),
    "4110": ("soil_volumetric_water_content", "%"),
    "4111": ("soil_electrical_conductivity", "dS/m"),
    "4112": ("soil_temperature", "Cel"),
    "4113": ("rainfall_hourly", "mm/h"),
    "4115": ("distance", "cm"),
    "4116": ("water_leak", None),
    "4117": ("liquid_level", "cm"),
    "4118": ("nh3", "[ppm]"),
    "4119": ("h2s", "[ppm]"),
    "4120": ("flow_rate", "m3/h"),
    "4121": ("total_flow", "m3"),
    "4122": ("oxygen_concentration", "%"),
    "4123": ("water_electrical_conductivity", "uS/cm"),
    "4124": ("water_temperature", "Cel"),
    "4125": ("soil_heat_flux", "W/m2"),
    "4126": ("sunshine_duration", "h"),
    "4127": ("total_solar_radiation", "W/m2"),
    "4128": ("water_surface_evaporation", "mm"),
    "4129": ("photosynthetically_active_radiation", "umol/m2/s"),
    "4131": ("sound_intensity", None),
    "4133": ("soil_tension", "kPa"),
    "4134": ("salinity", "mg/L"),
    "4135": ("tds", "mg/L"),
    "4136": ("leaf_temperature", "Cel"),
    "4137": ("leaf_wetness", "%"),
    "4138": ("soil_moisture_10cm", "%"),
    "4139": ("soil_moisture_20cm", "%"),
    "4140": ("soil_moisture_30cm", "%"),
    "4141": ("soil_moisture_40cm", "%"),
    "4142": ("soil_temperature_10cm", "Cel"),
    "4143": ("soil_temperature_20cm", "Cel"),
    "4144": ("soil_temperature_30cm", "Cel"),
    "4145": ("soil_temperature_40cm", "Cel"),
    "4146": ("pm2_5", "ug/m3"),
    "4147": ("pm10", "ug/m3"),
    "4148": ("noise", "dB"),
    "4150": ("acceleration_x", "m/s2"),
    "4151": ("acceleration_y", "m/s2"),
    "4152": ("acceleration_z", "m/s2"),
    "4157": ("ammonium", "mg/L"),
    "4190": ("uv_index", None),
    "4191": ("wind_gust", "m/s"),
    "4192": ("sound_intensity", "dB"),
    "4195": ("tvoc", "[ppb]"),
    "4199": ("light", "%"),
}
# What a decoder says of the message and not of what was measured.
_NOT_VALUES = frozenset({"fport", "motionId", "timestamp"})
_DEEPEST = 4


def collect(parts: Collected, content: JsonObject, received_at: datetime) -> JsonObject:
    """Add the measurements of an object, and give what else is in it; of other codecs that is all of it."""
    items = list(_items(content.get("messages")))
    if not any("measurementId" in item for item in items):
        return content
    fixes: dict[When | None, dict[object, object]] = {}
    for item in items:
        try:
            when = observed_or_arrival(item["timestamp"], received_at) if item.get("timestamp") else None
        except MessageRejected as error:
            parts.reject("timestamp", error)
            continue
        if str(item.get("measurementId")) in (_LONGITUDE, _LATITUDE):
            fixes.setdefault(when, {})[str(item["measurementId"])] = item.get("measurementValue")
        else:
            _read(parts, item, when)
    for when, said in fixes.items():
        longitude, latitude = said.get(_LONGITUDE), said.get(_LATITUDE)
        if longitude is not None and latitude is not None:
            parts.place(Place(longitude, latitude), when=when)
    return {name: value for name, value in content.items() if name != "messages"}


def _read(parts: Collected, item: JsonObject, when: When | None) -> None:
    identity, value = str(item.get("measurementId")), item.get("measurementValue")
    if "measurementId" not in item:
        _others(parts, item, when)
    elif identity == _HAPPENED:
        _happened(parts, value, when)
    else:
        name, unit = _named(identity, item.get("type"))
        parts.reading(name, value, unit, when=when)


def _items(node: object, depth: int = 0) -> Iterator[JsonObject]:
    """Yield the objects of lists in lists: one list for each frame of a message."""
    if isinstance(node, dict):
        yield cast("JsonObject", node)
    elif depth < _DEEPEST:
        for below in items_of(node):
            yield from _items(below, depth + 1)


def _named(identity: str, said: object) -> tuple[str, str | None]:
    """Name what a number stands for; one that is unknown is named by the codec's word, else by itself."""
    if identity in _KNOWN:
        return _KNOWN[identity]
    word = _slug(said) if isinstance(said, str) and said != "report_telemetry" else ""
    return word or f"measurement_{identity}", None


def _happened(parts: Collected, told: object, when: When | None) -> None:
    for event in items_of(told):
        name = members_of(event).get("eventName", event)
        if isinstance(name, str) and _slug(name):
            parts.event(_slug(name), {}, when=when)


def _others(parts: Collected, item: JsonObject, when: When | None) -> None:
    """Read what is no measurement: `{"type": "upload_battery", "battery": 92}`."""
    for measured in flatten({name: value for name, value in item.items() if name not in _NOT_VALUES}):
        if not is_identity(measured):
            parts.reading(measured.name, measured.value, measured.unit, when=when)


def _slug(text: str) -> str:
    slug = re.sub(r"\W+", "_", text[:200]).strip("_").lower()
    return slug if is_name(slug) else ""
