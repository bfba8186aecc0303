"""A household's electricity meter: a base load, a morning and an evening peak, and a voltage that sags under load."""

import math
from datetime import datetime, timedelta

from simulators.devices.device import World
from simulators.reports import Report, State
from simulators.signals import DailyShape, Noise, seeded, steps

# Share of the household's peak, by hour: two peaks, a low night.
_LOAD = (
    0.12, 0.10, 0.10, 0.10, 0.14, 0.30, 0.55, 0.60, 0.42, 0.30, 0.28, 0.32,
    0.40, 0.36, 0.30, 0.30, 0.38, 0.60, 0.90, 1.00, 0.85, 0.60, 0.35, 0.20,
)  # fmt: skip
_STEP = timedelta(minutes=1)


class ElectricityMeter:
    """Register `energy` in kWh, `power` in W, `voltage` in V."""

    def __init__(self, name: str, world: World) -> None:
        self._load = DailyShape(hours=_LOAD, utc_offset=world.utc_offset)
        self._habit = Noise(seed=world.seed, name=f"{name}:load", period_seconds=240)
        self._grid = Noise(seed=world.seed, name=f"{name}:grid", period_seconds=90)
        start = seeded(world.seed, name, "start")
        self._energy = start.uniform(800.0, 9000.0)
        self._base = start.uniform(60.0, 180.0)
        self._peak = start.uniform(900.0, 2600.0)

    def advance(self, since: datetime, until: datetime) -> None:
        """Count energy."""
        for middle, seconds in steps(since, until, _STEP):
            self._energy += self._power(middle) * seconds / 3.6e6

    def report(self, at: datetime) -> Report:
        """Read the register, the load and the voltage."""
        power = self._power(at)
        return Report(
            readings={
                "energy": math.floor(self._energy * 10_000) / 10_000,
                "power": round(power),
                "voltage": round(233.0 - power / 900 + 4.0 * (self._grid.value(at) - 0.5), 1),
            }
        )

    def state(self) -> State:
        """Give the register."""
        return {"energy": self._energy}

    def restore(self, state: State) -> None:
        """Go on from a register."""
        self._energy = state["energy"]

    def _power(self, at: datetime) -> float:
        return self._base + self._peak * self._load.value(at) * (0.45 + 0.9 * self._habit.value(at))
