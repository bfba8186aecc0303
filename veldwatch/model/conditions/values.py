"""Conditions on the values of one series."""

from dataclasses import dataclass
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A value beyond a limit: it counts from that reading to the next.

    Exactly one of `above`, `below` and `outside` is given.

    Attributes:
        outside: lower and upper limit; values on a limit are inside.
        dead_band: how far back inside a value must come to end it, in the metric's unit, n ≥ 0.
    """

    INPUT: ClassVar[Input] = Input.READINGS
    OWN_TIME: ClassVar[str | None] = None

    metric: str
    above: float | None = None
    below: float | None = None
    outside: tuple[float, float] | None = None
    dead_band: float = 0.0
