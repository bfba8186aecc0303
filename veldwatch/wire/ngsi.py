"""NGSI-v2 and NGSI-LD: entities of FIWARE context brokers, alone, in a list or in a notification, on any topic.

Key-values and the normalised form are read. The device is the entity's id; a numeric attribute is a reading under its
own name, with the unit of its `unitCode`, else of its smart data model. An attribute's own time counts, else the
entity's `dateObserved`, else the latest of its attributes, else arrival. An alarm attribute that is raised is an
event as well. `location` is a fix, longitude before latitude as in GeoJSON.

Source: ETSI GS CIM 009 (NGSI-LD); FIWARE-NGSI v2 Specification; smart-data-models, the models named below; UN/CEFACT
Recommendation 20 (unit codes).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.codec_objects import Place, flatten
from veldwatch.wire.collected import Collected, When, read_each
from veldwatch.wire.local_times import utc_unless_said
from veldwatch.wire.times import observed_or_arrival
from veldwatch.wire.units import canonical
from veldwatch.wire.values import (
    JsonObject,
    as_object,
    checked_name,
    is_numeric_text,
    items_of,
    members_of,
    read_json,
)

_UNIT_CODES = {
    "CEL": "Cel", "FAH": "[degF]", "KEL": "K", "P1": "%", "C62": "1", "LTR": "L", "MTQ": "m3", "MQH": "m3/h",
    "MQS": "m3/s", "E32": "L/h", "L2": "L/min", "G51": "L/s", "KWH": "kWh", "WHR": "Wh", "MWH": "MWh", "KWT": "kW",
    "WTT": "W", "MAW": "MW", "JOU": "J", "AMP": "A", "4K": "mA", "VLT": "V", "2Z": "mV", "KVT": "kV", "HTZ": "Hz",
    "D46": "VA", "KVA": "kVA", "D44": "var", "KVR": "kvar", "K3": "kvarh", "OHM": "Ohm", "MTS": "m/s", "KMH": "km/h",
    "MMT": "mm", "CMT": "cm", "MTR": "m", "KMT": "km", "PAL": "Pa", "A97": "hPa", "MBR": "mbar", "BAR": "bar",
    "KPA": "kPa", "LUX": "lx", "GP": "mg/m3", "GQ": "ug/m3", "M1": "mg/L", "59": "[ppm]", "61": "[ppb]", "2N": "dB",
    "DBM": "dBm", "DD": "deg", "SEC": "s", "MIN": "min", "HUR": "h", "DAY": "d", "KGM": "kg", "GRM": "g",
    "D54": "W/m2", "D10": "S/m", "H61": "mS/cm", "G42": "uS/cm", "MTK": "m2", "H67": "mm/h",
}  # fmt: skip
_WEATHER = {
    "temperature": "Cel", "feelsLikeTemperature": "Cel", "feelsLikesTemperature": "Cel", "dewPoint": "Cel",
    "relativeHumidity": "1", "atmosphericPressure": "hPa", "windSpeed": "m/s", "gustSpeed": "m/s",
    "windDirection": "deg", "precipitation": "L/m2", "solarRadiation": "W/m2", "illuminance": "lx",
    "snowHeight": "cm", "streamGauge": "cm",
}  # fmt: skip
# What each model says of units in its schema's descriptions, for key-values, which cannot say it.
_MODEL_UNITS: dict[str, dict[str, str]] = {
    "WaterConsumptionObserved": {"waterConsumption": "L", "maxFlow": "L/h", "minFlow": "L/h"},
    "WeatherObserved": _WEATHER,
    "AirQualityObserved": {name: unit for name, unit in _WEATHER.items() if name != "illuminance"},
    "WaterQualityObserved": {
        "temperature": "Cel", "bod": "mg/L", "cod": "mg/L", "tss": "mg/L", "tds": "mg/L", "O2": "mg/L",
        "Chla": "ug/L", "NH4": "mg/L", "NH3": "mg/L", "NO3": "mg/L", "PO4": "mg/L", "Cl-": "mg/L",
        "conductivity": "S/m", "pH": "[pH]",
    },
    "NoiseLevelObserved": {"LAeq": "dB", "LAmax": "dB", "LAS": "dB", "LAeq_d": "dB"},
    "ACMeasurement": {
        "totalActiveEnergyImport": "kWh", "totalActiveEnergyExport": "kWh", "totalReactiveEnergyImport": "kvarh",
        "totalReactiveEnergyExport": "kvarh", "frequency": "Hz", "totalActivePower": "W", "totalReactivePower": "var",
        "totalApparentPower": "VA", "activePower": "W", "reactivePower": "var", "apparentPower": "VA", "current": "A",
        "phaseVoltage": "V", "phaseToPhaseVoltage": "V", "powerFactor": "1",
    },
    "Device": {"batteryLevel": "1", "rssi": "1"},
}  # fmt: skip
_MODEL_UNITS["ThreePhaseAcMeasurement"] = _MODEL_UNITS["ACMeasurement"]
_NOT_VALUES = frozenset(
    {"id", "type", "@context", "location", "address", "name", "alternateName", "description", "source", "dataProvider",
     "owner", "seeAlso", "areaServed", "dateCreated", "dateModified", "createdAt", "modifiedAt", "position", "geometry",
     "serialNumber", "category", "observedAt", "dataQuality", "stationCode", "stationName"}
)  # fmt: skip
_TIMES = (
    "dateObserved",
    "observedAt",
    "TimeInstant",
    "timestamp",
    "dateObservedTo",
    "measurementDate",
    "dateLastValueReported",
)
_ALARM = re.compile(r"alarm|.*tamper|.*leak(?:age)?(?:Detected|Alarm)$", re.IGNORECASE)


class _Attribute(NamedTuple):
    """One attribute, in whichever form it came."""

    name: str
    value: object
    unit: str | None
    when: object


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read entities.

    Raises:
        MessageRejected: no entity is in it.
    """
    del topic  # who and when are in the payload; the topic is free
    return read_each(_entities(read_json(payload)), lambda entity: _entity(as_object(entity, "an entity"), received_at))


def _entities(document: object) -> Iterator[object]:
    """Unwrap a list, a notification (`data`), and the body that Orion-LD puts a notification into over MQTT."""
    listed = items_of(document)
    if listed:
        yield from listed
        return
    said = members_of(document)
    if "body" in said and "id" not in said:
        yield from _entities(said["body"])
    elif isinstance(said.get("data"), list) and ("subscriptionId" in said or said.get("type") == "Notification"):
        yield from _entities(said["data"])
    else:
        yield document


def _entity(entity: JsonObject, received_at: datetime) -> Decoded:
    if not isinstance(entity.get("id"), str) or not isinstance(entity.get("type"), str):
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no entity: an id and a type are not in it")
    attributes = [_attribute(name, value) for name, value in entity.items()]
    parts = Collected(checked_name(entity["id"], "id of the entity"), _when(attributes, received_at))
    units = _MODEL_UNITS.get(str(entity["type"]).rpartition("/")[2].rpartition("#")[2], {})
    for attribute in attributes:
        try:
            when = None if attribute.when is None else _read(attribute.when, received_at)
        except MessageRejected as error:
            parts.reject(attribute.name, error)
            continue
        if attribute.name == "location":
            _location(parts, attribute.value, when)
        elif attribute.name not in _NOT_VALUES and not attribute.name.startswith("ref"):
            _values(parts, attribute, attribute.unit or units.get(attribute.name), when)
    return parts.decoded()


def _attribute(name: str, said: object) -> _Attribute:
    # Of an attribute that several sources tell (NGSI-LD, datasetId) the first is taken.
    first = next((item for item in items_of(said) if "datasetId" in members_of(item)), said)
    members = members_of(first)
    if "type" not in members or not {"value", "object"} & members.keys():
        return _Attribute(name, _plain(first), None, None)
    noted = members_of(members.get("metadata"))
    code = members.get("unitCode", _bare(noted.get("unitCode", noted.get("unit"))))
    times = (
        members.get("observedAt"),
        *(_bare(noted.get(kind)) for kind in ("TimeInstant", "dateObserved", "timestamp")),
    )
    return _Attribute(
        name,
        _plain(members.get("value")),
        _unit(code) if isinstance(code, str) else None,
        next((moment for moment in times if moment is not None), None),
    )


def _plain(value: object) -> object:
    """Take a value out of the typed form of JSON-LD: `{"@type": "DateTime", "@value": "..."}`."""
    return members_of(value).get("@value", value)


def _bare(noted: object) -> object:
    return members_of(noted).get("value", noted)


def _unit(code: str) -> str | None:
    return _UNIT_CODES.get(code.strip().upper()) or canonical(code)


def _when(attributes: list[_Attribute], received_at: datetime) -> When:
    """Give the entity's time; an interval counts by its end, when the observation was complete."""
    said = {attribute.name: attribute.value for attribute in attributes}
    for name in _TIMES:
        value = said.get(name)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            return _read(str(value).rpartition("/")[2] if isinstance(value, str) else value, received_at)
    own: list[When] = []
    for attribute in attributes:
        with suppress(MessageRejected):  # the attribute itself is rejected, with its reason, where its value is read
            own += [] if attribute.when is None else [_read(attribute.when, received_at)]
    return max(own, default=observed_or_arrival(None, received_at))


def _read(value: object, received_at: datetime) -> When:
    """Read a time; without an offset it is in UTC, source: FIWARE-NGSI v2, "Datetime support"; a day is no time."""
    if isinstance(value, str) and len(value) == 10:
        return observed_or_arrival(None, received_at)
    return observed_or_arrival(utc_unless_said(value), received_at)


def _values(parts: Collected, attribute: _Attribute, unit: str | None, when: When | None) -> None:
    value = attribute.value
    if isinstance(value, (dict, list)):
        # A structured value: `{"L1": 230.1, "L2": 229.8}`.
        for measured in flatten({attribute.name: attribute.value}):
            if not isinstance(measured.value, str):
                parts.reading(measured.name, measured.value, measured.unit or unit, when=when)
        return
    # Text that looks like a number may be a name; it is one where its unit is known.
    if not (is_numeric_text(value) and unit is None):
        parts.reading(attribute.name, value, unit, when=when)
    if _ALARM.match(attribute.name) and value in (True, 1):
        parts.event(attribute.name, {"value": value}, when=when)


def _location(parts: Collected, value: object, when: When | None) -> None:
    """Read a point; a line or an area is where something lies, not where a device is."""
    if isinstance(value, str) and value.count(",") == 1:
        latitude, longitude = (part.strip() for part in value.split(","))  # geo:point of NGSI-v2
        parts.place(Place(longitude, latitude), when=when)
    elif members_of(value).get("type") == "Point":
        coordinates = items_of(members_of(value).get("coordinates"))
        if len(coordinates) >= 2:
            east, north, *up = coordinates
            parts.place(Place(east, north, altitude=up[0] if up else None), when=when)
