"""Conditions on where animals and other trackers are."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input


class GeofenceEvent(StrEnum):
    """Which crossing opens an alert; the opposite one ends it."""

    ENTER = "enter"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Geofence:
    """A boundary crossed.

    Exactly one of `site` and `polygon` is given.

    Attributes:
        site: slug of a site with a geometry, of the device's own organisation.
        polygon: a GeoJSON geometry as canonical text, Polygon or MultiPolygon, WGS 84.
        margin_metres: how far beyond the boundary a fix must be to count as outside after it was inside.
        max_gap: two fixes further apart say nothing of the way between them.
    """

    INPUT: ClassVar[Input] = Input.POSITIONS
    OWN_TIME: ClassVar[str | None] = None

    event: GeofenceEvent
    site: str | None = None
    polygon: str | None = None
    margin_metres: float = 25.0
    max_gap: timedelta = timedelta(hours=6)


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
