"""Targets: one per (rule version, subject), found by matching the rules' selectors against the register.

A subject is what one fold runs over: `series:17` for conditions on readings, `device:4` for positions, contacts,
events and several series together, `site:9` for conditions on an area.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rules.conditions.absence import AbsenceCondition
from rules.conditions.area_outage import AreaOutageCondition
from rules.conditions.compile import compile_condition
from rules.conditions.composite import CompositeCondition
from rules.conditions.watch import Watch
from rules.escalation import steps_of
from rules.fold import Fold
from rules.grids.plan import plan
from rules.instants import to_span
from rules.shapes import shapes_of
from rules.sources import Source
from rules.subjects import Subjects
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.composite import (
    AllOf,
    AnyOf,
    Calculated,
    Composite,
    Not,
    can_hold,
    kinds_of_part,
    others_of_part,
)
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.kinds import Condition, metrics_of
from veldwatch.model.identifiers import OrganisationId, RuleVersionId, SiteId
from veldwatch.model.places import EVERYTHING, Place
from veldwatch.model.rule import Rule
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite


class FoldKey(NamedTuple):
    """What names a fold."""

    version: RuleVersionId
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A rule applied to one subject.

    Attributes:
        source: what is folded.
        device: None: it is about a whole site.
        series: None: the condition folds no series of its own.
        site: of a target that is about a whole site.
    """

    key: FoldKey
    rule: Rule
    fold: Fold
    source: Source
    device: WatchedDevice | None = None
    series: WatchedSeries | None = None
    site: WatchedSite | None = None

    @property
    def input(self) -> Input:
        """Tell what is folded."""
        return self.source.input

    @property
    def source_id(self) -> int:
        """Number the series or device that is folded, or the subject of buckets."""
        return self.source.id

    @property
    def place(self) -> WatchedDevice | WatchedSite:
        """Give what it is about: the device, or the site."""
        place = self.device or self.site
        assert place is not None  # noqa: S101  # one of the two is given
        return place

    @property
    def site_id(self) -> SiteId | None:
        """Name the site that it is at."""
        return self.device.site_id if self.device else self.place.id  # pyright: ignore[reportReturnType]  # a site's

    @property
    def site_slug(self) -> str | None:
        """Name the site that it is at, by its slug."""
        return self.device.site if self.device else self.site.slug if self.site else None

    def fold_under(self, watch: Watch) -> Fold:
        """Give the fold as it runs with what is known of who listened when."""
        condition = self.fold.condition
        if isinstance(condition, CompositeCondition) and self.source.needs_watch():
            return replace(self.fold, condition=condition.under(watch))
        if not isinstance(condition, (AbsenceCondition, AreaOutageCondition)):
            return self.fold
        return replace(self.fold, condition=replace(condition, watch=watch))


class Refusal(NamedTuple):
    """A rule that cannot be applied to the devices of an organisation, and why."""

    rule: str
    reason: str


def find_targets(
    versions: Iterable[tuple[RuleVersionId, Rule]], watched: Watched, place: Place = EVERYTHING
) -> tuple[list[Target], list[Refusal]]:
    """Match every rule with the devices that it is for, and give the targets of a worker's share."""
    targets: list[Target] = []
    refusals: list[Refusal] = []
    subjects = Subjects(watched)
    for version, rule in versions:
        if rule.condition.INPUT is Input.BUCKETS:
            targets.extend(
                target for target in _group_targets(version, rule, subjects) if place.holds(target.key.subject)
            )
            continue
        if rule.condition.INPUT is Input.SAMPLES:
            targets.extend(
                target for target in _joint_targets(version, rule, subjects) if place.holds(target.key.subject)
            )
            continue
        # One compiled condition per organisation: each has sites of its own names.
        folds: dict[OrganisationId, Fold | None] = {}
        for device, series in subjects.of(rule):
            if not place.holds(_subject(device, series)):
                continue
            if device.organisation_id not in folds:
                folds[device.organisation_id] = _compiled(rule, watched, device.organisation_id, refusals)
            fold = folds[device.organisation_id]
            if fold is not None:
                targets.append(_target(version, rule, fold, device, series))
    return targets, refusals


def compile_fold(rule: Rule, shapes: Sequence[str] = ()) -> Fold:
    """Make the fold of a rule for the devices of an organisation.

    Args:
        shapes: GeoJSON geometries of the organisation's sites that it names.

    Raises:
        RuleInvalid: it names a site of the organisation that has no such geometry.
    """
    return Fold(
        condition=compile_condition(rule, shapes),
        keep_firing_for=to_span(rule.keep_firing_for),
        shows_pending=rule.condition.OWN_TIME is None and bool(rule.hold_for),
        steps=steps_of(rule),
    )


def _target(
    version: RuleVersionId, rule: Rule, fold: Fold, device: WatchedDevice, series: WatchedSeries | None
) -> Target:
    over = rule.condition.INPUT
    source_id = device.id if series is None else series.id
    return Target(
        key=FoldKey(version, _subject(device, series)),
        rule=rule,
        fold=replace(fold, speed_limits=device.speed_limits) if over is Input.POSITIONS else fold,
        source=Source(input=over, id=source_id, kinds=_kinds(rule.condition)),
        device=device,
        series=series,
    )


def _kinds(condition: Condition) -> tuple[str, ...]:
    return condition.kinds() if isinstance(condition, EventCondition) else ()


def _subject(device: WatchedDevice, series: WatchedSeries | None) -> str:
    return f"device:{device.id}" if series is None else f"series:{series.id}"


def _group_targets(version: RuleVersionId, rule: Rule, subjects: Subjects) -> Iterator[Target]:
    """Make a target of each group of devices that the rule is about."""
    fold = compile_fold(rule)
    for planned in plan(rule, subjects.devices(rule), subjects):
        yield Target(
            key=FoldKey(version, planned.subject),
            rule=rule,
            fold=fold,
            source=Source(input=Input.BUCKETS, id=planned.id, grid=planned.grid),
            device=planned.device,
            series=planned.series,
            site=planned.site,
        )


def _joint_targets(version: RuleVersionId, rule: Rule, subjects: Subjects) -> Iterator[Target]:
    """Make a target of each device that has enough of the metrics."""
    metrics, fold = metrics_of(rule.condition), compile_fold(rule)
    others = others_of_part(rule.condition) if isinstance(rule.condition, Composite) else ()
    kinds = kinds_of_part(rule.condition) if isinstance(rule.condition, Composite) else ()
    for device in subjects.devices(rule):
        slots = subjects.slots(device, metrics)
        if not _is_enough(rule.condition, [metric for metric, slot in zip(metrics, slots, strict=True) if slot]):
            continue
        yield Target(
            key=FoldKey(version, f"device:{device.id}"),
            rule=rule,
            fold=_limited(fold, device) if Input.POSITIONS in others else fold,
            source=Source(input=Input.SAMPLES, id=device.id, slots=slots, others=others, kinds=kinds),
            device=device,
            series=None,
        )


def _limited(fold: Fold, device: WatchedDevice) -> Fold:
    """Let a combined condition judge a device's fixes by its speed limits."""
    condition = fold.condition
    assert isinstance(condition, CompositeCondition)  # noqa: S101  # nothing else has samples with fixes
    return replace(fold, condition=condition.limited(device.speed_limits)) if device.speed_limits else fold


def _is_enough(condition: Condition, metrics: Sequence[str]) -> bool:
    """Tell whether something can be said by these metrics; of a joint baseline by any two, or the only one."""
    match condition:
        case Calculated() | AllOf() | AnyOf() | Not():
            return can_hold(condition, frozenset(metrics))
        case _:
            return len(metrics) >= min(2, len(metrics_of(condition)))


def _compiled(rule: Rule, watched: Watched, organisation: OrganisationId, refusals: list[Refusal]) -> Fold | None:
    try:
        return compile_fold(rule, shapes_of(rule.condition, watched, organisation))
    except RuleInvalid as error:
        refusals.append(Refusal(rule.id, str(error)))
        return None
