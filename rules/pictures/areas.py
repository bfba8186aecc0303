"""What is drawn of conditions on areas and groups: each stretch of time with what it came to."""

from collections.abc import Sequence

from rules.conditions.area_outage import AreaOutageCondition
from rules.conditions.span import Bucket, Instant
from rules.instants import to_instant
from rules.pictures.charts import Chart, Curve, Form, Limit, Part
from rules.rule_tests import START, RuleTest
from veldwatch.model.conditions.area import Balance, Deviation, Neighbours, Proximity
from veldwatch.model.conditions.silence import AreaOutage
from veldwatch.wire.durations import format_duration


def area_outage(condition: AreaOutage, test: RuleTest) -> Sequence[Part]:
    """Draw the share of devices that are silent."""
    fold = test.fold.condition
    assert isinstance(fold, AreaOutageCondition)  # noqa: S101  # it is
    state = fold.initial(truncated=False)
    points: list[tuple[float, float]] = []
    for seen in _buckets(test):
        state, _ = fold.step(state, seen)
        silent, known = fold.silence(state, seen.at)
        if known:
            points.append((_second(seen.at), 100.0 * len(silent) / known))
    limits = [
        Limit(value=100.0 * condition.share, label=f"outage from {condition.share:.0%}"),
        Limit(value=50.0 * condition.share, label=f"over below {condition.share / 2:.0%}", faint=True),
    ]
    title = f"% of the devices not heard for {format_duration(condition.silent_for)}"
    return [Chart(title=title, curves=[Curve(points=points, dotted=False)], limits=limits)]


def balance(condition: Balance, test: RuleTest) -> Sequence[Part]:
    """Draw what went in and what was metered, and the loss with its limit."""
    into: list[tuple[float, float]] = []
    metered: list[tuple[float, float]] = []
    loss: list[tuple[float, float]] = []
    for seen in _buckets(test):
        inflow, outflow, through, _ = seen.values
        if None not in (inflow, outflow, through):
            at = _second(seen.at)
            into.append((at, inflow - outflow))
            metered.append((at, through))
            loss.append((at, inflow - outflow - through))
    limits = [] if condition.above is None else [Limit(value=condition.above, label=f"above {condition.above:g}")]
    if condition.share is not None and into:
        usual = condition.share * max(value for _, value in into)
        limits.append(Limit(value=usual, label=f"{condition.share:.0%} of the most that went in"))
    every = format_duration(condition.every)
    return [
        Chart(
            title=f"{condition.unit} within {every}",
            curves=[
                Curve(points=into, form=Form.LINE, label="went in"),
                Curve(points=metered, form=Form.LINE, faint=True, label="metered"),
            ],
        ),
        Chart(title=f"{condition.unit} not metered", curves=[Curve(points=loss, form=Form.LINE)], limits=limits),
    ]


def neighbours(condition: Neighbours, test: RuleTest) -> Sequence[Part]:
    """Draw the device and the band about the median of its group."""
    own: list[tuple[float, float]] = []
    band: list[tuple[float, float, float]] = []
    for seen in _buckets(test):
        value, median, spread, _ = seen.values
        if median is not None:
            off = max(condition.deviation * spread, condition.minimum)
            band.append((_second(seen.at), median - off, median + off))
        if value is not None:
            own.append((_second(seen.at), value))
    curves = [Curve(points=own, form=Form.LINE, label="the device")]
    if condition.side is not Deviation.ABOVE:
        low = [(at, low) for at, low, _ in band]
        curves.append(Curve(points=low, form=Form.LINE, faint=True, dotted=False, label="odd below"))
    if condition.side is not Deviation.BELOW:
        high = [(at, high) for at, _, high in band]
        curves.append(Curve(points=high, form=Form.LINE, faint=True, dotted=False, label="odd above"))
    return [Chart(title=condition.metric, curves=curves)]


def proximity(condition: Proximity, test: RuleTest) -> Sequence[Part]:
    """Draw the least distance."""
    points = [(_second(seen.at), seen.values[0]) for seen in _buckets(test) if seen.values[0] is not None]
    limits = [
        Limit(value=condition.distance_metres, label=f"near: {condition.distance_metres:g} m"),
        Limit(value=1.5 * condition.distance_metres, label="parted", faint=True),
    ]
    return [Chart(title="metres apart", curves=[Curve(points=points, form=Form.LINE)], limits=limits)]


def _buckets(test: RuleTest) -> list[Bucket]:
    return [seen for seen in test.observations if isinstance(seen, Bucket)]


def _second(at: Instant) -> float:
    return (at - to_instant(START)) / 1_000_000
