"""What people open a tap for: how often, how long and how much, as published for homes.

Residential demand is a Poisson process of rectangular pulses (Buchberger and Wu 1995, "Model for instantaneous
residential water demands", J. Hydraul. Eng. 121(3)), whose pulses come from end uses (Blokker, Vreeburg, van Dijk
2010, "Simulating residential water demand with a stochastic end-use model", J. Water Resour. Plann. Manage. 136(1);
numbers as in KWR's open implementation pysimdeum 2024, data/NL). All end uses are laid into one table of equally
probable draws, so that one random number picks a whole draw.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from simulators.chance import Floats

PERSONS_PER_HOME = 2.3
"""Source: Blokker 2006 (pysimdeum, data/NL/household_statistics): homes of the Netherlands."""

# Source: Blokker et al. 2010: the standard deviation of a tap's duration is 130 % of its mean; lognormal.
_LOG_DEVIATION = math.sqrt(math.log(1.0 + 1.3**2))
TABLE_SIZE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class EndUse:
    """One kind of draw.

    Attributes:
        per_person_day: how often.
        seconds: mean duration.
        low: L/s; with `high` the bounds of a uniform distribution.
        spread: of the duration: `fixed`, `lognormal` or `chi-square` (of minutes).
    """

    name: str
    per_person_day: float
    seconds: float
    low: float
    high: float
    spread: str = "fixed"


# 12.7 draws a day in homes of two, 12.8 in those of three.
_KITCHEN = 12.7 / PERSONS_PER_HOME
END_USES: tuple[EndUse, ...] = (
    # 5.9 flushes, a third with the saving half flush taken at 70 %; the cistern fills at 0.042 L/s.
    EndUse(name="toilet, 9 L", per_person_day=5.9 * (0.333 + 0.222 * 0.3), seconds=216, low=0.042, high=0.042),
    EndUse(name="toilet, 4.5 L", per_person_day=5.9 * 0.222 * 0.7, seconds=108, low=0.042, high=0.042),
    EndUse(name="toilet, 6 L", per_person_day=5.9 * (0.111 + 0.333 * 0.3), seconds=144, low=0.042, high=0.042),
    EndUse(name="toilet, 3 L", per_person_day=5.9 * 0.333 * 0.7, seconds=72, low=0.042, high=0.042),
    EndUse(name="washing, shaving", per_person_day=4.1 / 3, seconds=40, low=0.0, high=0.083, spread="lognormal"),
    EndUse(name="teeth", per_person_day=4.1 * 2 / 3, seconds=15, low=0.0, high=0.083, spread="lognormal"),
    EndUse(name="drinking", per_person_day=_KITCHEN * 0.375, seconds=15, low=0.0, high=0.167, spread="lognormal"),
    EndUse(name="dishes", per_person_day=_KITCHEN * 0.25, seconds=45, low=0.0, high=0.25, spread="lognormal"),
    EndUse(name="hands", per_person_day=_KITCHEN * 0.25, seconds=13, low=0.0, high=0.167, spread="lognormal"),
    EndUse(name="kitchen, other", per_person_day=_KITCHEN * 0.125, seconds=37, low=0.0, high=0.167, spread="lognormal"),
    EndUse(name="shower", per_person_day=0.72, seconds=8.8 * 60, low=0.123, high=0.142, spread="chi-square"),
    # 0.29 programs of 50 L, in four fillings at 0.167 L/s.
    EndUse(name="washing machine", per_person_day=0.29 * 4, seconds=75, low=0.167, high=0.167),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Equally probable draws.

    Attributes:
        seconds: duration of each.
        litres_per_second: flow of each.
        per_person_day: how many a person makes.
    """

    seconds: Floats
    litres_per_second: Floats
    per_person_day: float

    @property
    def litres(self) -> float:
        """Return the mean volume of a draw."""
        return float(np.mean(self.seconds * self.litres_per_second))

    @property
    def litres_per_person_day(self) -> float:
        """Return what a person uses."""
        return self.litres * self.per_person_day

    @property
    def burstiness(self) -> float:
        """Return the variance of the summed flow of many homes over its mean, in L/s.

        Source: Campbell's theorem for shot noise: mean = rate * E[q d], variance = rate * E[q² d].
        """
        return float(np.sum(self.litres_per_second**2 * self.seconds) / np.sum(self.litres_per_second * self.seconds))

    @property
    def correlation_seconds(self) -> float:
        """Return how long the summed flow of many homes resembles itself: E[q² d²] / E[q² d]."""
        weights = self.litres_per_second**2 * self.seconds
        return float(np.sum(weights * self.seconds) / np.sum(weights))


def table_of(uses: Sequence[EndUse] = END_USES, size: int = TABLE_SIZE) -> Draws:
    """Lay end uses into a table: durations at evenly spaced quantiles, flows evenly spread and shuffled among them."""
    total = sum(use.per_person_day for use in uses)
    edges = np.rint(np.cumsum([0.0, *(use.per_person_day / total for use in uses)]) * size).astype(int)
    seconds: list[Floats] = []
    flows: list[Floats] = []
    for use, count in zip(uses, [int(c) for c in np.diff(edges)], strict=True):
        quantiles = (np.arange(count, dtype=np.float64) + 0.5) / count
        seconds.append(_durations(use, quantiles))
        # Source: Weyl's equidistributed sequence: flow and duration are independent.
        flows.append(
            use.low + (use.high - use.low) * ((np.arange(count, dtype=np.float64) * (math.sqrt(5.0) - 1.0) / 2.0) % 1.0)
        )
    return Draws(seconds=np.concatenate(seconds), litres_per_second=np.concatenate(flows), per_person_day=total)


def _durations(use: EndUse, quantiles: Floats) -> Floats:
    if use.spread == "fixed":
        return np.full(quantiles.size, float(use.seconds))
    normal = NormalDist()
    scores = np.array([normal.inv_cdf(quantile) for quantile in quantiles.tolist()])
    if use.spread == "lognormal":
        return use.seconds * np.exp(_LOG_DEVIATION * scores - _LOG_DEVIATION**2 / 2)
    # Source: Wilson and Hilferty 1931: a chi-square's cube root is nearly normal.
    freedom = use.seconds / 60.0
    return use.seconds * (1.0 - 2.0 / (9.0 * freedom) + scores * math.sqrt(2.0 / (9.0 * freedom))) ** 3


DRAWS = table_of()
