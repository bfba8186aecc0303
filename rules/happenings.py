"""Happenings: the events of one device, brought together by the instant that they are of, in an order of their own."""

import json
from collections.abc import Collection, Iterable
from typing import Any, cast

from rules.conditions.span import Happening, Instant


def happenings_of(rows: Iterable[tuple[Instant, str, str]], kinds: Collection[str]) -> list[Happening]:
    """Bring events (instant, kind, attributes as JSON text) together, oldest first; other kinds are left out."""
    found: dict[Instant, set[tuple[str, str]]] = {}
    for at, kind, attributes in rows:
        if kind in kinds:
            found.setdefault(at, set()).add((kind, canonical(json.loads(attributes))))
    return [Happening(at, tuple(sorted(found[at]))) for at in sorted(found)]


def canonical(attributes: object) -> str:
    """Write attributes so that equal ones are equal texts, however a store wrote them."""
    return json.dumps(_plain(attributes), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain(value: object) -> Any:  # noqa: ANN401  # a JSON value
    """Write numbers without a fraction as whole ones, which PostgreSQL's jsonb and a device may write either way."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in cast("dict[object, object]", value).items()}
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    return value
