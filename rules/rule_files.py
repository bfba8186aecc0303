"""Rule files: YAML with one rule, or with a list of them under `rules`."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import yaml

from veldwatch.errors import RuleInvalid
from veldwatch.model.rule import Rule
from veldwatch.wire.rule_document import parse_rule

PACKS = Path(__file__).parent / "packs"


def read_yaml(path: Path) -> Mapping[str, object]:
    """Read a YAML file that holds a mapping.

    Raises:
        RuleInvalid: it cannot be read, or is something else.
    """
    try:
        content = cast("object", yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RuleInvalid(f"bad rule file {str(path)!r}: {error}") from error
    if not isinstance(content, dict):
        raise RuleInvalid(f"bad rule file {str(path)!r}: {type(content).__name__} (expected a mapping)")
    return cast("Mapping[str, object]", content)


def read_rules(path: Path) -> list[Rule]:
    """Read the rules of a file, in its order.

    Raises:
        RuleInvalid: naming the file, the rule and what is wrong with it.
    """
    content = read_yaml(path)
    listed = content.get("rules")
    documents = cast("list[object]", listed) if isinstance(listed, list) else [content]
    rules: list[Rule] = []
    for number, document in enumerate(documents, start=1):
        if not isinstance(document, dict):
            raise RuleInvalid(f"{path}: rule {number} is {document!r} (expected a mapping)")
        named = cast("Mapping[str, object]", document)
        try:
            rules.append(parse_rule(named))
        except RuleInvalid as error:
            raise RuleInvalid(f"{path}: rule {named.get('id', number)!r}: {error}") from error
    twice = {rule.id for rule in rules if sum(other.id == rule.id for other in rules) > 1}
    if twice:
        raise RuleInvalid(f"{path}: {sorted(twice)} more than once (expected each id once)")
    return rules


def pack_path(name_or_path: str) -> Path:
    """Find a file, or a pack of ours by its name (`water`)."""
    path = Path(name_or_path)
    pack = PACKS / f"{name_or_path}.yaml"
    return pack if not path.exists() and pack.is_file() else path
