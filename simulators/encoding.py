"""From reports to bytes: our own JSON, the same whether a device was read alone or with a hundred thousand others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import cast

import numpy as np

from simulators.chance import Floats
from simulators.moment import from_milliseconds
from simulators.report import Message, Metric, Name, Report
from veldwatch.model.telemetry import Position
from veldwatch.wire.topics import Kind, topic_for
from veldwatch.wire.veldwatch_json import encode_event, encode_position, encode_status

_new_message = cast("Callable[[type[Message], tuple[int, str, bytes]], Message]", tuple.__new__)
topic_of = lru_cache(maxsize=1 << 20)(topic_for)


def encode_many(
    names: Sequence[Name], metrics: Sequence[Metric], values: Mapping[str, Floats], at: int
) -> Iterator[Message]:
    """Encode readings of n devices at one moment; a value that is not a number is left out."""
    told = [metric for metric in metrics if metric.name in values]
    if not told:
        return
    columns = [np.round(values[metric.name], metric.decimals) for metric in told]
    if any(np.isnan(column).any() for column in columns):
        for row, name in enumerate(names):
            readings = {metric.name: float(c[row]) for metric, c in zip(told, columns, strict=True)}
            yield from encode(name, metrics, Report(readings=readings), at)
        return
    template = _readings_template(at, told)
    topics = [topic_of(organisation, device, Kind.READINGS) for organisation, device in names]
    payloads = [(template % row).encode() for row in zip(*[column.tolist() for column in columns], strict=True)]
    # Made without a call of Python's for each: half a microsecond of the two or three that a message costs.
    yield from map(_new_message, repeat(Message), zip(repeat(at), topics, payloads))


def encode(name: Name, metrics: Sequence[Metric], report: Report, at: int) -> Iterator[Message]:
    """Encode one device's report: status, fix, readings, events."""
    organisation, device = name
    observed_at = from_milliseconds(at)
    if report.alive:
        yield Message(
            at, topic_of(organisation, device, Kind.STATUS), encode_status(online=True, observed_at=observed_at)
        )
    if report.fix is not None:
        fix = report.fix
        position = Position(
            device=device,
            observed_at=observed_at,
            longitude=fix.longitude,
            latitude=fix.latitude,
            accuracy=fix.accuracy,
            speed=fix.speed,
            heading=fix.heading,
        )
        yield Message(at, topic_of(organisation, device, Kind.POSITIONS), encode_position(position))
    told = [metric for metric in metrics if not np.isnan(report.readings.get(metric.name, np.nan))]
    if told:
        # NumPy's rounding, so that a device read alone says the same as among others.
        row = tuple(float(np.round(report.readings[metric.name], metric.decimals)) for metric in told)
        template = _readings_template(at, told)
        yield Message(at, topic_of(organisation, device, Kind.READINGS), (template % row).encode())
    for kind, attributes in report.events:
        payload = encode_event(observed_at, kind, attributes)
        yield Message(at, topic_of(organisation, device, Kind.EVENTS), payload)


def _readings_template(at: int, metrics: Sequence[Metric]) -> str:
    return "".join(
        [f'{{"observed_at":"{_stamp(at)}","readings":{{', ",".join([_template(metric) for metric in metrics]), "}}"]
    )


def _template(metric: Metric) -> str:
    unit = metric.unit.replace("%", "%%")
    return f'"{metric.name}":{{"value":%r,"unit":"{unit}"}}'


@lru_cache(maxsize=64)
def _stamp(at: int) -> str:
    return from_milliseconds(at).isoformat(timespec="milliseconds" if at % 1000 else "seconds").replace("+00:00", "Z")
