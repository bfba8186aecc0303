"""Reservoirs: a pump fills each between two levels, the areas below draw it down; what flows in and out is balanced."""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats, Rows
from simulators.moment import Moment
from simulators.systems.system import Flags, State
from simulators.systems.water.settings import ReservoirSettings
from simulators.systems.water.zones import FIRE_LITRES_PER_SECOND

# Assumed: the water between the pump's levels lasts six hours; the pump gives twice what is drawn on the mean, with a
# fire's flow on top, and takes two hours at least from level to level, so that an hour's step does not overfill.
_HOURS, _PUMP_FACTOR, _PUMP_HOURS = 6.0, 2.0, 2.0
_LEAST_LITRES_PER_SECOND = 0.05
# Standard deviations. Source: hydrostatic level sensors, 0.1 % of 5 m, told to 3 mm; magnetic flow meters, 0.5 %.
_LEVEL_NOISE, _FLOW_NOISE = 0.003, 0.005


class Reservoirs:
    """The reservoirs of one network; they share what is drawn.

    Attributes:
        level: metres.
        inflow: L/s at the last step.
        outflow: L/s at the last step.
        pumping: at the last step.
    """

    def __init__(self, settings: Sequence[ReservoirSettings], chance: Chance, mean_outflow: float) -> None:
        self._chance = chance
        self.count = len(settings)
        self._on = np.array([s.on_metres for s in settings])
        self._off = np.array([s.off_metres for s in settings])
        self._middle = (self._on + self._off) / 2.0
        self._height = np.array([s.height_metres for s in settings])
        share = max(mean_outflow / max(self.count, 1), _LEAST_LITRES_PER_SECOND)
        usual_pump = _PUMP_FACTOR * share + FIRE_LITRES_PER_SECOND / max(self.count, 1)
        self._pump = np.array([s.pump_litres_per_second or usual_pump for s in settings])
        cubic_metres = np.maximum(_HOURS * share, _PUMP_HOURS * self._pump) * 3.6
        usual_area = (cubic_metres / np.maximum(self._off - self._on, 0.1)).tolist()
        self._litres_per_metre = 1000.0 * np.array(
            [s.area_square_metres or usual for s, usual in zip(settings, usual_area, strict=True)]
        )
        self.level = self._on + (self._off - self._on) * chance.uniform("level")
        self.pumping: Flags = chance.uniform("pumping") < 0.5
        self.inflow = np.zeros(self.count)
        self.outflow = np.zeros(self.count)
        self._there = np.zeros(self.count)

    @property
    def head_change(self) -> float:
        """Return how far the water stands above the middle of the pump's levels, on the mean."""
        return float((self.level - self._middle).sum()) / self.count if self.count else 0.0

    def begin(self, moment: Moment, failed: Flags) -> float:
        """Let the pumps' switches act at the beginning of a step; return how many L/s there are for it.

        Args:
            failed: pumps that do not run.
        """
        self.pumping = (self.level < np.where(self.pumping, self._off, self._on)) & ~failed
        self.inflow = self._pump * self.pumping
        self._there = self.inflow + self.level * self._litres_per_metre / moment.seconds
        return float(self._there.sum())

    def advance(self, moment: Moment, drawn: float) -> None:
        """Draw for a step.

        Args:
            drawn: L/s, of all reservoirs together.
        """
        self.outflow = np.minimum(drawn / self.count, self._there)
        gained = (self.inflow - self.outflow) * (moment.seconds / self._litres_per_metre)
        self.level = np.minimum(np.maximum(self.level + gained, 0.0), self._height)

    def readings(self, rows: Rows, moment: Moment) -> dict[str, Floats]:
        """Read some, as instruments show them."""
        number = moment.number
        inflow, outflow = self.inflow[rows], self.outflow[rows]
        noise = _FLOW_NOISE * self._chance.normal("inflow", number)[rows]
        drawn_noise = _FLOW_NOISE * self._chance.normal("outflow", number)[rows]
        return {
            "level": np.clip(self.level[rows] + _LEVEL_NOISE * self._chance.normal("level", number)[rows], 0.0, None),
            "inflow": inflow * (1.0 + noise),
            "outflow": outflow * (1.0 + drawn_noise),
            "pump": self.pumping[rows].astype(np.float64),
        }

    def state(self) -> State:
        """Give levels and pumps."""
        return {
            "level": self.level.copy(),
            "pumping": self.pumping.copy(),
        }

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self.level, self.pumping = state["level"].copy(), state["pumping"].astype(np.bool_)
