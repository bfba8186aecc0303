"""A device that is not heard: no power, no network, a thief. It goes on measuring."""

from simulators.faults.lasting import Lasting
from simulators.moment import Moment
from simulators.report import Report


class Outage(Lasting):
    """Lets nothing through."""

    def change(self, report: Report, moment: Moment) -> Report | None:
        """Send nothing while it lasts."""
        del moment
        return None if self.lasts else report
