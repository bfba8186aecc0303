"""The Compose files as Docker would read them: anchors and files merged, variables put in.

What is merged how: the Compose specification, section "Merge" (mappings key by key, lists one after the other but for
`command`, `entrypoint` and a health check's `test`; `!reset` takes away, `!override` replaces).
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
COMPOSE = REPOSITORY / "docker-compose.yml"
MOSQUITTO = REPOSITORY / "deploy" / "mosquitto" / "docker-compose.yml"
PROXY = REPOSITORY / "deploy" / "proxy" / "docker-compose.yml"
DEPLOYMENTS: Mapping[str, Sequence[Path]] = {
    "nats": (COMPOSE,),
    "mosquitto": (COMPOSE, MOSQUITTO),
    "proxy": (COMPOSE, PROXY),
    "mosquitto and proxy": (COMPOSE, MOSQUITTO, PROXY),
}
_REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
_REPLACED = ("command", "entrypoint", "test")


@dataclass(frozen=True)
class _Tagged:
    """A value that Compose merges in another way."""

    tag: str
    value: object


class _Loader(yaml.SafeLoader):
    """YAML with Compose's `!reset` and `!override`."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> _Tagged:
    if isinstance(node, yaml.SequenceNode):
        return _Tagged(tag, loader.construct_sequence(node, deep=True))
    if isinstance(node, yaml.MappingNode):
        return _Tagged(tag, loader.construct_mapping(node, deep=True))
    return _Tagged(tag, None)


_Loader.add_multi_constructor("!", _tagged)


@cache
def environment_example() -> dict[str, str]:
    """Read the variables of `.env.example`."""
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def references(path: Path) -> dict[str, set[tuple[str, str]]]:
    """Find each `${NAME...}` of a file: name to (operator, default or message)."""
    found: dict[str, set[tuple[str, str]]] = {}
    for name, operator, rest in _REFERENCE.findall(_without_comments(path)):
        found.setdefault(name, set()).add((operator, rest))
    return found


def document(paths: Sequence[Path] = (COMPOSE,), values: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read files, each merged over those before it."""
    chosen = environment_example() if values is None else values
    return copy.deepcopy(_document(tuple(paths), tuple(sorted(chosen.items()))))


def services(paths: Sequence[Path] = (COMPOSE,), values: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the services."""
    return document(paths, values)["services"]


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """Give the variables of a service."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}


@cache
def _document(paths: tuple[Path, ...], values: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    merged: object = {}
    for path in paths:
        merged = _merge(merged, _read(path, dict(values)))
    return cast("dict[str, Any]", merged)


def _read(path: Path, chosen: Mapping[str, str]) -> dict[str, Any]:

    def put_in(match: re.Match[str]) -> str:
        name, operator, rest = match[1], match[2], match[3]
        return chosen.get(name) or (rest if operator == "-" else "")

    return yaml.load(_REFERENCE.sub(put_in, _without_comments(path)), Loader=_Loader)  # noqa: S506  # a SafeLoader


def _merge(under: object, over: object, key: str = "") -> object:
    if isinstance(over, _Tagged):
        return None if over.tag == "reset" else over.value
    if isinstance(under, dict) and isinstance(over, dict):
        before, after = cast("dict[str, object]", under), cast("dict[str, object]", over)
        both = {**before, **{name: _merge(before.get(name), value, name) for name, value in after.items()}}
        return {name: value for name, value in both.items() if value is not None}
    if isinstance(under, list) and isinstance(over, list) and key not in _REPLACED:
        first, more = cast("list[object]", under), cast("list[object]", over)
        return [*first, *(item for item in more if item not in first)]
    return cast("object", over)


def _without_comments(path: Path) -> str:
    return "\n".join(
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
