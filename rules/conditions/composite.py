"""All of, any of, not: several conditions on one device, combined at each instant at which one of them may change.

That is at every observation, and where the passing of time alone makes a part hold or ends it (a silence that is long
enough, a run that is overdue). Such a moment is a sample in which nothing was observed: the fold takes it when it takes
the next observation, or, without keeping it, when somebody looks. So what holds does not depend on who looked when.
What is not known changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rules.conditions.absence import AbsenceCondition, compile_absence
from rules.conditions.baseline import compile_baseline
from rules.conditions.bounds import compile_bounds
from rules.conditions.calculated import compile_calculated
from rules.conditions.change import compile_change
from rules.conditions.continuous_flow import compile_continuous_flow
from rules.conditions.derived import DerivedCondition, DerivedState, Number
from rules.conditions.event import compile_event
from rules.conditions.immobility import compile_immobility
from rules.conditions.limits import Limits
from rules.conditions.night_flow import compile_night_flow
from rules.conditions.parts import Branch, Leaf, Node
from rules.conditions.rate_of_change import compile_rate_of_change
from rules.conditions.repeat import compile_repeat
from rules.conditions.span import Condition, Instant, Sample
from rules.conditions.speed import compile_speed
from rules.conditions.stuck import compile_stuck
from rules.conditions.threshold import compile_threshold
from rules.conditions.watch import Watch
from veldwatch.model.conditions.composite import (
    AllOf,
    AnyOf,
    Calculated,
    Not,
    Part,
    metrics_of_part,
    others_of_part,
)
from veldwatch.model.conditions.event import EventCondition
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.movement import Geofence, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.usual import Baseline
from veldwatch.model.conditions.values import RateOfChange, Repeat, Stuck, Threshold, ValueChange
from veldwatch.model.track import SpeedLimits

_HOLDS = Limits(lower=-1.0, upper=0.5, clear_lower=-1.0, clear_upper=0.5)


class TruthMemory(NamedTuple):
    """What the parts remember, and the last instant that was looked at; None: none yet."""

    parts: Any
    last: Instant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthDerivation:
    """Samples to 1 (holds) and 0 (does not).

    Attributes:
        width: how many values a sample has.
    """

    node: Node
    width: int

    def initial(self) -> TruthMemory:
        """Remember nothing."""
        return TruthMemory(self.node.initial())

    def step(self, memory: TruthMemory, seen: Sample) -> tuple[TruthMemory, Number | None]:
        """Take the next sample."""
        parts = self.node.step(memory.parts, seen)
        truth = self.node.truth(parts, seen.at)
        number = None if truth is None else Number(float(truth), float(truth), (tuple(seen),))
        return TruthMemory(parts, seen.at), number

    def load(self, document: Sequence[Any]) -> TruthMemory:
        """Read back a memory."""
        return TruthMemory(self.node.load(document[0]), document[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeCondition(DerivedCondition):
    """Holds while the parts together do."""

    derivation: TruthDerivation

    def passing(self, state: DerivedState, until: Instant) -> Sample | None:
        """Give the next moment, up to `until`, at which time alone may change what holds; None: there is none."""
        memory: TruthMemory = state.memory
        if memory.last is None or memory.last >= until:
            return None
        at = self.derivation.node.change_after(memory.parts, memory.last)
        return Sample(at, (None,) * self.derivation.width) if at is not None and at <= until else None

    def wake_at(self, state: DerivedState, now: Instant) -> Instant | None:
        """Wake when `hold_for` is over, and when a part would."""
        own = DerivedCondition.wake_at(self, state, now)
        part = self.derivation.node.wake_at(state.memory.parts, now)
        return min((at for at in (own, part) if at is not None), default=None)

    def under(self, watch: Watch) -> "CompositeCondition":
        """Give the same with what is known of who listened when."""

        def change(leaf: Leaf) -> Leaf:
            own = leaf.condition
            return replace(leaf, condition=replace(own, watch=watch)) if isinstance(own, AbsenceCondition) else leaf

        return self._mapped(change)

    def limited(self, limits: SpeedLimits) -> "CompositeCondition":
        """Give the same for a device whose fixes are judged by speed."""
        return self._mapped(lambda leaf: replace(leaf, speed_limits=limits) if leaf.over is Input.POSITIONS else leaf)

    def _mapped(self, change: Callable[[Leaf], Leaf]) -> "CompositeCondition":
        return replace(self, derivation=replace(self.derivation, node=self.derivation.node.mapped(change)))


def compile_composite(composite: AllOf | AnyOf | Not, hold_for: Instant) -> CompositeCondition:
    """Make the condition of a definition."""
    places = _Places(metrics_of_part(composite), others_of_part(composite))
    derivation = TruthDerivation(node=_node(composite, places), width=len(places.metrics) + len(places.others))
    return CompositeCondition(derivation=derivation, limits=_HOLDS, hold_for=hold_for)


class _Places(NamedTuple):
    """Which slot of a sample holds what: series by metric, then what else is observed of the device."""

    metrics: Sequence[str]
    others: Sequence[Input]

    def slots(self, part: Part) -> tuple[int, ...]:
        if part.INPUT in self.others:
            return (len(self.metrics) + self.others.index(part.INPUT),)
        return tuple(self.metrics.index(metric) for metric in metrics_of_part(part))


def _node(part: Part, places: _Places) -> Node:
    match part:
        case AllOf():
            return Branch(parts=tuple(_node(one, places) for one in part.of), decisive=False)
        case AnyOf():
            return Branch(parts=tuple(_node(one, places) for one in part.of), decisive=True)
        case Not():
            return Branch(parts=(_node(part.of, places),), decisive=True, negates=True)
        case _:
            return Leaf(condition=_LEAVES[type(part)](part), over=part.INPUT, slots=places.slots(part))


_LEAVES: Mapping[type, Callable[[Any], Condition[Any, Any]]] = {
    Threshold: lambda part: compile_threshold(part, 0),
    RateOfChange: lambda part: compile_rate_of_change(part, 0),
    ValueChange: lambda part: compile_change(part, 0),
    Repeat: compile_repeat,
    Stuck: compile_stuck,
    Baseline: lambda part: compile_baseline(part, 0),
    ContinuousFlow: compile_continuous_flow,
    NightFlow: compile_night_flow,
    Calculated: lambda part: compile_calculated(part, 0),
    Absence: compile_absence,
    EventCondition: lambda part: compile_event(part, 0),
    Geofence: lambda part: compile_bounds(part, [part.shape], 0),
    Near: lambda part: compile_bounds(part, [part.shape], 0),
    Immobility: compile_immobility,
    Speed: compile_speed,
}
