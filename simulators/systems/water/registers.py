"""Registers of water meters: litres that only count up, told in whole pulses."""

import math
from collections.abc import Sequence

import numpy as np

from simulators.chance import Floats, Rows

# Less than any flow adds: keeps 0.3 / 0.1 from being 2.
_ROUNDING = 1e-6


class Registers:
    """What some meters have counted.

    Attributes:
        litres: so far, with what the next pulse still lacks.
    """

    def __init__(self, litres: Floats, litres_per_pulse: Sequence[float]) -> None:
        self.litres = litres
        self._pulse = np.array(litres_per_pulse)

    def read(self, rows: Rows) -> Floats:
        """Return what some registers show, in m³."""
        pulse = self._pulse[rows]
        return np.floor(self.litres[rows] / pulse + _ROUNDING) * pulse / 1000.0

    def resume(self, row: int, cubic_metres: float) -> None:
        """Go on from a figure, never below it."""
        pulse = float(self._pulse[row])
        self.litres[row] = math.ceil(cubic_metres * 1000.0 / pulse - _ROUNDING) * pulse
