"""What is known of a register, and which steps of it are possible."""

from dataclasses import dataclass

COUNTS_PER_UNIT = 1_000_000
"""A millilitre of a cubic metre, a milliwatt hour of a kilowatt hour: finer than any meter shows."""

HOUR = 3_600_000_000
"""In microseconds."""

SHORTEST_DEMAND = HOUR // 4
"""Flow is bounded over a quarter of an hour at least: what a meter counts in steps comes in bursts when looked at more
closely. Source: the shortest usual demand interval of utilities (IEC 62053-23 meters with 15 min load profiles).
"""
ROLLOVER_SHARE = 10
"""Where nobody knows how fast a register can count, it rolls over only in a step of at most a tenth of its width."""


def to_counts(value: float) -> int:
    """Give a reading in whole counts; beyond 9e9 units a float is coarser than that, and so is the result."""
    return round(value * COUNTS_PER_UNIT)


def from_counts(counts: int) -> float:
    """Give counts in the register's unit."""
    return counts / COUNTS_PER_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register, in counts and microseconds; None: nobody said, and nothing is made of it.

    Attributes:
        modulus: where it begins again from zero: 100,000 units for five digits.
        resolution: its smallest step.
        per_hour: the most that can be counted in an hour.
        interval: the time between readings.
        exchanges: instants, ascending, at which the meter may be another one: they explain a break, and make none.
    """

    modulus: int | None = None
    resolution: int | None = None
    per_hour: int | None = None
    interval: int | None = None
    exchanges: tuple[int, ...] = ()

    def across(self, before: int, after: int, elapsed: int) -> int | None:
        """Give what a roll-over between two figures counted; None: it cannot have been one.

        Two figures of a register of known width lie apart by one distance forward and one back. Forward is meant when
        it is within what can flow, and never when it is more than half of the width.

        Source: RFC 1982, section 3.2 (half of the number space); RFC 2578, Counter32 (a discontinuity is not a wrap).
        """
        if self.modulus is None or not (0 <= after < self.modulus and before < self.modulus):
            return None
        forward = after - before + self.modulus
        most = self.modulus // ROLLOVER_SHARE
        if self.per_hour is not None:
            most = min(fastest(self, elapsed), self.modulus // 2)
        return forward if forward <= most else None


def fastest(register: Register, elapsed: int) -> int:
    """Give the most counts that can come in a time, with one step of the register to spare; `per_hour` is known."""
    if register.per_hour is None:
        raise ValueError("no largest rate is known of this register (expected `per_hour`)")
    return register.per_hour * max(elapsed, SHORTEST_DEMAND) // HOUR + (register.resolution or 0)
