"""A household's water meter: taps that run for seconds, and rest in between.

Each minute holds at most one use of water, in its first 40 s: so the register rests for 20 s in every minute, and flow
that never rests means a leak, as it does (over hours, not minutes) at a real house.
Source for the shape: morning and evening peaks and a quiet night, Blokker et al. 2010, "Simulating residential water
demand with a stochastic end-use model", J. Water Resour. Plann. Manage. 136(1).
"""

import math
from datetime import UTC, datetime

from simulators.devices.device import World
from simulators.reports import Report, State
from simulators.signals import DailyShape, seeded

_MINUTE = 60
_LATEST_END_SECONDS = 40.0
# The chance of a use in a minute, by hour.
_USE = (
    0.01, 0.005, 0.005, 0.005, 0.02, 0.10, 0.26, 0.30, 0.24, 0.16, 0.13, 0.14,
    0.17, 0.15, 0.12, 0.12, 0.15, 0.22, 0.28, 0.28, 0.22, 0.14, 0.07, 0.03,
)  # fmt: skip
_RESOLUTION_PER_M3 = 10_000
"""A pulse each decilitre, as of an ultrasonic meter in test mode: a leak shows within one report."""


class WaterMeter:
    """Register `volume` in m³, `flow_rate` in L/h, `battery` in %."""

    def __init__(self, name: str, world: World) -> None:
        self._name = name
        self._seed = world.seed
        self._use = DailyShape(hours=_USE, utc_offset=world.utc_offset)
        start = seeded(world.seed, name, "start")
        self._volume = start.uniform(120.0, 900.0)
        self._battery = start.uniform(70.0, 100.0)
        self._habit = start.uniform(0.6, 1.3)

    def advance(self, since: datetime, until: datetime) -> None:
        """Count what flows."""
        begin, end = since.timestamp(), until.timestamp()
        for minute in range(math.floor(begin / _MINUTE), math.floor(end / _MINUTE) + 1):
            opened, closed, flow = self._event(minute)
            self._volume += max(0.0, min(end, closed) - max(begin, opened)) * flow / 3600 / 1000
        self._battery = max(5.0, self._battery - (end - begin) / 86400 * 0.02)

    def report(self, at: datetime) -> Report:
        """Read the register."""
        opened, closed, flow = self._event(math.floor(at.timestamp() / _MINUTE))
        return Report(
            readings={
                "volume": math.floor(self._volume * _RESOLUTION_PER_M3) / _RESOLUTION_PER_M3,
                "flow_rate": flow if opened <= at.timestamp() < closed else 0.0,
                "battery": round(self._battery, 1),
            }
        )

    def state(self) -> State:
        """Give register and battery."""
        return {"volume": self._volume, "battery": self._battery}

    def restore(self, state: State) -> None:
        """Go on from a register."""
        self._volume, self._battery = state["volume"], state["battery"]

    def _event(self, minute: int) -> tuple[float, float, float]:
        """Say what runs in a minute: opened, closed (seconds since 1970), L/h; nothing: 0 L/h."""
        draws = seeded(self._seed, self._name, minute)
        start = float(minute * _MINUTE)
        moment = datetime.fromtimestamp(start, tz=UTC)
        if draws.random() >= self._use.value(moment) * self._habit:
            return start, start, 0.0
        opened = start + draws.uniform(0.0, 15.0)
        closed = min(opened + draws.uniform(8.0, 30.0), start + _LATEST_END_SECONDS)
        return opened, closed, round(draws.triangular(90.0, 900.0, 360.0))
