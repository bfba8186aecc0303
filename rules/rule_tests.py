"""Rule tests: files beside the packs that say what must come of given observations.

The format is documented in docs/reference/rule-tests.md. A test folds its observations as the engine would,
in order and without a database; selectors are not looked at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from rules.conditions.span import Contact, Fix, Instant, Observation, Reading, Sample
from rules.fold import Fold
from rules.happenings import canonical, happenings_of
from rules.instants import to_datetime, to_instant
from rules.rule_files import read_rules, read_yaml
from rules.rule_test_members import buckets_of
from rules.samples import joined, others_of
from rules.sources import Source
from rules.targets import compile_fold
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.composite import Composite, kinds_of_part, others_of_part
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.kinds import metrics_of
from veldwatch.model.conditions.movement import Geofence, Near
from veldwatch.model.rule import Rule
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.durations import format_duration
from veldwatch.wire.geometries import canonical_geometry

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The start of every test."""
# Source: promtool's series notation, 'a+bxn': a, then n more, each b above the one before.
_SERIES = re.compile(r"(-?\d+(?:\.\d+)?)(?:([+-]\d+(?:\.\d+)?))?x(\d+)")
_MOST_VALUES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ExpectedAlert:
    """An alert by its times since the start of the test; None: not (yet)."""

    opened_at: timedelta
    fired_at: timedelta | None
    resolved_at: timedelta | None

    def __str__(self) -> str:
        """Write it as a test file would."""
        named = (("opened_at", self.opened_at), ("fired_at", self.fired_at), ("resolved_at", self.resolved_at))
        return "{" + ", ".join(f"{name}: {format_duration(time)}" for name, time in named if time is not None) + "}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """Observations and the alerts that must come of them."""

    name: str
    rule: Rule
    fold: Fold
    observations: tuple[Observation, ...]
    until: timedelta
    expected: tuple[ExpectedAlert, ...]

    def found(self) -> list[ExpectedAlert]:
        """Fold, and give what came of it."""
        state, settled = self.fold.advance(self.fold.initial(), self.observations)
        spans = [span for span, _ in settled] + self.fold.spans_at(state, to_instant(START + self.until))
        return sorted(
            (
                ExpectedAlert(
                    opened_at=to_datetime(span.opened_at) - START,
                    fired_at=None if span.reached_at is None else to_datetime(span.reached_at) - START,
                    resolved_at=None if span.ended_at is None else to_datetime(span.ended_at) - START,
                )
                for span in spans
            ),
            key=lambda alert: alert.opened_at,
        )

    def complaints(self) -> list[str]:
        """Say what is missing and what is too much; nothing: the test passes."""
        found = self.found()
        missing = [f"expected and not found: {alert}" for alert in self.expected if alert not in found]
        return missing + [f"found and not expected: {alert}" for alert in found if alert not in self.expected]


def read_tests(path: Path) -> list[RuleTest]:
    """Read a test file and the rules that it tests.

    Raises:
        RuleInvalid: naming the file, the test and what is wrong.
    """
    part = DocumentPart(read_yaml(path))
    rules = {rule.id: rule for rule in read_rules(_rule_file(path, part))}
    listed = part.raw("tests")
    part.done()
    if not isinstance(listed, list) or not listed:
        raise RuleInvalid(f"{path}: bad tests: {listed!r} (expected a list)")
    tests: list[RuleTest] = []
    for number, document in enumerate(cast("list[object]", listed), start=1):
        try:
            tests.append(_test(DocumentPart(document), rules))
        except RuleInvalid as error:
            raise RuleInvalid(f"{path}: test {number}: {error}") from error
    return tests


def _rule_file(path: Path, part: DocumentPart) -> Path:
    """Find the file with the rules that are tested: this one, where they are listed in it."""
    return path if isinstance(part.raw("rules"), list) else path.parent / part.text("rules")


def _test(part: DocumentPart, rules: Mapping[str, Rule]) -> RuleTest:
    name, rule_id = part.text("name"), part.text("rule")
    if rule_id not in rules:
        raise part.wrong("rule", rule_id, f"expected one of {', '.join(rules)}")
    rule = rules[rule_id]
    until = part.duration("until")
    if rule.condition.INPUT is Input.BUCKETS:
        observations = tuple(buckets_of(part, rule, _READERS, to_instant(START + until)))
    elif rule.condition.INPUT is Input.SAMPLES:
        observations = tuple(_samples(part, rule))
    elif isinstance(rule.condition, EventCondition):
        observations = tuple(happenings_of(_events(part), rule.condition.kinds()))
    else:
        observations = _in_order(part, list(_READERS[rule.condition.INPUT](part)))
    expected = tuple(_expected(item) for item in _items(part, "expect", required=False))
    fold = compile_fold(rule, _shapes(part, rule))
    part.done()
    return RuleTest(name=name, rule=rule, fold=fold, observations=observations, until=until, expected=expected)


def _samples(part: DocumentPart, rule: Rule) -> Iterator[Observation]:
    """Put what is observed of a device together, as a store would."""
    metrics, condition = metrics_of(rule.condition), rule.condition
    others = others_of_part(condition) if isinstance(condition, Composite) else ()
    kinds = kinds_of_part(condition) if isinstance(condition, Composite) else ()
    source = Source(input=Input.SAMPLES, id=1, slots=tuple(range(1, len(metrics) + 1)), others=others, kinds=kinds)
    samples = [*_joint_readings(part, metrics)] if metrics else []
    filled = [Sample(sample.at, (*sample.values, *(None for _ in others))) for sample in samples]
    for slot, other in enumerate(others, start=len(metrics)):
        seen = happenings_of(_events(part), kinds) if other is Input.EVENTS else _READERS[other](part)
        filled += others_of(seen, slot, source)
    return iter(joined(filled))


def _joint_readings(part: DocumentPart, metrics: Sequence[str]) -> Iterator[Sample]:
    said: dict[Instant, dict[str, float]] = {}
    for item in _items(part, "readings", required=False):
        metric = item.text("metric")
        if metric not in metrics:
            raise item.wrong("metric", metric, f"expected one of {', '.join(metrics)}")
        for at, value in _timed(item):
            if said.setdefault(at, {}).setdefault(metric, value) != value:
                raise item.wrong("metric", metric, "expected each time once")
    for at, values in sorted(said.items()):
        yield Sample(at, tuple(values.get(metric) for metric in metrics))


def _readings(part: DocumentPart) -> Iterator[Observation]:
    for item in _items(part, "readings"):
        yield from (Reading(at, value) for at, value in _timed(item))


def _timed(item: DocumentPart) -> Iterator[tuple[Instant, float]]:
    begin, every = item.duration_or("from", timedelta(0)), item.duration("every")
    for number, value in enumerate(_values(item)):
        if value is not None:
            yield to_instant(START + begin + number * every), value
    item.done()


def _values(item: DocumentPart) -> Iterator[float | None]:
    """List values: numbers, `_` for a reading that is missing, and `10+0.5x24`."""
    values = item.raw("values")
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise item.wrong("values", values, "expected a list of numbers, _ and 10+0.5x24")
    for value in cast("Sequence[object]", values):
        series = _SERIES.fullmatch(value) if isinstance(value, str) else None
        if series is not None and int(series[3][:9]) <= _MOST_VALUES:
            first, step = float(series[1]), float(series[2] or 0)
            yield from (first + number * step for number in range(int(series[3]) + 1))
        elif value == "_":
            yield None
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield float(value)
        else:
            raise item.wrong("values", value, "expected a number, _ or 10+0.5x24")


def _positions(part: DocumentPart) -> Iterator[Observation]:
    for item in _items(part, "positions"):
        begin, every = item.duration_or("from", timedelta(0)), item.duration("every")
        for number, place in enumerate(cast("Sequence[object]", item.raw("places") or ())):
            if place == "_":
                continue
            longitude, latitude, *accuracy = _place(item, place)
            yield Fix(
                to_instant(START + begin + number * every), longitude, latitude, accuracy[0] if accuracy else None
            )
        item.done()


def _place(item: DocumentPart, place: object) -> list[float]:
    numbers: list[object] = cast("list[object]", place) if isinstance(place, list) else []
    if len(numbers) not in (2, 3) or not all(isinstance(number, (int, float)) for number in numbers):
        raise item.wrong(
            "places", cast("object", place), "expected [longitude, latitude] or [longitude, latitude, accuracy]"
        )
    return [float(cast("float", number)) for number in numbers]


def _contacts(part: DocumentPart) -> Iterator[Observation]:
    for text in part.texts("contacts"):
        moment = DocumentPart({"contacts": text}).duration("contacts", positive=False)
        yield Contact(to_instant(START + moment))


def _events(part: DocumentPart) -> Iterator[tuple[Instant, str, str]]:
    for item in _items(part, "events", required=False):
        at, kind, said = item.duration("at", positive=False), item.text("kind"), item.part("attributes")
        attributes = {name: said.raw(name) for name in said.names()}
        item.done()
        yield to_instant(START + at), kind, canonical(attributes)


def _expected(item: DocumentPart) -> ExpectedAlert:
    alert = ExpectedAlert(
        opened_at=item.duration("opened_at", positive=False),
        fired_at=item.duration("fired_at", positive=False) if item.has("fired_at") else None,
        resolved_at=item.duration("resolved_at", positive=False) if item.has("resolved_at") else None,
    )
    item.done()
    return alert


def _items(part: DocumentPart, key: str, *, required: bool = True) -> list[DocumentPart]:
    listed = part.raw(key)
    if listed is None and not required:
        return []
    if not isinstance(listed, list):
        raise part.wrong(key, listed, "expected a list of mappings")
    items = cast("list[Any]", listed)
    return [DocumentPart(item, f"{key}[{number}]") for number, item in enumerate(items)]


def _shapes(part: DocumentPart, rule: Rule) -> list[str]:
    area = part.raw("area")
    named = isinstance(rule.condition, (Geofence, Near)) and rule.condition.shape is None
    if not named or area is None:
        return []
    try:
        return [canonical_geometry(area)]
    except ValueError as error:
        raise RuleInvalid(f"bad area: {error}") from error


def _in_order(part: DocumentPart, observations: Sequence[Observation]) -> tuple[Observation, ...]:
    ordered = sorted(observations, key=lambda seen: seen.at)
    for before, after in pairwise(ordered):
        if before.at == after.at:
            raise part.wrong("readings", before, "expected each time once")
    return tuple(ordered)


_READERS = {Input.READINGS: _readings, Input.POSITIONS: _positions, Input.CONTACTS: _contacts}
