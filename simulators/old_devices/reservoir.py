"""A reservoir that a pump fills between two levels, while the town draws from it."""

from datetime import datetime, timedelta

from simulators.devices.device import World
from simulators.reports import Report, State
from simulators.signals import DailyShape, Noise, seeded, steps

_AREA_M2 = 260.0
_PUMP_ON_METRES = 2.4
_PUMP_OFF_METRES = 3.8
_PUMP_LITRES_PER_SECOND = 34.0
# L/s drawn by the town, by hour.
_DRAWN = (
    6.0, 5.0, 5.0, 5.0, 6.0, 11.0, 19.0, 23.0, 21.0, 17.0, 15.0, 15.0,
    17.0, 16.0, 14.0, 14.0, 15.0, 18.0, 22.0, 23.0, 20.0, 14.0, 10.0, 8.0,
)  # fmt: skip
_STEP = timedelta(minutes=1)


class Reservoir:
    """`level` in m, `inflow` and `outflow` in L/s."""

    def __init__(self, name: str, world: World) -> None:
        self._drawn = DailyShape(hours=_DRAWN, utc_offset=world.utc_offset)
        self._noise = Noise(seed=world.seed, name=f"{name}:drawn", period_seconds=180)
        self._level = seeded(world.seed, name, "start").uniform(2.8, 3.4)
        self._pumping = False

    def advance(self, since: datetime, until: datetime) -> None:
        """Fill and draw; the pump's float switch acts at each step."""
        for middle, seconds in steps(since, until, _STEP):
            self._pumping = self._level < (_PUMP_OFF_METRES if self._pumping else _PUMP_ON_METRES)
            self._level += (self._inflow() - self._outflow(middle)) * seconds / 1000 / _AREA_M2

    def report(self, at: datetime) -> Report:
        """Read level and flows."""
        return Report(
            readings={
                "level": round(self._level, 3),
                "inflow": round(self._inflow() * (0.985 + 0.03 * self._noise.value(at)), 2),
                "outflow": round(self._outflow(at), 2),
            }
        )

    def state(self) -> State:
        """Give level and pump."""
        return {"level": self._level, "pumping": float(self._pumping)}

    def restore(self, state: State) -> None:
        """Go on from a level."""
        self._level, self._pumping = state["level"], bool(state["pumping"])

    def _inflow(self) -> float:
        return _PUMP_LITRES_PER_SECOND if self._pumping else 0.0

    def _outflow(self, at: datetime) -> float:
        return self._drawn.value(at) * (0.85 + 0.3 * self._noise.value(at))
