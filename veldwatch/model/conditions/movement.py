"""Conditions on where animals and other trackers are."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input


class GeofenceEvent(StrEnum):
    """What opens an alert."""

    ENTER = "enter"
    """An area is entered; leaving it ends the alert."""
    EXIT = "exit"
    """An area is left; coming back ends the alert."""
    DWELL = "dwell"
    """It stays in an area for `duration`; leaving it ends the alert."""
    OUTSIDE_WHEN_DUE = "outside_when_due"
    """It is not in an area at times at which it has to be."""
    CROSS = "cross"
    """A line is crossed; crossing back, or time, ends the alert."""
    LEFT_TO_RIGHT = "left_to_right"
    """The same, to the right as seen along the line."""
    RIGHT_TO_LEFT = "right_to_left"

    @property
    def is_of_line(self) -> bool:
        """Tell whether it is about a line, not an area."""
        return self in (GeofenceEvent.CROSS, GeofenceEvent.LEFT_TO_RIGHT, GeofenceEvent.RIGHT_TO_LEFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Geofence:
    """A boundary crossed, or a subject on the wrong side of it.

    Exactly one of `site`, `sites_of_kind`, `polygon` and `line` is given; `polygon` with the events of areas, `line`
    with those of lines.

    Attributes:
        site: slug of a site with a geometry, of the device's own organisation.
        sites_of_kind: all sites of this kind of the device's own organisation together.
        polygon: a GeoJSON geometry as canonical text, Polygon or MultiPolygon, WGS 84.
        line: the same, LineString or MultiLineString.
        margin_metres: how far beyond the boundary, more than its own error, a fix must be to change the side.
        max_gap: two fixes further apart say nothing of the way between them.
        confirm: fixes that must show it, of at most twice as many less one.
        duration: of `dwell`, how long.
        lasts: of a line, how long the alert stays, at most.
        due_from: of `outside_when_due`, HH:MM of the wall clock in `time_zone`; the day on which it lies counts.
        due_to: the same; not later than `due_from`: on the next day.
        due_days: on which of `veldwatch.model.schedule.WEEKDAYS` it is due; empty: on every day.
        time_zone: an IANA name.
    """

    INPUT: ClassVar[Input] = Input.POSITIONS
    OWN_TIME: ClassVar[str | None] = None

    event: GeofenceEvent
    site: str | None = None
    sites_of_kind: str | None = None
    polygon: str | None = None
    line: str | None = None
    margin_metres: float = 25.0
    max_gap: timedelta = timedelta(hours=6)
    confirm: int = 1
    duration: timedelta | None = None
    lasts: timedelta = timedelta(hours=24)
    due_from: str | None = None
    due_to: str | None = None
    due_days: tuple[str, ...] = ()
    time_zone: str = "UTC"

    @property
    def shape(self) -> str | None:
        """Give the geometry that it brings itself; None: it names sites."""
        return self.polygon or self.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """A subject near a feature: a village, a waterhole, a road.

    Source: EarthRanger's feature proximity analyser. That the way between two fixes counts, and that being near ends
    only beyond the error of a fix, is ours.

    Attributes:
        feature: a GeoJSON geometry as canonical text: points, lines or polygons; else `site` or `sites_of_kind`.
        margin_metres: how much further away than `distance_metres`, more than its own error, a fix must be to end it.
        max_gap: as in `Geofence`.
        confirm: as in `Geofence`.
    """

    INPUT: ClassVar[Input] = Input.POSITIONS
    OWN_TIME: ClassVar[str | None] = None

    distance_metres: float
    site: str | None = None
    sites_of_kind: str | None = None
    feature: str | None = None
    margin_metres: float = 25.0
    max_gap: timedelta = timedelta(hours=6)
    confirm: int = 1

    @property
    def shape(self) -> str | None:
        """Give the geometry that it brings itself; None: it names sites."""
        return self.feature


@dataclass(frozen=True, slots=True, kw_only=True)
class Immobility:
    """An animal that stays in one place longer than its kind does: ill, dead, snared, or a collar that fell off.

    Source: EarthRanger's immobility analyser: 13 m, 18,000 s, 0.8 of the fixes.
    """

    INPUT: ClassVar[Input] = Input.POSITIONS
    OWN_TIME: ClassVar[str | None] = "window"

    radius_metres: float = 13.0
    window: timedelta = timedelta(seconds=18000)
    share: float = 0.8


class Way(StrEnum):
    """What a speed is measured along."""

    PATH = "path"
    """From fix to fix; moves that a fix's error may have made do not count."""
    DISPLACEMENT = "displacement"
    """Straight from the first fix of the window to its last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """A mean speed over a window of fixes: a vehicle that races, an animal that streaks, or that hardly moves.

    Exactly one of `above`, `below` and `below_percentile` is given.

    Source: Wall et al. 2014, Ecological Applications 24:593: movement rate is one of four ways to watch animals live;
    EarthRanger's low-speed analyser: below the 0.01 quantile of the subject's own speeds.

    Attributes:
        above: km/h.
        below: km/h.
        below_percentile: of the subject's own speeds over windows before, 0 to 50.
        dead_band: km/h by which it must be back to end the alert.
        max_gap: a window with two fixes further apart says nothing.
    """

    INPUT: ClassVar[Input] = Input.POSITIONS
    OWN_TIME: ClassVar[str | None] = "window"

    above: float | None = None
    below: float | None = None
    below_percentile: float | None = None
    dead_band: float = 0.0
    of: Way = Way.PATH
    window: timedelta = timedelta(hours=1)
    max_gap: timedelta = timedelta(hours=2)
