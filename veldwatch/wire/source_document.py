"""A source as operators write it: YAML or JSON, one or several, with its priority and whether it is on.

YAML's `on`, `off`, `yes` and `no` are words here, as in YAML 1.2: what devices say is often just that. Keys are text,
and dates stay text, as in JSON.
"""

import re
from collections.abc import Mapping
from typing import Any, cast

import yaml
from pydantic import Field, ValidationError

from veldwatch.config import Source
from veldwatch.errors import ConfigurationInvalid

DEFAULT_PRIORITY = 100


class SourceDefinition(Source, frozen=True, extra="forbid"):
    """A source of the database."""

    priority: int = Field(
        default=DEFAULT_PRIORITY,
        ge=0,
        le=1_000_000,
        description="the smallest is asked first; of equals, the first by name",
    )
    enabled: bool = Field(
        default=True, description="false: it takes no message, and hides the settings' source of its name"
    )

    @property
    def source(self) -> Source:
        """Give what ingest works by."""
        # Checked already where it was read; a stored one may hold a pattern that an older version took.
        return Source.model_construct(**self.model_dump(include=set(Source.model_fields)))


def parse_source(document: object) -> SourceDefinition:
    """Read one source.

    Raises:
        ConfigurationInvalid: naming every key that is wrong, its value and what was expected.
    """
    if not isinstance(document, dict):
        raise ConfigurationInvalid(f"bad source: {document!r} (expected a mapping)")
    try:
        return SourceDefinition.model_validate(document)
    except ValidationError as error:
        said = "; ".join(
            f"bad {'.'.join(map(str, one['loc']))}: {one['input']!r} ({one['msg'][:1].lower()}{one['msg'][1:]})"
            for one in error.errors()
        )
        name = cast("Mapping[str, object]", document).get("name", "")
        raise ConfigurationInvalid(f"source {name!r}: {said}") from error


def read_sources(text: str) -> list[SourceDefinition]:
    """Read a file: one source, a list of them, or a mapping with such a list under `sources`.

    Raises:
        ConfigurationInvalid: it is not YAML, or a source in it is wrong, or is there twice.
    """
    try:
        content = _with_text_keys(cast("object", yaml.load(text, Loader=_Words)))  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"not YAML: {error}") from error
    if isinstance(content, dict) and "sources" in content:
        content = cast("Mapping[str, object]", content)["sources"]
    listed: list[object] = cast("list[object]", content) if isinstance(content, list) else [cast("object", content)]
    sources = [parse_source(document) for document in listed]
    names = [source.name for source in sources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationInvalid(f"sources {twice} are there twice (expected each name once)")
    return sources


def source_text(source: SourceDefinition) -> str:
    """Write a source as `read_sources` reads it; what is as by default is left out."""
    document: dict[str, Any] = source.model_dump(mode="json", exclude_defaults=True)
    return yaml.dump(document, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True)


def _with_text_keys(node: object) -> object:
    if isinstance(node, dict):
        members = cast("Mapping[object, object]", node)
        return {_key(key): _with_text_keys(value) for key, value in members.items()}
    if isinstance(node, list):
        return [_with_text_keys(value) for value in cast("list[object]", node)]
    return node


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)


class _Words(yaml.SafeLoader):
    """Reads `on` and `yes` as the words that they are."""


_BOOLEAN, _TIMESTAMP = "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"
_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Words.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
