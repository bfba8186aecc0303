"""All of, any of, not: conditions on several series of a device, combined at each sample.

Truth has three values: a part that has seen nothing yet is not known, and what depends on it is not either. What is not
known changes nothing. A part holds from the moment at which its own alert would fire.

Source: Kleene's strong logic of three values, as SQL has it for NULL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rules.conditions.calculated import compile_calculated
from rules.conditions.change import compile_change
from rules.conditions.derived import DerivedCondition, Number
from rules.conditions.limits import Limits
from rules.conditions.rate_of_change import compile_rate_of_change
from rules.conditions.span import Condition, Instant, Reading, Sample
from rules.conditions.stuck import compile_stuck
from rules.conditions.threshold import compile_threshold
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not, Part, metrics_of_part
from veldwatch.model.conditions.values import RateOfChange, Stuck, Threshold, ValueChange

_HOLDS = Limits(lower=-1.0, upper=0.5, clear_lower=-1.0, clear_upper=0.5)


class Node(Protocol):
    """A part, with its own memory."""

    def initial(self) -> Any:  # noqa: ANN401  # its own
        """Remember nothing."""
        ...

    def step(self, memory: Any, seen: Sample) -> Any:  # noqa: ANN401
        """Take the next sample."""
        ...

    def truth(self, memory: Any, at: Instant) -> bool | None:  # noqa: ANN401
        """Tell whether it holds at the sample that was taken last; None: that is not known."""
        ...

    def load(self, document: Any) -> Any:  # noqa: ANN401
        """Read back what JSON made of a memory."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A condition of its own, on some of the sample's series.

    Attributes:
        slots: which; one for a condition on readings.
        of_samples: it takes samples.
    """

    condition: Condition[Any, Any]
    slots: tuple[int, ...]
    of_samples: bool

    def initial(self) -> tuple[bool, Any]:
        """Have seen nothing."""
        return False, self.condition.initial(truncated=False)

    def step(self, memory: tuple[bool, Any], seen: Sample) -> tuple[bool, Any]:
        """Hand the values on, where there are any."""
        values = tuple(seen.values[slot] for slot in self.slots)
        if all(value is None for value in values):
            return memory
        observation: Any = Sample(seen.at, values) if self.of_samples else Reading(seen.at, values[0] or 0.0)
        return True, self.condition.step(memory[1], observation)[0]

    def truth(self, memory: tuple[bool, Any], at: Instant) -> bool | None:
        """Tell whether its alert fires."""
        if not memory[0]:
            return None
        span = self.condition.open_span(memory[1], at)
        return span is not None and span.reached_at is not None and span.reached_at <= at and span.ended_at is None

    def load(self, document: Sequence[Any]) -> tuple[bool, Any]:
        """Read back a memory."""
        return document[0], self.condition.load(document[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Several parts together.

    Attributes:
        decisive: the truth of one part that decides: False of all, True of any.
        negates: the outcome is turned around.
    """

    parts: tuple[Node, ...]
    decisive: bool
    negates: bool = False

    def initial(self) -> tuple[Any, ...]:
        """Remember nothing of any part."""
        return tuple(part.initial() for part in self.parts)

    def step(self, memory: tuple[Any, ...], seen: Sample) -> tuple[Any, ...]:
        """Hand the sample on."""
        return tuple(part.step(own, seen) for part, own in zip(self.parts, memory, strict=True))

    def truth(self, memory: tuple[Any, ...], at: Instant) -> bool | None:
        """Put the parts' truths together."""
        truths = [part.truth(own, at) for part, own in zip(self.parts, memory, strict=True)]
        if self.decisive in truths:
            return self.decisive is not self.negates
        return None if None in truths else self.decisive is self.negates

    def load(self, document: Sequence[Any]) -> tuple[Any, ...]:
        """Read back a memory."""
        return tuple(part.load(own) for part, own in zip(self.parts, document, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthDerivation:
    """Samples to 1 (holds) and 0 (does not)."""

    node: Node

    def initial(self) -> Any:  # noqa: ANN401  # the node's own
        """Remember nothing."""
        return self.node.initial()

    def step(self, memory: Any, seen: Sample) -> tuple[Any, Number | None]:  # noqa: ANN401
        """Take the next sample."""
        memory = self.node.step(memory, seen)
        truth = self.node.truth(memory, seen.at)
        return memory, None if truth is None else Number(float(truth), float(truth), (tuple(seen),))

    def load(self, document: Any) -> Any:  # noqa: ANN401
        """Read back a memory."""
        return self.node.load(document)


def compile_composite(composite: AllOf | AnyOf | Not, hold_for: Instant) -> DerivedCondition:
    """Make the condition of a definition."""
    node = _node(composite, metrics_of_part(composite))
    return DerivedCondition(derivation=TruthDerivation(node=node), limits=_HOLDS, hold_for=hold_for)


def _node(part: Part, metrics: Sequence[str]) -> Node:
    match part:
        case AllOf():
            return Branch(parts=tuple(_node(one, metrics) for one in part.of), decisive=False)
        case AnyOf():
            return Branch(parts=tuple(_node(one, metrics) for one in part.of), decisive=True)
        case Not():
            return Branch(parts=(_node(part.of, metrics),), decisive=True, negates=True)
        case _:
            slots = tuple(metrics.index(metric) for metric in metrics_of_part(part))
            return Leaf(condition=_leaf(part), slots=slots, of_samples=isinstance(part, Calculated))


def _leaf(part: Threshold | RateOfChange | ValueChange | Stuck | Calculated) -> Condition[Any, Any]:
    match part:
        case Threshold():
            return compile_threshold(part, 0)
        case RateOfChange():
            return compile_rate_of_change(part, 0)
        case ValueChange():
            return compile_change(part, 0)
        case Stuck():
            return compile_stuck(part)
        case Calculated():
            return compile_calculated(part, 0)
