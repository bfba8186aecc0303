"""What a register counted, reading by reading, never negative; the past of a reading decides, and the one after it.

A fall by at most a thousandth is noise: what follows counts from the highest figure on. A deeper one may be a wild
reading, which the next one shows by being back. If it is not, the register was reset where it shows at most a tenth of
what it had (then what it shows, it counted since), else exchanged (then nothing is known of the time between).

Source: the shares of `veldwatch.model.consumption`, which also looks at the readings after, and at what a meter can do.
"""

from typing import NamedTuple

from veldwatch.model.consumption import JITTER_SHARE, NEAR_ZERO_SHARE


class Count(NamedTuple):
    """Where a register stands.

    Attributes:
        level: the figure from which on it counts.
        offset: what is added to a level so that the sum never falls: between two moments it grows by what was counted.
        doubt: (level, offset) before a fall that nothing has confirmed yet.
    """

    level: float
    offset: float = 0.0
    doubt: tuple[float, float] | None = None

    @property
    def figure(self) -> float:
        """Give a figure that never falls."""
        return self.level + self.offset

    def then(self, value: float) -> "Count":
        """Take the next reading."""
        if self.doubt is not None and value >= self.doubt[0]:
            return Count(value, self.doubt[1])
        if value >= self.level:
            return Count(value, self.offset)
        if value >= self.level - abs(self.level) / JITTER_SHARE:
            return Count(self.level, self.offset)
        counted = value if 0 <= value * NEAR_ZERO_SHARE <= self.level else 0.0
        return Count(value, self.offset + self.level + counted - value, (self.level, self.offset))
