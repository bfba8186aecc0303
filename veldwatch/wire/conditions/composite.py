"""Documents of conditions on one device that are combined."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeVar, cast

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not, Part, metrics_of_part
from veldwatch.model.conditions.movement import Geofence, Near
from veldwatch.wire.conditions.event import event_schemas, read_event
from veldwatch.wire.conditions.flow import (
    continuous_flow_schemas,
    night_flow_schemas,
    read_continuous_flow,
    read_night_flow,
)
from veldwatch.wire.conditions.movement import (
    geofence_schemas,
    immobility_schemas,
    near_schemas,
    read_geofence,
    read_immobility,
    read_near,
    read_speed,
    speed_schemas,
)
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of
from veldwatch.wire.conditions.silence import absence_schemas, read_absence
from veldwatch.wire.conditions.usual import baseline_schemas, read_baseline
from veldwatch.wire.conditions.values import (
    by_limit,
    change_schemas,
    limits_of,
    rate_of_change_schemas,
    read_change,
    read_rate_of_change,
    read_repeat,
    read_stuck,
    read_threshold,
    repeat_schemas,
    stuck_schemas,
    threshold_schemas,
)
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.expressions import Expression

_DEEPEST = 4
_MOST_PARTS = 8
_MOST_METRICS = 16
_PART: dict[str, Any] = {"$ref": "#/$defs/part"}
_Kind = TypeVar("_Kind", Calculated, AllOf, AnyOf, Not)


def read_calculated(part: DocumentPart) -> Calculated:
    """Read a calculated field."""
    limits = limits_of(part)
    text = part.text("expression")
    try:
        expression = Expression(text)
    except ValueError as error:
        raise RuleInvalid(f"bad {part.at('expression')}: {error}") from error
    given = part.labels("names")
    unused = sorted(set(given) - set(expression.names))
    if unused:
        raise part.wrong("names", unused[0], "expected a name that the expression uses")
    if not expression.names:
        raise part.wrong("expression", text, "expected the name of a metric in it")
    condition = Calculated(
        expression=text,
        names=MappingProxyType({name: given.get(name, name) for name in expression.names}),
        **limits._asdict(),
        within=part.duration_or("within", timedelta(minutes=15)),
    )
    return _bounded(part, condition)


def read_all_of(part: DocumentPart) -> AllOf:
    """Read a condition whose parts all hold."""
    return _bounded(part, AllOf(of=_parts(part, 1)))


def read_any_of(part: DocumentPart) -> AnyOf:
    """Read a condition of whose parts one holds."""
    return _bounded(part, AnyOf(of=_parts(part, 1)))


def read_not(part: DocumentPart) -> Not:
    """Read a condition that does not hold."""
    return _bounded(part, Not(of=_part(part.part("of"), 1)))


def calculated_schemas() -> list[dict[str, Any]]:
    """Describe a calculated field, by the limit that is given."""
    names = {"type": "object", "additionalProperties": TEXT, "description": "metric by name in the expression"}
    properties: dict[str, Any] = {"expression": {**TEXT, "maxLength": 500}, "names": names, "within": DURATION}
    return by_limit("calculated", properties, ["expression"])


def all_of_schemas() -> list[dict[str, Any]]:
    """Describe a condition whose parts all hold."""
    return [_several("all_of")]


def any_of_schemas() -> list[dict[str, Any]]:
    """Describe a condition of whose parts one holds."""
    return [_several("any_of")]


def not_schemas() -> list[dict[str, Any]]:
    """Describe a condition that does not hold."""
    return [kind_of("not", {"of": _PART}, ["of"])]


def _with_own_shape(schemas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the variants that name sites."""
    return [schema for schema in schemas if not {"site", "sites_of_kind"} & set(schema["required"])]


def part_schema() -> dict[str, Any]:
    """Describe what may be combined, as `#/$defs/part`."""
    several = (all_of_schemas, any_of_schemas, not_schemas)
    schemas = [schema for describe in (*_SCHEMAS, *several) for schema in describe()]
    return {"oneOf": [*schemas, *_with_own_shape(geofence_schemas()), *_with_own_shape(near_schemas())]}


def _several(kind: str) -> dict[str, Any]:
    of: dict[str, Any] = {"type": "array", "items": _PART, "minItems": 2, "maxItems": _MOST_PARTS}
    return kind_of(kind, {"of": of}, ["of"])


def _parts(part: DocumentPart, depth: int) -> tuple[Part, ...]:
    listed: object = part.raw("of")
    items = cast("list[object]", listed) if isinstance(listed, list) else []
    if not 2 <= len(items) <= _MOST_PARTS:
        raise part.wrong("of", items or part.raw("of"), f"expected a list of 2 to {_MOST_PARTS} conditions")
    return tuple(_part(DocumentPart(item, f"{part.at('of')}[{number}]"), depth) for number, item in enumerate(items))


def _part(part: DocumentPart, depth: int) -> Part:
    if depth > _DEEPEST:
        raise part.wrong("kind", part.raw("kind"), f"expected conditions nested at most {_DEEPEST} deep")
    kind = part.text("kind")
    condition: Part
    if kind in _READERS:
        condition = _READERS[kind](part)
    elif kind == "not":
        condition = Not(of=_part(part.part("of"), depth + 1))
    elif kind in ("all_of", "any_of"):
        condition = (AllOf if kind == "all_of" else AnyOf)(of=_parts(part, depth + 1))
    else:
        known = ", ".join((*_READERS, "all_of", "any_of", "not"))
        why = f"; {_NO_PARTS[kind]}" if kind in _NO_PARTS else ""
        raise part.wrong("kind", kind, f"expected one of {known}{why}")
    if isinstance(condition, (Geofence, Near)) and condition.shape is None:
        field = "site" if condition.site is not None else "sites_of_kind"
        raise part.wrong(field, part.raw(field), "expected polygon, line or feature: a part brings its own geometry")
    part.done()
    return condition


def _bounded(part: DocumentPart, condition: _Kind) -> _Kind:
    metrics = metrics_of_part(condition)
    if len(metrics) > _MOST_METRICS:
        raise part.wrong("of", len(metrics), f"expected at most {_MOST_METRICS} metrics")
    return condition


_READERS: Mapping[str, Callable[[DocumentPart], Part]] = {
    "threshold": read_threshold,
    "rate_of_change": read_rate_of_change,
    "change": read_change,
    "repeat": read_repeat,
    "stuck": read_stuck,
    "baseline": read_baseline,
    "continuous_flow": read_continuous_flow,
    "night_flow": read_night_flow,
    "calculated": read_calculated,
    "absence": read_absence,
    "event": read_event,
    "geofence": read_geofence,
    "near": read_near,
    "immobility": read_immobility,
    "speed": read_speed,
}
_SCHEMAS: Sequence[Callable[[], list[dict[str, Any]]]] = (
    threshold_schemas,
    rate_of_change_schemas,
    change_schemas,
    repeat_schemas,
    stuck_schemas,
    baseline_schemas,
    continuous_flow_schemas,
    night_flow_schemas,
    calculated_schemas,
    absence_schemas,
    event_schemas,
    immobility_schemas,
    speed_schemas,
)
_OF_MANY = "it is about many devices, of which more is known only when a stretch of time is over"
_NO_PARTS: Mapping[str, str] = {
    "spike": "a spike is over by the time it is known, so that nothing can hold at once with it",
    "joint_baseline": "it looks at several series itself: use baseline for each of them",
    "area_outage": _OF_MANY,
    "balance": _OF_MANY,
    "neighbours": _OF_MANY,
    "proximity": _OF_MANY,
}
"""Kinds that cannot be combined, and why."""
