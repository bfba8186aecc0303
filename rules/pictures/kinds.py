"""What is drawn of each kind of condition: what it looks at, as it looks at it, and its limits.

A kind that is not listed is drawn by what it folds.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from rules.conditions.derived import DerivedCondition
from rules.conditions.event import is_meant
from rules.conditions.span import Contact, Fix, Happening, Observation, Reading, Sample
from rules.pictures import areas, learnt
from rules.pictures.charts import Chart, Curve, Form, Limit, Part, Scale
from rules.pictures.moments import second
from rules.pictures.movement import geofence_parts, immobility_parts, near_parts, speed_parts, track_of
from rules.rule_tests import RuleTest
from veldwatch.model.conditions.area import Balance, Neighbours, Proximity
from veldwatch.model.conditions.composite import (
    AllOf,
    AnyOf,
    Calculated,
    Not,
    leaves_of,
    metrics_of_part,
    others_of_part,
)
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.kinds import metric_of
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence, AreaOutage
from veldwatch.model.conditions.usual import Baseline, JointBaseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Spike, Stuck, Threshold, ValueChange
from veldwatch.wire.durations import format_duration


def parts_of(test: RuleTest) -> Sequence[Part]:
    """Choose what to draw of a test, from top to bottom."""
    draw = _KINDS.get(type(test.rule.condition), _by_input)
    return draw(test.rule.condition, test)


def readings_of(test: RuleTest) -> list[Reading]:
    """List the readings of a test."""
    return [seen for seen in test.observations if isinstance(seen, Reading)]


def value_chart(test: RuleTest, limits: Sequence[Limit] = (), form: Form = Form.STEPS) -> Chart:
    """Draw the readings of the series that is folded."""
    points = [(second(seen.at), seen.value) for seen in readings_of(test)]
    title = metric_of(test.rule.condition) or "value"
    return Chart(title=title, curves=[Curve(points=points, form=form)], limits=limits)


def limits_of(
    above: float | None, below: float | None, outside: tuple[float, float] | None, dead_band: float = 0.0
) -> list[Limit]:
    """Draw limits of a value, and where it is back if that is elsewhere."""
    upper = outside[1] if outside else above
    lower = outside[0] if outside else below
    limits: list[Limit] = []
    if upper is not None:
        limits.append(Limit(value=upper, label=f"above {upper:g}"))
    if lower is not None:
        limits.append(Limit(value=lower, label=f"below {lower:g}"))
    if dead_band and upper is not None:
        limits.append(Limit(value=upper - dead_band, label=f"over at {upper - dead_band:g}", faint=True))
    if dead_band and lower is not None:
        limits.append(Limit(value=lower + dead_band, label=f"over at {lower + dead_band:g}", faint=True))
    return limits


def _threshold(condition: Threshold, test: RuleTest) -> Sequence[Part]:
    limits = limits_of(condition.above, condition.below, condition.outside, condition.dead_band)
    return [value_chart(test, limits)]


def _derived(title: str) -> Callable[[Any, RuleTest], Sequence[Part]]:
    """Draw the values, and below them the number that is made of them, with its limits."""

    def draw(condition: Any, test: RuleTest) -> Sequence[Part]:  # noqa: ANN401  # any with limits
        fold = test.fold.condition
        assert isinstance(fold, DerivedCondition)  # noqa: S101  # these kinds are
        memory = fold.derivation.initial()
        least: list[tuple[float, float]] = []
        most: list[tuple[float, float]] = []
        for seen in test.observations:
            memory, number = fold.derivation.step(memory, seen)
            if number is not None:
                least.append((second(seen.at), number.low))
                if number.low != number.high < math.inf:
                    most.append((second(seen.at), number.high))
        curves = [Curve(points=least, form=Form.LINE, label="at least" if most else "")]
        curves += [Curve(points=most, form=Form.LINE, faint=True, label="at most")] if most else []
        limits = limits_of(condition.above, condition.below, condition.outside, condition.dead_band)
        words = title.format(
            per=_spoken(getattr(condition, "per", None)),
            window=_spoken(getattr(condition, "window", None)),
            expression=getattr(condition, "expression", ""),
        )
        above = sample_charts(test, {}) if condition.INPUT is Input.SAMPLES else [value_chart(test, form=Form.LINE)]
        return [*above, Chart(title=words, curves=curves, limits=limits)]

    return draw


def _composite(condition: AllOf | AnyOf | Not, test: RuleTest) -> Sequence[Part]:
    limits: dict[str, list[Limit]] = {}
    for part in leaves_of(condition):
        if isinstance(part, Threshold):
            found = limits_of(part.above, part.below, part.outside, part.dead_band)
            limits.setdefault(part.metric, []).extend(found)
    return [*sample_charts(test, limits), *_other_charts(condition, test)]


def _other_charts(condition: AllOf | AnyOf | Not, test: RuleTest) -> Iterator[Chart]:
    """Draw when a device was heard, told of something, or said where it is."""
    first = len(metrics_of_part(condition))
    for slot, other in enumerate(others_of_part(condition), start=first):
        samples = (seen for seen in test.observations if isinstance(seen, Sample) and seen.values[slot] is not None)
        points = [(second(seen.at), 1.0) for seen in samples]
        yield Chart(title=str(other.value), curves=[Curve(points=points, form=Form.BARS)])


def sample_charts(test: RuleTest, limits: Mapping[str, Sequence[Limit]]) -> list[Chart]:
    """Draw each series of a device that is looked at, with limits by metric."""
    condition = test.rule.condition
    assert isinstance(condition, Calculated | AllOf | AnyOf | Not)  # noqa: S101  # these have samples
    samples = [seen for seen in test.observations if isinstance(seen, Sample)]
    charts: list[Chart] = []
    for slot, metric in enumerate(metrics_of_part(condition)):
        values = [(second(seen.at), seen.values[slot]) for seen in samples]
        points = [(moment, value) for moment, value in values if value is not None]
        charts.append(Chart(title=metric, curves=[Curve(points=points)], limits=limits.get(metric, ())))
    return charts


def _repeat(condition: Repeat, test: RuleTest) -> Sequence[Part]:
    limits = limits_of(condition.above, condition.below, condition.outside, condition.dead_band)
    return [value_chart(test, limits, Form.LINE)]


def _stuck(condition: Stuck, test: RuleTest) -> Sequence[Part]:
    scope = condition.within or condition.outside
    word = "within" if condition.within else "outside"
    limits = [Limit(value=edge, label=f"looked at {word} {edge:g}", faint=True) for edge in scope or ()]
    return [value_chart(test, limits, Form.LINE)]


def _spike(condition: Spike, test: RuleTest) -> Sequence[Part]:  # noqa: ARG001  # as all of them
    return [value_chart(test, form=Form.LINE)]


def _spoken(duration: timedelta | None) -> str:
    return "" if duration is None else format_duration(duration)


def _continuous_flow(condition: ContinuousFlow, test: RuleTest) -> Sequence[Part]:
    limit = Limit(value=condition.minimum, label=f"flow is above {condition.minimum:g}")
    if condition.of is FlowKind.RATE:
        return [value_chart(test, [limit])]
    steps = [(second(after.at), after.value - before.value) for before, after in pairwise(readings_of(test))]
    increase = Chart(title="increase since the reading before", curves=[Curve(points=steps, form=Form.BARS)])
    return [value_chart(test, form=Form.LINE), increase]


def _absence(condition: Absence, test: RuleTest) -> Sequence[Part]:
    heard = [second(seen.at) for seen in test.observations if isinstance(seen, Contact)]
    points: list[tuple[float, float]] = []
    for before, after in pairwise([*heard, test.until.total_seconds()]):
        points += [(before, 0.0), (after, after - before)]
    silent_for = condition.silent_for.total_seconds()
    limit = Limit(value=silent_for, label=f"silent for {Scale.DURATIONS.written(silent_for)}")
    curves = [
        Curve(points=points, form=Form.LINE, dotted=False),
        Curve(points=[(moment, 0.0) for moment in heard], form=Form.BARS),
    ]
    return [Chart(title="time since the last contact", curves=curves, limits=[limit], scale=Scale.DURATIONS)]


def _event(condition: EventCondition, test: RuleTest) -> Sequence[Part]:
    """Draw what counts upwards, and what clears downwards."""
    curves: list[Curve] = []
    for patterns, height, faint in ((condition.events, 1.0, False), (condition.cleared_by, -1.0, True)):
        points = [
            (second(seen.at), height)
            for seen in test.observations
            if isinstance(seen, Happening) and any(is_meant(patterns, event) for event in seen.events)
        ]
        curves.append(Curve(points=points, form=Form.BARS, faint=faint, label=""))
    title = "events that count" + (" (up), and that clear (down)" if condition.cleared_by else "")
    return [Chart(title=title, curves=[curve for curve in curves if curve.points])]


def _by_input(condition: object, test: RuleTest) -> Sequence[Part]:  # noqa: ARG001  # as all of them
    kinds = {type(seen) for seen in test.observations}
    if Fix in kinds:
        return [track_of(test)]
    if Reading in kinds:
        return [value_chart(test)]
    return [_moments(test.observations)]


def _moments(observations: Sequence[Observation]) -> Chart:
    points = [(second(seen.at), 1.0) for seen in observations]
    return Chart(title="observations", curves=[Curve(points=points, form=Form.BARS)])


_KINDS: Mapping[type, Callable[[Any, RuleTest], Sequence[Part]]] = {
    Threshold: _threshold,
    RateOfChange: _derived("change per {per}"),
    ValueChange: _derived("change within {window}"),
    Repeat: _repeat,
    Stuck: _stuck,
    Spike: _spike,
    Baseline: learnt.baseline,
    JointBaseline: learnt.joint_baseline,
    Calculated: _derived("{expression}"),
    AllOf: _composite,
    AnyOf: _composite,
    Not: _composite,
    ContinuousFlow: _continuous_flow,
    NightFlow: learnt.night_flow,
    Absence: _absence,
    EventCondition: _event,
    Geofence: geofence_parts,
    Immobility: immobility_parts,
    Near: near_parts,
    Speed: speed_parts,
    AreaOutage: areas.area_outage,
    Balance: areas.balance,
    Neighbours: areas.neighbours,
    Proximity: areas.proximity,
}
