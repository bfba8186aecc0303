"""docker-compose.yml as Docker would read it with `.env.example` filled in: anchors merged, variables put in."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
COMPOSE = REPOSITORY / "docker-compose.yml"
MOSQUITTO = REPOSITORY / "deploy" / "mosquitto" / "docker-compose.yml"
_REFERENCE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """YAML with Compose's `!reset` and `!override`, which only say how files are merged."""


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return None


_Loader.add_multi_constructor("!", _plain)


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


def services(path: Path = COMPOSE, values: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the services, with required variables filled in by a word."""
    chosen = environment_example() if values is None else values

    def put_in(match: re.Match[str]) -> str:
        name, operator, rest = match[1], match[2], match[3]
        return chosen.get(name) or (rest if operator == "-" else f"secret{name.lower().replace('_', '')}")

    text = _REFERENCE.sub(put_in, _without_comments(path))
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    return document["services"]


def _without_comments(path: Path) -> str:
    return "\n".join(
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
