"""Cold-load pickup: what was without power draws more than usual at first, as everything starts at once."""

import math

import numpy as np

from simulators.chance import Floats
from simulators.systems.system import Flags

# After a long outage the load starts at two and a half times the usual, and is under twice after half an hour.
# Source: IEEE PES Power System Relaying Committee, working group D1, "Cold load pickup issues", 2008: two to five times
# at first, one and a half to two after half an hour. How fast diversity is lost is assumed.
_MOST, _LOST_SECONDS, _REGAINED_SECONDS = 1.5, 30.0 * 60.0, 45.0 * 60.0
_FORGOTTEN = 1e-3


class Pickup:
    """What n customers have missed.

    Attributes:
        excess: share by which each would draw more than usual.
    """

    def __init__(self, count: int) -> None:
        self.excess: Floats = np.zeros(count)
        self._is_idle = True

    def restore(self, excess: Floats) -> None:
        """Go on from a state."""
        self.excess = excess.copy()
        self._is_idle = not bool(self.excess.any())

    def advance(self, off: Flags | None, seconds: float) -> Floats | None:
        """Let a step pass, and return by which factor each draws more in its mean; None: nobody does.

        Args:
            off: who has no supply; None: everybody has.
        """
        if off is None and self._is_idle:
            return None
        decay = math.exp(-seconds / _REGAINED_SECONDS)
        factor = 1.0 + self.excess * (_REGAINED_SECONDS / seconds * (1.0 - decay))
        fallen = self.excess * decay
        fallen[fallen < _FORGOTTEN] = 0.0
        if off is None:
            self.excess = fallen
        else:
            grown = _MOST - (_MOST - self.excess) * math.exp(-seconds / _LOST_SECONDS)
            self.excess = np.where(off, grown, fallen)
        self._is_idle = not bool(self.excess.any())
        return factor
