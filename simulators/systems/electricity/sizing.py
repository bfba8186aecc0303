"""How large transformers and feeders are that a scenario does not size, and what a transformer of a size loses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.chance import Floats

POWER_FACTOR = 0.95
"""Of households and shops together (assumed)."""

# Source: Velander, "Methods of operational analysis applied to distribution of electric power" (1952): the peak of
# many customers is k1 W + k2 sqrt(W), in kW for W in kWh a year; the coefficients are usual for dwellings.
_K1, _K2 = 0.0003, 0.025
_RESERVE = 1.25  # Assumed: growth, and restoring everything at once.

# kVA, no-load loss and load loss in W.
# Source: Commission Regulation (EU) No 548/2014, Table I.1, tier 2 (A0 - 10 %, Ak).
_STANDARD = (
    (25.0, 63.0, 600.0),
    (50.0, 81.0, 750.0),
    (100.0, 130.0, 1250.0),
    (160.0, 189.0, 1750.0),
    (250.0, 270.0, 2350.0),
    (315.0, 324.0, 2800.0),
    (400.0, 387.0, 3250.0),
    (500.0, 459.0, 3900.0),
    (630.0, 540.0, 4600.0),
    (800.0, 585.0, 6000.0),
    (1000.0, 693.0, 7600.0),
)
_LARGEST = _STANDARD[-1][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Of t transformers: VA, and losses in W without load and at rated load."""

    rated: Floats
    no_load: Floats
    load: Floats


def peak_watts(annual_kwh: float) -> float:
    """Return the peak of customers who together use so much in a year."""
    return 1000.0 * (_K1 * annual_kwh + _K2 * math.sqrt(annual_kwh))


def ratings(told_kva: Sequence[float | None], annual_kwh: Floats, solar_watts: Floats) -> Ratings:
    """Size t transformers for what hangs on them; more than the largest makes several in parallel.

    Args:
        told_kva: as the scenario sizes them; None: for the peak, or for the panels if they give more.
        annual_kwh: of the customers on each.
        solar_watts: peak of the panels on each.
    """
    sizes = np.array([size for size, _, _ in _STANDARD])
    rated, no_load, load = (np.empty(len(told_kva)) for _ in range(3))
    for row, told in enumerate(told_kva):
        needed = max(peak_watts(float(annual_kwh[row])) * _RESERVE, float(solar_watts[row])) / POWER_FACTOR / 1000.0
        count = max(1, math.ceil((told or needed) / _LARGEST))
        each = told / count if told else float(sizes[np.searchsorted(sizes, needed / count - 1e-9)])
        rated[row] = each * count * 1000.0
        no_load[row] = count * float(np.interp(each, sizes, [watts for _, watts, _ in _STANDARD]))
        load[row] = count * float(np.interp(each, sizes, [watts for _, _, watts in _STANDARD]))
    return Ratings(rated=rated, no_load=no_load, load=load)
