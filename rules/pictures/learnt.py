"""What is drawn of conditions that learn what is usual: the values, and the band in which they are usual."""

from collections.abc import Sequence

from rules.conditions.baseline import BaselineCondition
from rules.conditions.span import Instant, Reading, Sample
from rules.instants import to_instant
from rules.pictures.charts import Chart, Curve, Form, Limit, Part
from rules.rule_tests import START, RuleTest
from veldwatch.model.conditions.flow import NightFlow
from veldwatch.model.conditions.usual import Baseline, JointBaseline, Side


def baseline(condition: Baseline, test: RuleTest) -> Sequence[Part]:
    """Draw values, and how far up and down is usual."""
    fold = test.fold.condition
    assert isinstance(fold, BaselineCondition)  # noqa: S101  # it is
    state = fold.initial(truncated=False)
    band: list[tuple[float, float, float]] = []
    for seen in test.observations:
        level, spread = fold.learner.expected(state.usual, seen.at)
        if level is not None and spread is not None:
            off = max(spread * condition.limit, condition.min_deviation)
            band.append((_second(seen.at), level - off, level + off))
        state, _ = fold.step(state, seen)  # pyright: ignore[reportArgumentType]  # it folds readings
    curves = [Curve(points=_values(test, 0), form=Form.LINE, dotted=False)]
    if condition.side is not Side.ABOVE:
        curves.append(Curve(points=[(at, low) for at, low, _ in band], faint=True, dotted=False, label="unusual below"))
    if condition.side is not Side.BELOW:
        curves.append(
            Curve(points=[(at, high) for at, _, high in band], faint=True, dotted=False, label="unusual above")
        )
    return [Chart(title=condition.metric, curves=curves)]


def joint_baseline(condition: JointBaseline, test: RuleTest) -> Sequence[Part]:
    """Draw each series."""
    return [
        Chart(title=metric, curves=[Curve(points=_values(test, slot), form=Form.LINE, dotted=False)])
        for slot, metric in enumerate(condition.metrics)
    ]


def night_flow(condition: NightFlow, test: RuleTest) -> Sequence[Part]:
    """Draw the flow, and a limit if there is a fixed one."""
    limits = (
        [] if condition.above is None else [Limit(value=condition.above, label=f"at night above {condition.above:g}")]
    )
    return [
        Chart(
            title=condition.metric, curves=[Curve(points=_values(test, 0), form=Form.LINE, dotted=False)], limits=limits
        )
    ]


def _values(test: RuleTest, slot: int) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for seen in test.observations:
        if isinstance(seen, Sample):
            value = seen.values[slot]
        else:
            assert isinstance(seen, Reading)  # noqa: S101  # these kinds fold nothing else
            value = seen.value
        if value is not None:
            found.append((_second(seen.at), value))
    return found


def _second(at: Instant) -> float:
    return (at - to_instant(START)) / 1_000_000
