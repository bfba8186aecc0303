"""wmbusmeters: the JSON that it makes of a wireless M-Bus telegram, on any topic that its `shell` setting names.

A field's unit is its name's last part (`total_m3`, `max_flow_m3h`); a number is a reading under the field's own name,
text never is one. `timestamp` is when the receiver heard the telegram; `device_datetime`, `set_date` and the like are
the meter's own calendar, in text, and not ours to judge. A status other than OK is an event.

Source: wmbusmeters, src/units.h (LIST_OF_UNITS) and README.
"""

from datetime import datetime

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Quality, Reading, Rejection
from veldwatch.wire.sentinels import doubt
from veldwatch.wire.times import observed
from veldwatch.wire.values import JsonObject, attributes, checked_name, number, read_object, shown

_UNITS = {
    "m3": "m3", "l": "L", "m3h": "m3/h", "lh": "L/h", "kwh": "kWh", "mj": "MJ", "gj": "GJ", "kvarh": "kvarh",
    "kvah": "kVAh", "m3c": "m3.Cel", "kw": "kW", "w": "W", "m3ch": "m3.Cel/h", "kvar": "kvar", "kva": "kVA",
    "c": "Cel",
    "f": "[degF]", "k": "K", "v": "V", "mv": "mV", "a": "A", "ma": "mA", "hz": "Hz", "pa": "Pa", "bar": "bar",
    "s": "s",
    "min": "min", "h": "h", "d": "d", "month": "mo", "y": "a", "ut": "s", "rh": "%RH", "hca": "HCA", "deg": "deg",
    "rad": "rad", "counter": "1", "factor": "1", "nr": "1", "pct": "%", "dbm": "dBm", "m": "m", "kg": "kg",
    "mol": "mol",
    "cd": "cd", "ppm": "[ppm]", "lux": "lx", "wh": "Wh", "db": "dB",
}  # fmt: skip
_DEVICE_KEYS = ("id", "name")
_SOUND = frozenset({"", "OK", "NULL", "NULL_STATUS"})


def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    """Read one telegram.

    Raises:
        MessageRejected: not a telegram, or not of a device with a name, or at no time that can be.
    """
    del topic  # the meter is named in the telegram; the topic is free
    telegram = read_object(payload)
    device = _device(telegram)
    moment, quality = _observed(telegram, received_at)
    readings: list[Reading] = []
    rejections: list[Rejection] = []
    for field, value in telegram.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or field in _DEVICE_KEYS:
            continue
        try:
            metric, unit, amount = checked_name(field, "field"), unit_of(field), number(value)
            doubtful = quality | doubt(metric, unit, amount)
            readings.append(Reading(device, metric, moment, amount, unit, doubtful))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, f"{shown(field)}: {error.detail}"))
    return Decoded(
        None,
        readings=tuple(readings),
        events=_status_event(telegram, device, moment),
        rejections=tuple(rejections),
        heard=(device,),
    )


def unit_of(field: str) -> str | None:
    """Give the UCUM code of a field by its name's last part; None: the name has no unit."""
    return _UNITS.get(field.rpartition("_")[2]) if "_" in field else None


def _device(telegram: JsonObject) -> str:
    if not {"meter", "media", "_", "timestamp"} & telegram.keys():
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no telegram: neither meter, media nor timestamp is in it")
    identity = telegram.get("id")
    if isinstance(identity, int) and not isinstance(identity, bool):
        return str(identity)[:64]
    return checked_name(identity, "id of the meter")


def _observed(telegram: JsonObject, received_at: datetime) -> tuple[datetime, int]:
    """The receiver publishes at once, so where `--selectfields` left the time out, arrival stands for it."""
    if "timestamp" not in telegram:
        return received_at, int(Quality.TIME_OF_ARRIVAL)
    return observed(telegram["timestamp"], received_at)


def _status_event(telegram: JsonObject, device: str, moment: datetime) -> tuple[Event, ...]:
    status = telegram.get("status")
    if not isinstance(status, str) or status in _SOUND:
        return ()
    words = {
        field: value
        for field, value in telegram.items()
        if isinstance(value, str) and (field.endswith("status") or field in ("meter", "media", "name"))
    }
    return (Event(device, moment, "status", attributes(words)),)
