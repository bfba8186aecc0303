"""Trackers that are not on their animal, or not where they think."""

import math
from dataclasses import replace

from simulators.faults.lasting import Lasting
from simulators.moment import Moment
from simulators.plane import Plane
from simulators.report import Report

_JITTER_METRES = 2.5
"""Of a receiver that lies still. Assumed: half of a civil receiver's error under an open sky."""


class CollarDropOff(Lasting):
    """The collar lies where it fell; its receiver still errs by a few metres."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Put the place where it fell in place of the animal's."""
        fix = report.fix
        if fix is None or not self.lasts:
            return report
        self.kept.setdefault("longitude", fix.longitude)
        self.kept.setdefault("latitude", fix.latitude)
        plane = Plane(longitude=self.kept["longitude"], latitude=self.kept["latitude"])
        draws = self.wrapped.chance
        east, north = (float(draws.normal(axis, moment.number)[0]) * _JITTER_METRES for axis in ("east", "north"))
        longitude, latitude = plane.degrees(east, north)
        return replace(report, fix=replace(fix, longitude=longitude, latitude=latitude, speed=0.0))


class GpsOutlier(Lasting):
    """Some fixes are far off, in any direction."""

    def change(self, report: Report, moment: Moment) -> Report:
        """Move some fixes."""
        fix, parameters, draws = report.fix, self.wrapped.parameters, self.wrapped.chance
        if fix is None or not self.lasts or draws.uniform("which", moment.number)[0] >= parameters["share"]:
            return report
        angle = float(draws.between("angle", 0.0, 2.0 * math.pi, moment.number)[0])
        plane = Plane(longitude=fix.longitude, latitude=fix.latitude)
        metres = parameters["metres"]
        longitude, latitude = plane.degrees(metres * math.sin(angle), metres * math.cos(angle))
        # Round the earth, not off the map: a receiver that errs by continents still tells degrees that exist.
        longitude = (longitude + 180.0) % 360.0 - 180.0
        return replace(
            report, fix=replace(fix, longitude=round(longitude, 6), latitude=max(-89.9, min(89.9, latitude)))
        )
