"""Rows of fixes as GeoJSON features."""

from collections.abc import Sequence

from api.models.telemetry import Feature, Fix, LineString, Point, Track
from veldwatch.model.telemetry import Quality
from veldwatch.storage.pool import Row


def points(rows: Sequence[Row]) -> list[Feature]:
    """Make a Point of each fix, in the same order."""
    return [Feature(geometry=Point(coordinates=_place(row)), properties=Fix.model_validate(row)) for row in rows]


def tracks(rows: Sequence[Row]) -> list[Feature]:
    """Make one LineString of each device's plausible fixes.

    Args:
        rows: oldest first.
    """
    devices: dict[int, list[Row]] = {}
    for row in rows:
        if row["quality"] & Quality.IMPLAUSIBLE:
            continue
        devices.setdefault(row["device_id"], []).append(row)
    return [_track(fixes) for _, fixes in sorted(devices.items())]


def _track(fixes: Sequence[Row]) -> Feature:
    places = [_place(fix) for fix in fixes]
    # A LineString has two or more positions. Source: RFC 7946, section 3.1.4.
    line = LineString(coordinates=places if len(places) > 1 else places * 2)
    properties = Track(
        device=fixes[0]["device"],
        device_id=fixes[0]["device_id"],
        organisation=fixes[0]["organisation"],
        first_observed_at=fixes[0]["observed_at"],
        last_observed_at=fixes[-1]["observed_at"],
        positions=len(fixes),
    )
    return Feature(geometry=line, properties=properties)


def _place(row: Row) -> tuple[float, float]:
    return row["longitude"], row["latitude"]
