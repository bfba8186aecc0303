"""A leak behind a water meter: flow that never rests, and a register that counts it for good."""

import math
from datetime import datetime

from simulators.faults.fault import Parameters
from simulators.reports import Report, State

_USUAL_LITRES_PER_HOUR = 300.0


class Leak:
    """Adds a constant flow; parameter `litres_per_hour`."""

    def __init__(self) -> None:
        self.active = False
        self._litres_per_hour = _USUAL_LITRES_PER_HOUR
        self._lost_m3 = 0.0

    def begin(self, parameters: Parameters) -> None:
        """Break the pipe."""
        if not self.active:
            self.active = True
            self._litres_per_hour = max(0.0, parameters.get("litres_per_hour", _USUAL_LITRES_PER_HOUR))

    def end(self) -> None:
        """Mend it: the water lost stays on the register."""
        self.active = False

    def apply(self, report: Report, since: datetime, until: datetime) -> Report:
        """Add flow and lost volume."""
        flow = self._litres_per_hour if self.active else 0.0
        self._lost_m3 += flow * (until - since).total_seconds() / 3600 / 1000
        if self._lost_m3 == 0.0:
            return report
        readings = dict(report.readings)
        readings["volume"] = math.floor((readings["volume"] + self._lost_m3) * 10_000 + 1e-6) / 10_000
        readings["flow_rate"] += flow
        return Report(readings=readings, fix=report.fix, alive=report.alive)

    def state(self) -> State:
        """Give flow and lost volume."""
        return {"active": float(self.active), "litres_per_hour": self._litres_per_hour, "lost_m3": self._lost_m3}

    def restore(self, state: State) -> None:
        """Go on leaking, or keep what was lost."""
        self.active = bool(state["active"])
        self._litres_per_hour, self._lost_m3 = state["litres_per_hour"], state["lost_m3"]
