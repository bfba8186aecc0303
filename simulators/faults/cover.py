"""A meter whose cover is opened: it says so, and says when it is closed."""

from dataclasses import replace

from simulators.faults.lasting import Lasting
from simulators.moment import Moment
from simulators.report import Report


class CoverOpen(Lasting):
    """Tells an event `tamper` with the first report after its begin, and another after its end."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Add what has not been told yet."""
        del moment
        told = "opened" if self.lasts else "closed"
        if told in self.kept:
            return report
        self.kept[told] = 1.0
        return replace(report, events=(*report.events, ("tamper", {"cover": told})))

    @property
    def is_over(self) -> bool:
        """Be over once the closing is told."""
        return not self.lasts and "closed" in self.kept
