"""A gateway: it measures nothing, it only shows that it is there."""

from datetime import datetime

from simulators.reports import Report, State


class Gateway:
    """Reports that it is alive."""

    def advance(self, since: datetime, until: datetime) -> None:
        """Nothing changes."""

    def report(self, at: datetime) -> Report:  # noqa: ARG002  # every device is asked for a moment
        """Give a sign of life."""
        return Report(alive=True)

    def state(self) -> State:
        """Nothing to remember."""
        return {}

    def restore(self, state: State) -> None:
        """Nothing to take up."""
