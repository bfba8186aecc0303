"""Message templates of rules: text with named fields in braces, and nothing that could reach beyond them.

Allowed is `{field}` and `{value:.1f}`: a field of the closed list, for the value with at most a thousands comma, a
precision and a type. Attribute access, indexing, conversions and widths are refused, so that a rule's author can
neither read the program's insides nor make a message of a gigabyte.
"""

import re
from collections.abc import Mapping
from string import Formatter

from veldwatch.model.spoken import number_text

MESSAGE_FIELDS = (
    "title",
    "device",
    "device_name",
    "organisation",
    "site",
    "metric",
    "unit",
    "value",
    "opened_at",
    "fired_at",
    "duration",
)
"""`value` is a number, all others are text; `duration` is the rule's own time: hold_for, silent_for, window."""

_SPECIFICATION = re.compile(r",?(\.\d)?[fg%]?")


def check_template(template: str) -> str | None:
    """Say what is wrong with a template; None: nothing."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        return f"{error} (write a literal brace twice)"
    for _, name, specification, conversion in parts:
        if name is None:
            continue
        if name not in MESSAGE_FIELDS:
            return f"unknown field {name!r} (expected one of {', '.join(MESSAGE_FIELDS)})"
        if conversion or not _SPECIFICATION.fullmatch(specification or ""):
            return f"bad format of field {name!r} (expected at most a comma, a precision and f, g or %: {{value:.1f}})"
        if specification and name != "value":
            return f"bad format of field {name!r} (only value takes one)"
    return None


def render(template: str, fields: Mapping[str, str | float | None]) -> str:
    """Fill in a template that `check_template` found good; a field without a value reads as an en dash."""
    parts: list[str] = []
    for literal, name, specification, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_shown(fields.get(name), specification or ""))
    return "".join(parts)


def _shown(value: str | float | None, specification: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return format(value, specification) if specification else number_text(value)
