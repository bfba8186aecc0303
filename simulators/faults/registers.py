"""Meters whose register is not what flowed: bypassed, turned round, held by a magnet, exchanged, or at its last figure.

What was not counted never comes back: these stay at the device after they have ended, as an offset of its register.
"""

from collections.abc import Mapping
from dataclasses import replace

from simulators.faults.instrument import Wrapped
from simulators.faults.lasting import COUNTERS, RATES, Lasting
from simulators.moment import Moment
from simulators.report import Report

_NEW_REGISTER = 10.0
_BELOW_LAST_FIGURE = 0.5


class Miscounting(Lasting):
    """Leaves out a share of what flows: all of it under a magnet, twice of it when turned round.

    Args:
        share: of the consumption; over 1 the register falls.
    """

    def __init__(self, wrapped: Wrapped, share: float) -> None:
        super().__init__(wrapped)
        self._share = share

    def change(self, report: Report, moment: Moment) -> Report:
        """Take from each register what was left out so far, and from each rate its share."""
        del moment
        readings = dict(report.readings)
        for metric, value in report.readings.items():
            if metric in COUNTERS and value == value:  # noqa: PLR0124  # not told: not a number
                readings[metric] = value - self._lost(metric, value)
            elif metric in RATES and self.lasts:
                readings[metric] = value * (1.0 - self._share)
        return replace(report, readings=readings)

    @property
    def is_over(self) -> bool:
        """Stay, for the register's sake."""
        return False

    def _lost(self, metric: str, value: float) -> float:
        before = self.kept.get(f"before:{metric}", value)
        self.kept[f"before:{metric}"] = value
        if self.lasts:
            # Where the register below begins again from zero, nothing has flowed back.
            flowed = max(0.0, value - before)
            self.kept[f"lost:{metric}"] = self.kept.get(f"lost:{metric}", 0.0) + self._share * flowed
        return self.kept.get(f"lost:{metric}", 0.0)


def bypass(wrapped: Wrapped) -> Miscounting:
    """Lead a share of the consumption past a meter."""
    return Miscounting(wrapped, wrapped.parameters["share"])


def reverse(wrapped: Wrapped) -> Miscounting:
    """Turn a meter round: its register falls by what flows."""
    return Miscounting(wrapped, 2.0)


def magnet(wrapped: Wrapped) -> Miscounting:
    """Hold a meter's wheel: it counts nothing."""
    return Miscounting(wrapped, 1.0)


class MeterExchange(Lasting):
    """Another meter counts on from a start of its own."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Let registers begin again, near zero."""
        del moment
        readings = dict(report.readings)
        for metric, value in report.readings.items():
            if metric in COUNTERS and value == value:  # noqa: PLR0124  # not told: not a number
                start = float(self.wrapped.chance.between(f"start:{metric}", 0.0, _NEW_REGISTER)[0])
                readings[metric] = value + self.kept.setdefault(f"offset:{metric}", start - value)
        return replace(report, readings=readings)

    @property
    def is_over(self) -> bool:
        """Stay: the old meter is gone."""
        return False


class RollOver(Lasting):
    """Its register comes to its last figure and begins again from zero.

    So that somebody lives to see it, the register stands at once just below its last figure.
    """

    def __init__(self, wrapped: Wrapped) -> None:
        super().__init__(wrapped)
        self._modulus = 10.0 ** round(wrapped.parameters["digits"])

    def change(self, report: Report, moment: Moment) -> Report:
        """Count on a register of so many digits."""
        del moment
        readings: Mapping[str, float] = {m: self._told(m, value) for m, value in report.readings.items()}
        return replace(report, readings=readings)

    @property
    def is_over(self) -> bool:
        """Stay: the register has gone round."""
        return False

    def _told(self, metric: str, value: float) -> float:
        if metric not in COUNTERS or value != value:  # noqa: PLR0124  # not told: not a number
            return value
        offset = self.kept.setdefault(f"offset:{metric}", self._modulus - _BELOW_LAST_FIGURE - value)
        return (value + offset) % self._modulus
