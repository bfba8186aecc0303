"""Sensors that tell wrong values: one that stands still, one that drifts, one that spikes."""

import math
from dataclasses import replace

from simulators.faults.instrument import Wrapped
from simulators.faults.lasting import COUNTERS, HOUSEKEEPING, Lasting
from simulators.moment import Moment
from simulators.report import Fix, Report

_DAY_MILLISECONDS = 86_400_000
_SPARED = COUNTERS | HOUSEKEEPING
# What ends by its very definition, by unit.
_SCALES = {"%": (0.0, 100.0), "%RH": (0.0, 100.0), "[pH]": (0.0, 14.0)}


class Stuck(Lasting):
    """Tells again and again what it told first; when it ends, the value of the time."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Put the first values in place of the present ones; events are told."""
        del moment
        if not self.lasts:
            return report
        for metric, value in report.readings.items():
            if metric not in HOUSEKEEPING and value == value:  # noqa: PLR0124  # not told: not a number
                self.kept.setdefault(f"value:{metric}", value)
        readings = {metric: self.kept.get(f"value:{metric}", value) for metric, value in report.readings.items()}
        return replace(report, readings=readings, fix=self._fix(report.fix))

    def _fix(self, fix: Fix | None) -> Fix | None:
        if fix is None:
            return None
        self.kept.setdefault("longitude", fix.longitude)
        self.kept.setdefault("latitude", fix.latitude)
        return replace(fix, longitude=self.kept["longitude"], latitude=self.kept["latitude"], speed=0.0)


class Drift(Lasting):
    """Its gauges go off by the same share of their value each day, until somebody calibrates it."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Multiply the gauges."""
        if not self.lasts:
            return report
        began = self.kept.setdefault("began", float(moment.at))
        days = (moment.at - began) / _DAY_MILLISECONDS
        factor = 1.0 + self.wrapped.parameters["share_per_day"] * days
        return _multiplied(report, factor, self.wrapped)


class Spike(Lasting):
    """Some of its reports are far off, each by itself."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Multiply the gauges of some reports."""
        parameters = self.wrapped.parameters
        if not self.lasts or self.wrapped.chance.uniform("spike", moment.number)[0] >= parameters["share"]:
            return report
        factor = parameters["factor"]
        return _multiplied(report, factor, self.wrapped)


def _multiplied(report: Report, factor: float, wrapped: Wrapped) -> Report:
    """Multiply the gauges, as far as what the sensor shows can go."""
    units = {metric.name: metric.unit for metric in wrapped.metrics}
    readings = dict(report.readings)
    for metric, value in report.readings.items():
        if metric not in _SPARED:
            low, high = _SCALES.get(units.get(metric, ""), (-math.inf, math.inf))
            readings[metric] = min(max(value * factor, low), high) if value == value else value  # noqa: PLR0124  # NaN
    return replace(report, readings=readings)
