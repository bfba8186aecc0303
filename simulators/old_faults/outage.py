"""A device that is not heard: no power, no network, a thief. It goes on measuring."""

from datetime import datetime

from simulators.faults.fault import Parameters
from simulators.reports import Report, State


class Outage:
    """Lets nothing through."""

    def __init__(self) -> None:
        self.active = False

    def begin(self, parameters: Parameters) -> None:  # noqa: ARG002  # an outage has none
        """Fall silent."""
        self.active = True

    def end(self) -> None:
        """Speak again."""
        self.active = False

    def apply(self, report: Report, since: datetime, until: datetime) -> Report | None:  # noqa: ARG002
        """Send nothing while it lasts."""
        return None if self.active else report

    def state(self) -> State:
        """Give whether it lasts."""
        return {"active": float(self.active)}

    def restore(self, state: State) -> None:
        """Stay silent, or not."""
        self.active = bool(state["active"])
