"""The figures of a scorecard, from what the comparison gave. Definitions: docs/explanation/scorecard.md.

Shares are from 0 to 1; None: nothing to take a share of. Delays are seconds of observed time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rules.scorecard.matching import Judged, Matching, Verdict
from rules.scorecard.occurrences import Detector, Occurrence, PlaceKey, Stretch
from rules.scorecard.tally import Tally, quantile, rounded, share
from veldwatch.model.faults import FAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A fault that no alert found, and why: no rule is for its kind, none watches its place, or none fired."""

    occurrence: Occurrence
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFigures:
    """What became of the faults of one kind.

    Attributes:
        counts: it is to be found; False: it is there to cause no alert.
        rules: names of those that are there to find it.
        tally: of those rules together.
        provoked: false alarms at its place and time.
        explained: alerts at its place and time that something explains, and that nobody was told of.
        delays: of those that were found, shortest first.
    """

    kind: str
    counts: bool
    rules: Sequence[str]
    injected: int
    delays: Sequence[float]
    tally: Tally
    provoked: int
    explained: int

    @property
    def title(self) -> str:
        """Give its name for people."""
        return FAULTS[self.kind].title if self.kind in FAULTS else self.kind

    @property
    def recall(self) -> float | None:
        """Give the share that was found."""
        return share(len(self.delays), self.injected) if self.counts else None

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "kind": self.kind,
            "title": self.title,
            "counts": self.counts,
            "rules": list(self.rules),
            "injected": self.injected,
            "detected": len(self.delays) if self.counts else None,
            "recall": rounded(self.recall),
            "delay_median_seconds": quantile(self.delays, 0.5),
            "delay_p95_seconds": quantile(self.delays, 0.95),
            "precision": rounded(self.tally.precision),
            "false_alarms_per_device_week": rounded(self.tally.false_per_device_week),
            "false_alarms_provoked": self.provoked,
            "alerts_explained": self.explained,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A whole scorecard.

    Attributes:
        kinds: those that were injected, in the order of the catalogue.
        rules: in their given order, with what each brought; None: it is there to find no fault.
        devices: that any scored rule watches.
    """

    stretch: Stretch
    kinds: Sequence[KindFigures]
    rules: Sequence[tuple[Detector, Tally | None, int]]
    overall: Tally
    unscored: int
    devices: int
    misses: Sequence[Miss]
    matching: Matching

    @property
    def injected(self) -> int:
        """Count the faults that are to be found."""
        return sum(kind.injected for kind in self.kinds if kind.counts)

    @property
    def detected(self) -> int:
        """Count those of them that were."""
        return sum(len(kind.delays) for kind in self.kinds if kind.counts)

    @property
    def recall(self) -> float | None:
        """Give the share of the faults that were found."""
        return share(self.detected, self.injected)

    @property
    def f1(self) -> float | None:
        """Give the harmonic mean of precision and recall."""
        precision, recall = self.overall.precision, self.recall
        if precision is None or recall is None:
            return None
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    @property
    def false_alarms(self) -> list[Judged]:
        """List the false alarms in the order in which they fired."""
        return [one for one in self.matching.judged if one.verdict is Verdict.FALSE]

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        unruled = sum(miss.reason == NO_RULE for miss in self.misses)
        return {
            "overall": {
                "injected": self.injected,
                "detected": self.detected,
                "missed": len(self.misses),
                "missed_without_rule": unruled,
                "recall": rounded(self.recall),
                **self.overall.document(),
                "unscored": self.unscored,
                "f1": rounded(self.f1),
                "false_alarms_per_day": rounded(self.overall.false / self.stretch.days),
            },
            "kinds": [kind.document() for kind in self.kinds],
            "rules": [_rule_document(*rule) for rule in self.rules],
            "misses": [_occurrence(miss.occurrence) | {"reason": miss.reason} for miss in self.misses],
            "false_alarms": [
                {
                    "rule": one.firing.rule,
                    "organisation": one.firing.spot.organisation,
                    "device": one.firing.spot.device,
                    "fired_at": one.firing.fired_at.isoformat(),
                    "provoked_by": one.occurrence.kind if one.occurrence else None,
                }
                for one in self.false_alarms
            ],
        }


NO_RULE = "no rule"
NOT_WATCHED = "no rule watches this place"
NO_ALERT = "no alert"

_Devices = Mapping[str, frozenset[tuple[str, str | None]]]
"""What each rule looks at, by its name."""


def figures_of(matching: Matching, detectors: Sequence[Detector], stretch: Stretch) -> Figures:
    """Count what a comparison gave."""
    scored = [detector for detector in detectors if detector.is_scored]
    kinds = {one.kind for one in matching.injected}
    order = {kind: number for number, kind in enumerate(FAULTS)}
    devices = {detector.name: detector.devices() for detector in detectors}
    return Figures(
        stretch=stretch,
        kinds=[
            _kind_figures(kind, matching, scored, stretch, devices)
            for kind in sorted(kinds, key=lambda kind: (order.get(kind, len(order)), kind))
        ],
        rules=[_rule_figures(detector, matching, stretch, devices) for detector in detectors],
        overall=_tally(matching, scored, stretch, devices),
        unscored=sum(one.verdict is Verdict.UNSCORED for one in matching.judged),
        devices=len(frozenset[tuple[str, str | None]]().union(*(devices[one.name] for one in scored))),
        misses=_misses(matching, scored),
        matching=matching,
    )


def _counts(kind: str, scored: Sequence[Detector]) -> bool:
    """Say whether faults of a kind are to be found: readings show them, or a rule says that it is there for them."""
    return kind not in FAULTS or FAULTS[kind].observable or any(detector.finds(kind) for detector in scored)


def _kind_figures(
    kind: str, matching: Matching, scored: Sequence[Detector], stretch: Stretch, devices: _Devices
) -> KindFigures:
    own = [detector for detector in scored if detector.finds(kind)]
    positions = [position for position, one in enumerate(matching.injected) if one.kind == kind]
    return KindFigures(
        kind=kind,
        counts=_counts(kind, scored),
        rules=sorted(detector.name for detector in own),
        injected=len(positions),
        delays=sorted(
            (matching.found[position].fired_at - matching.injected[position].begins_at).total_seconds()
            for position in positions
            if position in matching.found
        ),
        tally=_tally(matching, own, stretch, devices),
        provoked=_count(matching, Verdict.FALSE, kind),
        explained=_count(matching, Verdict.EXPLAINED, kind),
    )


def _count(matching: Matching, verdict: Verdict, kind: str) -> int:
    """Count alerts of a verdict at the place and time of faults of a kind."""
    return sum(
        one.verdict is verdict and one.occurrence is not None and one.occurrence.kind == kind for one in matching.judged
    )


def _rule_figures(
    detector: Detector, matching: Matching, stretch: Stretch, devices: _Devices
) -> tuple[Detector, Tally | None, int]:
    alerts = sum(one.firing.rule == detector.name for one in matching.judged)
    return detector, _tally(matching, [detector], stretch, devices) if detector.is_scored else None, alerts


def _rule_document(detector: Detector, tally: Tally | None, alerts: int) -> dict[str, Any]:
    return {
        "rule": detector.name,
        "detects": None if detector.detects is None else list(detector.detects),
        "devices": len(detector.watched),
        **(tally.document() if tally is not None else {"alerts": alerts}),
    }


def _tally(matching: Matching, detectors: Sequence[Detector], stretch: Stretch, devices: _Devices) -> Tally:
    names = {detector.name for detector in detectors}
    verdicts = Counter(one.verdict for one in matching.judged if one.firing.rule in names)
    watched = frozenset[tuple[str, str | None]]().union(*(devices[name] for name in names))
    return Tally(
        alerts=verdicts.total(),
        true=verdicts[Verdict.TRUE],
        false=verdicts[Verdict.FALSE],
        repeated=verdicts[Verdict.REPEATED],
        explained=verdicts[Verdict.EXPLAINED],
        device_weeks=len(watched) * stretch.days / 7,
    )


def _misses(matching: Matching, scored: Sequence[Detector]) -> list[Miss]:
    """List the faults that are to be found and were not, and why; what a rule sees is asked for once."""
    missed = [
        one
        for position, one in enumerate(matching.injected)
        if position not in matching.found and _counts(one.kind, scored)
    ]
    seen: dict[str, frozenset[PlaceKey]] = {}
    misses: list[Miss] = []
    for one in missed:
        own = [detector for detector in scored if detector.finds(one.kind)]
        for detector in own:
            if detector.name not in seen:
                seen[detector.name] = detector.places()
        is_watched = any(one.place.key in seen[detector.name] for detector in own)
        reason = NO_ALERT if is_watched else NOT_WATCHED if own else NO_RULE
        misses.append(Miss(occurrence=one, reason=reason))
    return misses


def _occurrence(one: Occurrence) -> dict[str, Any]:
    return {
        "kind": one.kind,
        **asdict(one.place),
        "begins_at": one.begins_at.isoformat(),
        "ends_at": None if one.ends_at is None else one.ends_at.isoformat(),
        "size": one.size,
        "size_unit": one.unit,
    }
