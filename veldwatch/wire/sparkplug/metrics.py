"""Metrics of one payload made into readings and events, with names and datatypes from their birth.

A number is a reading under the metric's own name; what is told otherwise (text, tables, bytes) is an event of kind
`text` or `data`, whose attributes are the metrics by name. A template's members are metrics of their own,
`TEMPLATE/MEMBER`. Null says that there is no value, and a transient metric asks not to be stored: neither leaves a row.

Source: Eclipse Sparkplug Specification 3.0.0, section 6.4.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Event, Quality, Reading, Rejection
from veldwatch.wire.sparkplug.memory import NOTHING_KNOWN, UNBORN, Birth, Known
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.sparkplug.values import TextOrData, fits, milliseconds, value_of
from veldwatch.wire.times import checked
from veldwatch.wire.told import Told
from veldwatch.wire.units import canonical
from veldwatch.wire.values import checked_name, shown

_UNIT_PROPERTIES = frozenset({"engunit", "engunits", "unit", "units"})
_GOOD = 0xC0
"""The two high bits of an OPC quality code that is good; the specification's codes are 0 bad, 192 good, 500 stale."""


@dataclass(slots=True, kw_only=True)
class Said:
    """What the metrics of one payload say."""

    readings: list[Reading] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


class Named(NamedTuple):
    """A metric with what is known of it."""

    metric: Payload.Metric
    known: Known
    by_alias: bool


def born(payload: Payload) -> Birth:
    """Read what a birth certificate says of its metrics."""
    found: list[Known] = []
    for metric in payload.metrics:
        with suppress(MessageRejected):  # told when the same metrics are read
            found += [_known(named) for named in _members(metric, UNBORN)]
    return Birth(found, payload.timestamp)


def read_metrics(payload: Payload, birth: Birth, device: str, received_at: datetime) -> Said:
    """Read the metrics of a payload.

    Args:
        birth: for a birth certificate its own.
        device: external id.
    """
    said = Said()
    told = Told()
    at = _Clock(payload, received_at)
    for metric in payload.metrics:
        try:
            for named in _members(metric, birth):
                _read(named, at.of(metric, named.metric), device, said, told)
        except MessageRejected as error:
            said.rejections.append(Rejection(error.reason, error.detail))
    said.events += told.events()
    return said


class _Clock:
    """When metrics were observed: their own time, else that of the payload, else that of arrival."""

    def __init__(self, payload: Payload, received_at: datetime) -> None:
        self._payload, self._received_at = payload, received_at

    def of(self, *inner: Payload.Metric) -> tuple[datetime, int]:
        for carrier in (*reversed(inner), self._payload):
            if carrier.HasField("timestamp"):
                return checked(milliseconds(carrier.timestamp), self._received_at)
        return self._received_at, int(Quality.TIME_OF_ARRIVAL)


def _members(metric: Payload.Metric, birth: Birth) -> Iterator[Named]:
    """Name a metric, and take a template apart into its members."""
    named = _named(metric, birth)
    if metric.WhichOneof("value") != "template_value":
        yield named
        return
    if metric.template_value.is_definition:
        return  # the shape of templates to come: no value of anything
    yield named._replace(metric=_without_value(metric))
    for parameter in metric.template_value.parameters:
        yield _parameter(parameter, named.known.name)
    for member in metric.template_value.metrics:
        inner = Payload.Metric()
        inner.CopyFrom(member)
        inner.name = f"{named.known.name}/{_name(member)}"
        yield from _members(inner, birth)


def _read(
    named: Named,
    when: tuple[datetime, int],
    device: str,
    said: Said,
    told: Told,
) -> None:
    metric, known = named.metric, named.known
    field_name = metric.WhichOneof("value")
    if field_name is None or metric.is_null or metric.is_transient:
        return
    try:
        value = _value(named, field_name)
        moment, quality = when
        if isinstance(value, TextOrData):
            told.add(device, moment, value.kind, known.name, value.value)
        else:
            quality |= _doubt(metric)
            said.readings.append(Reading(device, known.name, moment, value, known.unit or _unit(metric), quality))
    except MessageRejected as error:
        said.rejections.append(Rejection(error.reason, f"{shown(known.name)}: {error.detail}"))


def _value(named: Named, field_name: str) -> float | TextOrData:
    if named.by_alias and not fits(named.known.datatype, field_name):
        # The number means something else now: a birth that we did not see gave it away anew.
        raise MessageRejected(
            Reason.UNKNOWN_ALIAS, f"alias {named.known.alias} carries {field_name}: it cannot be what its birth says"
        )
    return value_of(named.metric, named.known.datatype, field_name)


def _named(metric: Payload.Metric, birth: Birth) -> Named:
    if metric.HasField("name"):
        name = _name(metric)
        known = birth.by_name.get(name, NOTHING_KNOWN)
        datatype = metric.datatype if metric.HasField("datatype") else known.datatype
        alias = metric.alias if metric.HasField("alias") else None
        return Named(metric, Known(name, alias, datatype, known.unit), by_alias=False)
    if not metric.HasField("alias"):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, "a metric with neither name nor alias")
    known = birth.by_alias.get(metric.alias)
    if known is None:
        raise MessageRejected(Reason.UNKNOWN_ALIAS, f"alias {metric.alias}: no birth certificate that we saw names it")
    return Named(metric, known, by_alias=True)


def _name(metric: Payload.Metric) -> str:
    return checked_name(metric.name, "name of a metric")


def _known(named: Named) -> Known:
    return Known(named.known.name, named.known.alias, named.known.datatype, _unit(named.metric))


def _without_value(metric: Payload.Metric) -> Payload.Metric:
    """A template itself has no value, but a name and an alias."""
    bare = Payload.Metric()
    bare.CopyFrom(metric)
    bare.ClearField("template_value")
    return bare


def _parameter(parameter: Payload.Template.Parameter, template: str) -> Named:
    """A parameter is a metric that never changes; its fields carry what those of a metric do."""
    metric = Payload.Metric(name=checked_name(f"{template}/{parameter.name}", "name of a parameter"))
    field_name = parameter.WhichOneof("value")
    if field_name is not None and field_name != "extension_value":
        setattr(metric, field_name, getattr(parameter, field_name))
    return Named(metric, Known(metric.name, None, parameter.type), by_alias=False)


def _unit(metric: Payload.Metric) -> str | None:
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if f"{key}".lower() in _UNIT_PROPERTIES and value.HasField("string_value"):
            return canonical(f"{value.string_value}")
    return None


def _doubt(metric: Payload.Metric) -> int:
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if f"{key}".lower() == "quality" and value.WhichOneof("value") in ("int_value", "long_value"):
            code = value.int_value or value.long_value
            return 0 if code & _GOOD == _GOOD and code < 256 else int(Quality.IMPLAUSIBLE)
    return 0
