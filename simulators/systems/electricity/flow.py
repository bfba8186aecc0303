"""Power from the meters up to the feeders, with what is lost on the way, and voltage from the feeders down.

A radial network: lines and windings lose by the square of the power through them, and voltage falls in proportion to
it; power that flows back from roofs raises it.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np

from simulators.chance import Floats
from simulators.systems.electricity.sizing import POWER_FACTOR, Ratings
from simulators.systems.electricity.tree import Tree
from simulators.systems.system import Flags, Rows

NOMINAL_VOLTS = 230.0
"""Source: IEC 60038. EN 50160 allows 10 % more or less for 95 % of the ten-minute means of a week."""

# Shares of the rated power lost in lines at rated power. With the load factors of standard profiles this gives total
# technical losses of 2 to 4 % of what is fed in, as countries with sound networks report.
# Source: CEER, "3rd report on power losses", 2025: 1.95 to 22.63 % in distribution, theft included; split assumed.
_LOW_VOLTAGE_LOSS, _HIGH_VOLTAGE_LOSS = 0.025, 0.015
# Voltage drops at rated power as shares of the nominal voltage: feeder to its far end, a transformer's regulation
# (4 % impedance, 1.2 % of it resistance, at a power factor of 0.95), low-voltage line to its far end. Assumed, a usual
# division of the 10 % that EN 50160 leaves.
_FEEDER_DROP, _TRANSFORMER_DROP, _LINE_DROP = 0.02, 0.024, 0.05
_SERVICE_OHM = 0.1  # Of a customer's own service cable; a part of the 0.4 ohm that IEC TR 60725 gives the whole way.
# The regulator at the substation holds so much above nominal, give or take its dead band (assumed: steps of 1.5 %).
_SOURCE, _DEAD_BAND = 1.02, 0.015


@dataclass(slots=True, kw_only=True)
class Flow:
    """What flows in a step: watts, positive from the feeder to the meters, and shares of nominal voltage.

    Attributes:
        transformer_load: at the low-voltage side, apparent over rated, at least 0.
        transformer_voltage: at the low-voltage side; share of nominal.
        feeder_watts: at the head.
        feeder_voltage: at the head; share of nominal.
        voltage: at each meter, V.
    """

    transformer_load: Floats
    transformer_voltage: Floats
    feeder_watts: Floats
    feeder_voltage: Floats
    voltage: Floats


class Lines:
    """The fixed part of the reckoning.

    Args:
        feeder_rated: watts of each feeder.
        transformer_place: of each transformer along its feeder, 0 to 1.
        meter_place: of each meter along its line, 0 to 1.
    """

    def __init__(
        self, tree: Tree, ratings: Ratings, feeder_rated: Floats, transformer_place: Floats, meter_place: Floats
    ) -> None:
        self._tree, self._ratings, self._feeder_rated = tree, ratings, feeder_rated
        self._transformers, self._feeders = len(tree.transformers), len(tree.feeders)
        self._rated_watts = ratings.rated * POWER_FACTOR
        self._line_loss = _LOW_VOLTAGE_LOSS / self._rated_watts
        self._feeder_loss = _HIGH_VOLTAGE_LOSS / feeder_rated
        self._transformer_drop = _TRANSFORMER_DROP / self._rated_watts
        self._feeder_drop = _FEEDER_DROP * transformer_place
        self._meter_drop = _LINE_DROP * meter_place
        self._service_drop = _SERVICE_OHM / NOMINAL_VOLTS**2
        self._branches = [(row, upper) for row, upper in enumerate(tree.upper) if upper >= 0]

    def flow(
        self, watts: Floats, regulator: Floats, dead_transformers: Flags | None, dead_feeders: Flags | None
    ) -> Flow:
        """Work out a step.

        Args:
            watts: of each meter, what it takes less what it gives; 0 where it has no supply.
            regulator: of each feeder, 0 to 1: where in its dead band.
            dead_transformers: without power; None: none is.
            dead_feeders: likewise.
        """
        tree = self._tree
        below = summed(tree.transformer_of, watts, self._transformers)
        low_side = below + self._line_loss * below * below
        load = np.abs(low_side) / self._rated_watts
        taken = low_side + self._ratings.no_load + self._ratings.load * load * load
        if dead_transformers is not None:
            taken[dead_transformers] = 0.0
        feeder = summed(tree.feeder_of, taken, self._feeders)
        feeder = feeder + self._feeder_loss * feeder * feeder
        for row, upper in reversed(self._branches):
            feeder[upper] += feeder[row]
        source = (_SOURCE - _DEAD_BAND) + (2.0 * _DEAD_BAND) * regulator
        at_transformer = source[tree.feeder_of]
        at_transformer -= self._feeder_drop * (feeder / self._feeder_rated)[tree.feeder_of]
        at_transformer -= self._transformer_drop * low_side
        share = at_transformer[tree.transformer_of]
        share -= self._meter_drop * (low_side / self._rated_watts)[tree.transformer_of]
        share -= self._service_drop * watts
        voltage = share * NOMINAL_VOLTS
        if dead_transformers is not None:
            at_transformer[dead_transformers] = 0.0
            voltage[dead_transformers[tree.transformer_of]] = 0.0
        if dead_feeders is not None:
            source = np.where(dead_feeders, 0.0, source)
        return Flow(
            transformer_load=load,
            transformer_voltage=at_transformer,
            feeder_watts=feeder,
            feeder_voltage=source,
            voltage=voltage,
        )


def summed(groups: Rows, values: Floats, count: int) -> Floats:
    """Sum values by group, in their order; `count` groups."""
    return cast("Floats", np.bincount(groups, weights=values, minlength=count))
