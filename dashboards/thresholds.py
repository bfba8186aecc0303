"""The limits that rules set, read from the rule packs as files: a line drawn is the limit alarmed on.

`rules/packs/*.yaml` are read with the kernel's own parser; the program `rules` is not imported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule
from veldwatch.wire.rule_document import parse_rule

PACKS = Path(__file__).resolve().parent.parent / "rules" / "packs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A value that some rule alarms on, in the unit of the panel.

    Attributes:
        severity: of the alert, a word of `veldwatch.model.rule.Severity`.
        rule: the rule's id.
    """

    value: float
    severity: str
    rule: str


def limits(factors: Mapping[str, float], folder: Path = PACKS) -> tuple[Limit, ...]:
    """Find the limits on some metrics, lowest first.

    Args:
        factors: metric to the factor from the metric's unit to the panel's.
    """
    found = {limit for rule in pack_rules(folder) for limit in _of_rule(rule, factors)}
    return tuple(sorted(found, key=lambda limit: (limit.value, limit.rule)))


@cache
def pack_rules(folder: Path) -> tuple[Rule, ...]:
    """Read every rule of every pack, in the order of the files.

    Raises:
        RuleInvalid: a rule does not parse.
    """
    return tuple(
        parse_rule(document)
        for path in sorted(folder.glob("*.yaml"))
        for document in _documents(yaml.safe_load(path.read_text(encoding="utf-8")))
    )


def _documents(content: object) -> Iterable[Mapping[str, Any]]:
    """Take a pack apart: a mapping with `rules`, a list of rules, or one rule."""
    if isinstance(content, list):
        return cast("list[dict[str, Any]]", content)
    pack = cast("dict[str, Any]", content)
    return cast("list[dict[str, Any]]", pack["rules"]) if "rules" in pack else [pack]


def _of_rule(rule: Rule, factors: Mapping[str, float]) -> list[Limit]:
    condition = rule.condition
    if not isinstance(condition, Threshold) or condition.metric not in factors:
        return []
    values = [condition.above, condition.below, *(condition.outside or ())]
    factor = factors[condition.metric]
    return [
        Limit(value=value * factor, severity=rule.severity.value, rule=rule.id) for value in values if value is not None
    ]
