"""Targets: one per (rule version, subject), found by matching the rules' selectors against the register.

A subject is what one fold runs over: `series:17` for conditions on readings, `device:4` for positions and contacts.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from rules.conditions.absence import AbsenceCondition
from rules.conditions.compile import compile_condition
from rules.conditions.watch import Watch
from rules.fold import Fold
from rules.instants import to_span
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.kinds import metric_of
from veldwatch.model.conditions.movement import Geofence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.identifiers import OrganisationId, RuleVersionId
from veldwatch.model.rule import Rule, Selector
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries
from veldwatch.wire.polygons import canonical_polygon


class FoldKey(NamedTuple):
    """What names a fold."""

    version: RuleVersionId
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A rule applied to one subject.

    Attributes:
        source_id: the series or device whose observations are folded.
        series: None: the condition folds positions or contacts.
    """

    key: FoldKey
    rule: Rule
    fold: Fold
    input: Input
    source_id: int
    device: WatchedDevice
    series: WatchedSeries | None = None

    def fold_under(self, watch: Watch) -> Fold:
        """Give the fold as it runs with what is known of who listened when."""
        condition = self.fold.condition
        if not isinstance(condition, AbsenceCondition):
            return self.fold
        return replace(self.fold, condition=replace(condition, watch=watch))


class Refusal(NamedTuple):
    """A rule that cannot be applied to the devices of an organisation, and why."""

    rule: str
    reason: str


def find_targets(
    versions: Iterable[tuple[RuleVersionId, Rule]], watched: Watched
) -> tuple[list[Target], list[Refusal]]:
    """Match every rule with the devices that it is for."""
    targets: list[Target] = []
    refusals: list[Refusal] = []
    subjects = _Subjects(watched)
    for version, rule in versions:
        # One compiled condition per organisation: each has sites of its own names.
        folds: dict[OrganisationId, Fold | None] = {}
        for device, series in subjects.candidates(rule):
            if not selects(rule.select, device):
                continue
            if device.organisation_id not in folds:
                folds[device.organisation_id] = _compiled(rule, watched, device.organisation_id, refusals)
            fold = folds[device.organisation_id]
            if fold is not None:
                targets.append(_target(version, rule, fold, device, series))
    return targets, refusals


def selects(selector: Selector, device: WatchedDevice) -> bool:
    """Tell whether a device matches every part of a selector that is given."""
    return (
        selector.organisation in (None, device.organisation)
        and selector.profile in (None, device.profile)
        and (selector.site is None or selector.site in device.site_path)
        and (not selector.devices or device.external_id in selector.devices)
        and set(selector.tags) <= set(device.tags)
    )


def compile_fold(rule: Rule, polygons: Mapping[tuple[OrganisationId, str], str], organisation: OrganisationId) -> Fold:
    """Make the fold of a rule for the devices of an organisation.

    Raises:
        RuleInvalid: it names a site of the organisation that has no polygon.
    """
    site = rule.condition.site if isinstance(rule.condition, Geofence) else None
    polygon = None if site is None else polygons.get((organisation, site))
    return Fold(
        condition=compile_condition(rule, polygon),
        keep_firing_for=to_span(rule.keep_firing_for),
        shows_pending=isinstance(rule.condition, (Threshold, Geofence)) and bool(rule.hold_for),
    )


def area_of(geometry: object) -> str | None:
    """Give a site's geometry as a geofence takes it; None: it is no area."""
    try:
        return canonical_polygon(geometry)
    except ValueError:
        return None


def _target(
    version: RuleVersionId, rule: Rule, fold: Fold, device: WatchedDevice, series: WatchedSeries | None
) -> Target:
    over = rule.condition.INPUT
    source_id = device.id if series is None else series.id
    subject = f"device:{device.id}" if series is None else f"series:{series.id}"
    return Target(
        key=FoldKey(version, subject),
        rule=rule,
        fold=replace(fold, speed_limits=device.speed_limits) if over is Input.POSITIONS else fold,
        input=over,
        source_id=source_id,
        device=device,
        series=series,
    )


def _compiled(rule: Rule, watched: Watched, organisation: OrganisationId, refusals: list[Refusal]) -> Fold | None:
    try:
        return compile_fold(rule, watched.polygons, organisation)
    except RuleInvalid as error:
        refusals.append(Refusal(rule.id, str(error)))
        return None


class _Subjects:
    """What rules may be for, found by the most selective part of a selector, so that a rule costs what it matches."""

    def __init__(self, watched: Watched) -> None:
        self._devices = watched.devices
        self._series: dict[int, list[WatchedSeries]] = {}
        self._by_organisation: dict[str, list[WatchedDevice]] = {}
        self._by_name: dict[str, list[WatchedDevice]] = {}
        for series in watched.series:
            self._series.setdefault(series.device_id, []).append(series)
        for device in watched.devices:
            self._by_organisation.setdefault(device.organisation, []).append(device)
            self._by_name.setdefault(device.external_id, []).append(device)

    def candidates(self, rule: Rule) -> Iterator[tuple[WatchedDevice, WatchedSeries | None]]:
        """List the subjects that a rule may be for."""
        metric = metric_of(rule.condition)
        for device in self._nearest(rule.select):
            if metric is None:
                yield device, None
            else:
                yield from ((device, series) for series in self._series.get(device.id, ()) if series.metric == metric)

    def _nearest(self, selector: Selector) -> Iterable[WatchedDevice]:
        if selector.devices:
            return (device for name in selector.devices for device in self._by_name.get(name, ()))
        if selector.organisation is not None:
            return self._by_organisation.get(selector.organisation, ())
        return self._devices
