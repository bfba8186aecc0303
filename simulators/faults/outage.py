"""A device that is not heard: no power, no network, a thief. It goes on measuring."""

from collections.abc import Mapping

from simulators.faults.instrument import Wrapped
from simulators.moment import Moment
from simulators.report import Report


class Outage:
    """Lets nothing through."""

    def __init__(self, wrapped: Wrapped) -> None:
        del wrapped
        self._lasts = True

    def change(self, report: Report, moment: Moment) -> Report | None:
        """Send nothing while it lasts."""
        del moment
        return None if self._lasts else report

    def end(self) -> None:
        """Speak again."""
        self._lasts = False

    @property
    def is_over(self) -> bool:
        """Leave nothing behind."""
        return not self._lasts

    def state(self) -> dict[str, float]:
        """Give whether it lasts."""
        return {"lasts": float(self._lasts)}

    def restore(self, state: Mapping[str, float]) -> None:
        """Stay silent, or not."""
        self._lasts = bool(state["lasts"])
