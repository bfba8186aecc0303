"""Documents of conditions on events."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.event import EventCondition, EventPattern
from veldwatch.wire.conditions.shapes import DURATION, TEXT, kind_of, object_of
from veldwatch.wire.document_part import DocumentPart

MOST_COUNTED = 100
_MOST_PATTERNS = 32


def read_event(part: DocumentPart) -> EventCondition:
    """Read a condition on events.

    Raises:
        RuleInvalid: it has a count without a window, or nothing would ever end its alerts.
    """
    count = part.whole_or("count", 1, lowest=1, highest=MOST_COUNTED)
    condition = EventCondition(
        events=_patterns(part, "events"),
        count=count,
        window=part.duration("window") if part.has("window") else None,
        cleared_by=_patterns(part, "cleared_by") if part.has("cleared_by") else (),
        quiet_for=part.duration("quiet_for") if part.has("quiet_for") else None,
    )
    if (count > 1) is not (condition.window is not None):
        raise RuleInvalid(f"bad {part.at('window')}: expected a count of 2 or more with a window, or neither")
    if not condition.cleared_by and condition.quiet_for is None and condition.window is None:
        raise RuleInvalid(f"missing {part.at('cleared_by')} (expected cleared_by or quiet_for: what ends an alert)")
    return condition


def event_schemas() -> list[dict[str, Any]]:
    """Describe a condition on events: of one, or of several within a window."""
    ends: dict[str, Any] = {
        "events": {
            **_PATTERNS,
            "description": 'any of these counts: [{"kind": "tamper", "attributes": {"cover": "opened"}}]',
        },
        "cleared_by": {
            **_PATTERNS,
            "description": 'any of these ends the alert: [{"kind": "tamper", "attributes": {"cover": "closed"}}]',
        },
        "quiet_for": {**DURATION, "description": "no other came for so long: the alert ends"},
    }
    several: dict[str, Any] = {
        **ends,
        "count": {"type": "integer", "minimum": 2, "maximum": MOST_COUNTED},
        "window": DURATION,
    }
    one = kind_of("event", {**ends, "count": {"const": 1}}, ["events"])
    ended = {"anyOf": [{"required": ["cleared_by"]}, {"required": ["quiet_for"]}]}
    return [{**one, **ended}, kind_of("event", several, ["events", "count", "window"])]


def write_pattern(pattern: EventPattern) -> dict[str, Any]:
    """Write a pattern in its canonical form: a single value stands alone."""
    written: dict[str, Any] = {"kind": pattern.kind}
    for name, asked in (("attributes", pattern.attributes), ("words", pattern.words)):
        if asked:
            written[name] = {key: values[0] if len(values) == 1 else list(values) for key, values in asked.items()}
    return written


def _patterns(part: DocumentPart, key: str) -> tuple[EventPattern, ...]:
    listed = part.parts(key)
    if not 1 <= len(listed) <= _MOST_PATTERNS:
        raise part.wrong(key, part.raw(key), f"expected a list of 1 to {_MOST_PATTERNS} events: {{kind: tamper}}")
    return tuple(_pattern(item) for item in listed)


def _pattern(part: DocumentPart) -> EventPattern:
    pattern = EventPattern(
        kind=part.text("kind"),
        attributes=_asked(part, "attributes", _is_told, "a text, a number, true or false, or a list of such"),
        words=_asked(part, "words", _is_word, "a word, or a list of words"),
    )
    part.done()
    return pattern


def _asked(
    part: DocumentPart, key: str, check: Callable[[object], bool], expected: str
) -> Mapping[str, tuple[Any, ...]]:
    inner = part.part(key)
    asked: dict[str, tuple[Any, ...]] = {}
    for name in sorted(inner.names()):
        value = inner.raw(name)
        values = list(cast("Sequence[object]", value)) if isinstance(value, list) else [value]
        if not values or not all(check(one) for one in values):
            raise inner.wrong(name, cast("object", value), f"expected {expected}")
        # 1 and 1.0 are one value, and so one version of a rule.
        asked[name] = tuple(float(one) if type(one) is int else one for one in values)
    return MappingProxyType(asked)


def _is_told(value: object) -> bool:
    if isinstance(value, (int, float)):
        return math.isfinite(value)
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not any(letter.isspace() for letter in value)


def _one_or_several(one: Mapping[str, Any]) -> dict[str, Any]:
    return {"oneOf": [one, {"type": "array", "items": one, "minItems": 1}]}


_PATTERNS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "maxItems": _MOST_PATTERNS,
    "items": object_of(
        {
            "kind": {**TEXT, "description": "as the device names it: tamper"},
            "attributes": {
                "type": "object",
                "additionalProperties": _one_or_several({"type": ["string", "number", "boolean"]}),
                "description": "values that it must have too: {cover: opened}",
            },
            "words": {
                "type": "object",
                "additionalProperties": _one_or_several({"type": "string", "pattern": r"^\S+$"}),
                "description": "words that a text must have: {status: BURST}",
            },
        },
        ["kind"],
    ),
}
