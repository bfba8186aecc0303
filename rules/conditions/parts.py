"""Parts of a combined condition: conditions of their own with memories of their own, and how their truths combine.

Truth has three values: a part that has seen nothing yet is not known, and what depends on it is not either. A part
holds from the moment at which its own alert would fire to the one at which it is known to be over: what observations
tell later of an earlier time changes nothing. Of a track only fixes count that are decided (`rules.track`).

Source: Kleene's strong logic of three values, as SQL has it for NULL.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

from rules.conditions.absence import AbsenceCondition
from rules.conditions.span import Condition, Contact, Fix, Happening, Instant, Observation, Reading, Sample
from rules.track import Tail, extend
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.track import NO_LIMITS, SpeedLimits


class Memory(NamedTuple):
    """What a leaf remembers.

    Attributes:
        known: it has seen something.
        tail: of a track that is judged by speed: the last fixes, as in `rules.fold`.
    """

    known: bool
    state: Any
    tail: Tail = ()


class Node(Protocol):
    """A part, with its own memory."""

    def initial(self) -> Any:  # noqa: ANN401  # its own
        """Remember nothing."""
        ...

    def step(self, memory: Any, seen: Sample) -> Any:  # noqa: ANN401
        """Take the next sample."""
        ...

    def truth(self, memory: Any, at: Instant) -> bool | None:  # noqa: ANN401
        """Tell whether it holds at a moment up to which nothing else was observed; None: that is not known."""
        ...

    def change_after(self, memory: Any, at: Instant) -> Instant | None:  # noqa: ANN401
        """Tell when, after a moment, the passing of time alone may change its truth; None: never."""
        ...

    def wake_at(self, memory: Any, now: Instant) -> Instant | None:  # noqa: ANN401
        """Tell when to look again after `now`; None: no passing of time changes anything."""
        ...

    def load(self, document: Any) -> Any:  # noqa: ANN401
        """Read back what JSON made of a memory."""
        ...

    def leaves(self) -> "Iterator[Leaf]":
        """List the conditions that are combined."""
        ...

    def mapped(self, change: "Callable[[Leaf], Leaf]") -> "Node":
        """Give the same with other leaves."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A condition of its own, on some of what a sample holds.

    Attributes:
        over: what it folds.
        slots: where that is in a sample; one, unless it folds samples itself.
        speed_limits: of a condition on fixes: those that nothing can reach at these speeds are left out.
    """

    condition: Condition[Any, Any]
    over: Input
    slots: tuple[int, ...]
    speed_limits: SpeedLimits = NO_LIMITS

    def initial(self) -> Memory:
        """Have seen nothing."""
        return Memory(known=False, state=self.condition.initial(truncated=False))

    def step(self, memory: Memory, seen: Sample) -> Memory:
        """Hand on what it looks at, where there is any."""
        values = tuple(seen.values[slot] for slot in self.slots)
        if all(value is None for value in values):
            return memory
        observation = _observation(self.over, seen.at, values)
        tail = memory.tail
        if isinstance(observation, Fix) and (self.speed_limits or tail):
            tail, decided = extend(tail, observation, self.speed_limits)
            if decided is None:
                return memory._replace(tail=tail)
            observation = decided
        return Memory(True, self.condition.step(memory.state, observation)[0], tail)

    def truth(self, memory: Memory, at: Instant) -> bool | None:
        """Tell whether its alert fires."""
        if not memory.known:
            return None
        span = self.condition.open_span(memory.state, at)
        if span is None or span.reached_at is None or span.reached_at > at:
            return False
        return span.ended_at is None or span.ended_at > at

    def change_after(self, memory: Memory, at: Instant) -> Instant | None:
        """Tell when its alert fires or ends by time alone."""
        if isinstance(self.condition, AbsenceCondition):
            return self.condition.silent_after(memory.state, at)
        return self.wake_at(memory, at)

    def wake_at(self, memory: Memory, now: Instant) -> Instant | None:
        """Tell when its condition would wake."""
        span = self.condition.open_span(memory.state, now)
        wishes = [self.condition.wake_at(memory.state, now)]
        wishes += [] if span is None else [span.reached_at, span.ended_at]
        return min((wish for wish in wishes if wish is not None and wish > now), default=None)

    def load(self, document: Sequence[Any]) -> Memory:
        """Read back a memory."""
        known, state, tail = document
        return Memory(known, self.condition.load(state), tuple(Fix(*fix) for fix in tail))

    def leaves(self) -> "Iterator[Leaf]":
        """Give itself."""
        yield self

    def mapped(self, change: "Callable[[Leaf], Leaf]") -> Node:
        """Change itself."""
        return change(self)


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

    def change_after(self, memory: tuple[Any, ...], at: Instant) -> Instant | None:
        """Tell when the first of them may change."""
        return _first(part.change_after(own, at) for part, own in zip(self.parts, memory, strict=True))

    def wake_at(self, memory: tuple[Any, ...], now: Instant) -> Instant | None:
        """Tell when the first of them would wake."""
        return _first(part.wake_at(own, now) for part, own in zip(self.parts, memory, strict=True))

    def load(self, document: Sequence[Any]) -> tuple[Any, ...]:
        """Read back a memory."""
        return tuple(part.load(own) for part, own in zip(self.parts, document, strict=True))

    def leaves(self) -> Iterator[Leaf]:
        """List those of all parts."""
        for part in self.parts:
            yield from part.leaves()

    def mapped(self, change: Callable[[Leaf], Leaf]) -> Node:
        """Change those of all parts."""
        return replace(self, parts=tuple(part.mapped(change) for part in self.parts))


def _first(moments: Iterator[Instant | None]) -> Instant | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _observation(over: Input, at: Instant, values: tuple[Any, ...]) -> Observation:
    match over:
        case Input.READINGS:
            return Reading(at, values[0])
        case Input.POSITIONS:
            return Fix(at, *values[0])
        case Input.CONTACTS:
            return Contact(at)
        case Input.EVENTS:
            return Happening(at, tuple((kind, attributes) for kind, attributes in values[0]))
        case Input.SAMPLES:
            return Sample(at, values)
        case Input.BUCKETS:
            raise AssertionError("no condition on an area is a part")
