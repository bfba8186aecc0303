"""Calculated fields: a number made of several series of a device.

It is calculated at each sample from the last value of each series, as long as none is older than `within`; where the
expression has no number (a division by zero), nothing is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rules.conditions.derived import DerivedCondition, Number
from rules.conditions.limits import limits_of
from rules.conditions.span import Instant, Reading, Sample
from rules.instants import to_span
from veldwatch.model.conditions.composite import Calculated, metrics_of_part
from veldwatch.wire.expressions import Expression

Memory = tuple[Reading | None, ...]
"""The last reading by slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalculatedDerivation:
    """Samples to numbers.

    Attributes:
        slots: slot by name in the expression.
    """

    expression: Expression
    slots: Sequence[tuple[str, int]]
    width: int
    within: Instant

    def initial(self) -> Memory:
        """Know no value."""
        return (None,) * self.width

    def step(self, memory: Memory, seen: Sample) -> tuple[Memory, Number | None]:
        """Take the values of a sample, and calculate."""
        kept = tuple(
            last if value is None else Reading(seen.at, value) for last, value in zip(memory, seen.values, strict=True)
        )
        values: list[float] = []
        for reading in kept:
            if reading is None or seen.at - reading.at > self.within:
                return kept, None
            values.append(reading.value)
        number = self.expression.value({name: values[slot] for name, slot in self.slots})
        if number is None:
            return kept, None
        return kept, Number(number, number, ((seen.at, tuple(values)),))

    def load(self, document: Sequence[Any]) -> Memory:
        """Read back a memory."""
        return tuple(None if reading is None else Reading(*reading) for reading in document)


def compile_calculated(calculated: Calculated, hold_for: Instant) -> DerivedCondition:
    """Make the condition of a definition."""
    metrics = metrics_of_part(calculated)
    derivation = CalculatedDerivation(
        expression=Expression(calculated.expression),
        slots=[(name, metrics.index(metric)) for name, metric in calculated.names.items()],
        width=len(metrics),
        within=to_span(calculated.within),
    )
    return DerivedCondition(derivation=derivation, limits=limits_of(calculated), hold_for=hold_for)
