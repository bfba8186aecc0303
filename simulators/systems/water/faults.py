"""What goes wrong with water itself: leaks behind meters, bursts, leakage that grows, pumps that stand still."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.systems.system import Flags

_MILLISECONDS_PER_WEEK = 7 * 86_400_000


@dataclass(slots=True, kw_only=True)
class Ailing:
    """What is wrong in the coming step; faults fill it anew before each.

    Attributes:
        leaks: L/s by row of the water meters.
        bursts: L/s of each zone at its usual pressure.
        pumps: which reservoirs' pumps stand still.
        growth: L/s at usual pressure of each zone; stays from step to step, faults add and take away.
    """

    bursts: Floats
    pumps: Flags
    growth: Floats
    leaks: dict[int, float] = field(default_factory=dict[int, float])

    def clear(self) -> None:
        """Forget the step."""
        self.leaks.clear()
        self.bursts[:] = 0.0
        self.pumps[:] = False


class _Fault:
    """A fault that needs no memory."""

    def end(self) -> None:
        """Leave nothing: what is wrong is said before each step."""

    def state(self) -> dict[str, float]:
        """Give nothing."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up nothing."""
        del state


class Leak(_Fault):
    """Water that never rests behind a meter: a running cistern, a split pipe."""

    def __init__(self, ailing: Ailing, row: int, litres_per_hour: float) -> None:
        self._ailing = ailing
        self._row = row
        self._flow = litres_per_hour / 3600.0

    def step(self, moment: Moment) -> None:
        """Let it run."""
        del moment
        self._ailing.leaks[self._row] = self._ailing.leaks.get(self._row, 0.0) + self._flow


class Burst(_Fault):
    """A broken main: flows with the root of pressure until it is mended."""

    def __init__(self, ailing: Ailing, zone: int, litres_per_second: float) -> None:
        self._ailing = ailing
        self._zone = zone
        self._flow = litres_per_second

    def step(self, moment: Moment) -> None:
        """Let it run."""
        del moment
        self._ailing.bursts[self._zone] += self._flow


class PumpFailure(_Fault):
    """A pump that does not start, or stops."""

    def __init__(self, ailing: Ailing, row: int) -> None:
        self._ailing = ailing
        self._row = row

    def step(self, moment: Moment) -> None:
        """Keep it from running."""
        del moment
        self._ailing.pumps[self._row] = True


class BackgroundGrowth:
    """Small leaks become more, week by week, until the area's leaks are looked for and mended."""

    def __init__(self, ailing: Ailing, zone: int, litres_per_second_per_week: float) -> None:
        self._ailing = ailing
        self._zone = zone
        self._per_millisecond = litres_per_second_per_week / _MILLISECONDS_PER_WEEK
        self._grown = 0.0

    def step(self, moment: Moment) -> None:
        """Grow by a step."""
        more = self._per_millisecond * moment.step
        self._grown += more
        self._ailing.growth[self._zone] += more

    def end(self) -> None:
        """Mend what has grown."""
        left = self._ailing.growth[self._zone] - self._grown
        self._ailing.growth[self._zone] = max(left, 0.0)
        self._grown = 0.0

    def state(self) -> dict[str, float]:
        """Give how much of the zone's growth is its own; the zone keeps the sum."""
        return {"grown": self._grown}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        self._grown = state["grown"]


def nothing(zones: int, reservoirs: int, growth: Floats) -> Ailing:
    """Return a network with nothing wrong."""
    return Ailing(bursts=np.zeros(zones), pumps=np.zeros(reservoirs, dtype=np.bool_), growth=growth)
