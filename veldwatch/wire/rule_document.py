"""Rules as documents (YAML or JSON, already read into mappings) and back.

`rule_to_document(parse_rule(d))` is the canonical form: defaults left out, durations in their short form. Its
text without `detects`, `explains` and `impact` is what a rule version's id derives from, so the same definition is
the same version on every machine.
The same shape as JSON Schema: `veldwatch.wire.rule_schema`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid5

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.composite import AllOf, AnyOf, Not
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.kinds import Condition, kind_of
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Near
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.faults import FAULTS
from veldwatch.model.identifiers import RuleVersionId
from veldwatch.model.message_template import check_template
from veldwatch.model.rule import Explains, Rule, Selector, Severity
from veldwatch.wire.conditions.event import write_pattern
from veldwatch.wire.conditions.registry import FORMS
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.durations import format_duration
from veldwatch.wire.escalation import check_escalation, read_escalation
from veldwatch.wire.impact_document import read_impact, write_impact
from veldwatch.wire.schedule import read_schedule, write_schedule

ID_PATTERN = r"^[a-z0-9][a-z0-9.-]{0,126}$"

# Fixed for ever: another value would make every stored rule a new version and every alert a new alert.
_NAMESPACE = UUID("3b7f0f63-5f0e-5d52-8f0a-3d1c36a4c1ce")
_PATTERNS = frozenset({"events", "cleared_by"})
_GEOMETRIES = frozenset({"polygon", "line", "feature"})
"""Fields of conditions that hold canonical text."""
_RUNBOOK = re.compile(r"(https?://|docs/)\S+")


def parse_rule(document: Mapping[str, object]) -> Rule:
    """Read one rule.

    Raises:
        RuleInvalid: saying the path, the value and what was expected.
    """
    part = DocumentPart(document)
    rule = Rule(
        id=part.text("id", _check_id),
        title=part.text("title", _check_line),
        severity=part.choice("severity", Severity),
        select=_selector(part.part("select")),
        condition=_condition(part.part("condition")),
        hold_for=part.duration_or("hold_for", timedelta(0)),
        keep_firing_for=part.duration_or("keep_firing_for", timedelta(0)),
        escalate=read_escalation(part),
        message=part.text_or_none("message", check_template),
        runbook=part.text_or_none("runbook", _check_address),
        labels=MappingProxyType(part.labels("labels")),
        detects=_detects(part),
        explains=part.choice("explains", Explains) if part.has("explains") else None,
        impact=read_impact(part.part("impact")) if part.has("impact") else None,
        reason=part.text_or_none("reason", _check_text),
        source=part.text_or_none("source", _check_text),
        schedule=read_schedule(part.part("schedule")) if part.has("schedule") else None,
    )
    part.done()
    _check_times(rule)
    check_escalation(rule)
    return rule


def rule_to_document(rule: Rule) -> dict[str, Any]:
    """Write a rule in its canonical form."""
    document = _written(rule)
    document["condition"] = _condition_document(rule.condition)
    if rule.escalate:
        document["escalate"] = [_written(step) for step in rule.escalate]
    if rule.schedule is not None:
        document["schedule"] = write_schedule(rule.schedule)
    if rule.impact is not None:
        document["impact"] = write_impact(rule.impact)
    select = _written(rule.select)
    return {**document, "select": select} if select else document


def version_id(rule: Rule) -> RuleVersionId:
    """Derive the id of a rule's version from its canonical text.

    What the fold says does not depend on what is left out. `detects` says what a rule is judged by, `explains` whose
    silence its alerts explain, `impact` what they are estimated to be about, `reason` and `source` why it is there,
    `schedule` when people are told: had they a part in the id, filling them in would end every alert of the rule that
    is open and fold all of its history again, for the very same alerts.
    """
    text = json.dumps(
        rule_to_document(
            replace(rule, detects=None, explains=None, impact=None, reason=None, source=None, schedule=None)
        ),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return RuleVersionId(uuid5(_NAMESPACE, text))


def _selector(part: DocumentPart) -> Selector:
    selector = Selector(
        organisation=part.text_or_none("organisation"),
        site=part.text_or_none("site"),
        profile=part.text_or_none("profile"),
        devices=tuple(sorted(set(part.texts("devices")))),
        tags=tuple(sorted(set(part.texts("tags")))),
    )
    part.done()
    return selector


def _detects(part: DocumentPart) -> tuple[str, ...] | None:
    if not part.has("detects"):
        return None
    names = part.texts("detects")
    for name in names:
        if name not in FAULTS:
            raise part.wrong("detects", name, f"expected one of {', '.join(FAULTS)}")
    return tuple(sorted(set(names)))


def _condition_document(condition: Condition) -> dict[str, Any]:
    document = {"kind": kind_of(condition), **_written(condition)}
    match condition:
        case AllOf() | AnyOf():
            document["of"] = [_condition_document(part) for part in condition.of]
        case Not():
            document["of"] = _condition_document(condition.of)
        case EventCondition():
            for name in _PATTERNS & document.keys():
                document[name] = [write_pattern(pattern) for pattern in getattr(condition, name)]
        case Geofence() | Near():
            for name in _GEOMETRIES & document.keys():
                document[name] = json.loads(document[name])
        case _:
            pass
    return document


def _condition(part: DocumentPart) -> Condition:
    kind = part.text("kind")
    form = FORMS.get(kind)
    if form is None:
        raise part.wrong("kind", kind, f"expected one of {', '.join(FORMS)}")
    condition = form.read(part)
    part.done()
    return condition


def _check_times(rule: Rule) -> None:
    field = rule.condition.OWN_TIME
    if isinstance(rule.condition, Geofence) and rule.condition.event is GeofenceEvent.DWELL:
        field = "duration"
    kind = kind_of(rule.condition)
    if rule.hold_for and field is not None:
        held = format_duration(rule.hold_for)
        raise RuleInvalid(f"bad hold_for: {held!r} (not for {kind}, it has its own: condition.{field})")
    if rule.keep_firing_for and isinstance(rule.condition, Absence):
        raise RuleInvalid("bad keep_firing_for: not for absence, which ends when the device is heard")
    quiet_for = rule.condition.quiet_for if isinstance(rule.condition, EventCondition) else None
    if quiet_for is not None and rule.hold_for >= quiet_for:
        held = format_duration(rule.hold_for)
        raise RuleInvalid(f"bad hold_for: {held!r} (expected less than condition.quiet_for, which ends it before)")


def _check_id(text: str) -> str | None:
    if re.fullmatch(ID_PATTERN.removeprefix("^").removesuffix("$"), text):
        return None
    return "expected lower-case letters, digits, dots and hyphens, at most 127"


def _check_line(text: str) -> str | None:
    return None if text.isprintable() and len(text) <= 200 else "expected one line of at most 200 characters"


def _check_text(text: str) -> str | None:
    return None if len(text) <= 2000 and "\x00" not in text else "expected a text of at most 2000 characters"


def _check_address(text: str) -> str | None:
    return None if _RUNBOOK.fullmatch(text) else "expected an address with http:// or https://, or a page under docs/"


def _written(value: object) -> dict[str, Any]:
    """Write the fields of a dataclass that differ from their defaults."""
    written: dict[str, Any] = {}
    for field in fields(value):  # pyright: ignore[reportArgumentType]  # every value here is a dataclass
        content: object = getattr(value, field.name)
        if content != _default(field):
            written[field.name] = _written(content) if is_dataclass(content) else _plain(content)
    return written


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _plain(content: object) -> Any:  # noqa: ANN401  # a JSON value
    if isinstance(content, timedelta):
        return format_duration(content)
    if isinstance(content, StrEnum):
        return content.value
    if isinstance(content, tuple):
        return list(content)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # texts or numbers
    if isinstance(content, Mapping):
        return dict(content)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # labels
    return content
