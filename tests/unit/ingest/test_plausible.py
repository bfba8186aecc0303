"""Plausible ranges over a batch."""

import numpy as np

from ingest.plausible import PlausibleRanges
from veldwatch.model.identifiers import SeriesId
from veldwatch.storage.log import READINGS
from veldwatch.storage.register import KnownSeries


def _marked(ranges: PlausibleRanges, *readings: tuple[int, float]) -> list[int]:
    rows = np.zeros(len(readings), READINGS)
    rows["series_id"] = [series for series, _ in readings]
    rows["value"] = [value for _, value in readings]
    rows["quality"] = 1
    ranges.mark(rows)
    return rows["quality"].tolist()


def test_bounds_belong_to_the_range_and_other_marks_stay() -> None:
    ranges = PlausibleRanges()
    ranges.learn(KnownSeries(SeriesId(7), "bar", 0, 16, "bar"))
    ranges.learn(KnownSeries(SeriesId(3), "bar", None, 2, "bar"))
    ranges.learn(KnownSeries(SeriesId(5), "bar"))
    assert _marked(ranges, (7, 0), (7, 16), (7, 16.1), (3, -99), (3, 2.1), (5, 1e9), (99, 1e9), (1, 1e9)) == [
        1,
        1,
        5,
        1,
        5,
        1,
        1,
        1,
    ]
    ranges.clear()
    assert _marked(ranges, (7, 99)) == [1]


def test_a_range_is_converted_into_the_unit_of_the_series() -> None:
    ranges = PlausibleRanges()
    ranges.learn(KnownSeries(SeriesId(1), "kPa", 0, 16, "bar"))
    ranges.learn(KnownSeries(SeriesId(2), "[degF]", -40, 60, "Cel"))
    ranges.learn(KnownSeries(SeriesId(3), "kWh", 0, 16, "bar"))
    assert _marked(ranges, (1, 1600), (1, 1601), (2, -39.9), (2, -40.1), (2, 140.1), (3, 99)) == [1, 5, 1, 5, 5, 1]
