"""Pictures of single readings: those of many that keep the shape, and none that was not measured.

Source: Sveinn Steinarsson, "Downsampling Time Series for Visual Representation", University of Iceland, 2013 (largest
triangle three buckets).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from tsdownsample import LTTBDownsampler

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

_GAP_REPORTS = 3
"""As in dashboard.readings and reading_window: a pause of more than three reports is a gap."""


def thin_out(times: Times, values: Values, points: int, expected: int | None) -> tuple[Times, Values]:
    """Keep so many readings at most as show the shape, with NaN where a gap is.

    Args:
        times: microseconds since 1970, ascending.
        values: as many, finite.
        points: at least 3.
        expected: microseconds between reports; None: what is usual in these.

    Returns:
        Times and values, oldest first: besides the readings kept, one NaN in the middle of each gap.
    """
    kept = _kept(times, values, points)
    at, ends = _gaps(times, expected)
    middles = (times[at] + ends) // 2
    places = np.searchsorted(times[kept], middles)
    return np.insert(times[kept], places, middles), np.insert(values[kept], places, np.nan)


def _kept(times: Times, values: Values, points: int) -> npt.NDArray[Any]:
    if len(times) <= points:
        return np.arange(len(times))
    return LTTBDownsampler().downsample(np.ascontiguousarray(times), np.ascontiguousarray(values), n_out=points)


def _gaps(times: Times, expected: int | None) -> tuple[npt.NDArray[Any], Times]:
    """Give after which readings there is a gap, and when each ends."""
    steps = np.diff(times)
    if not len(steps):
        return np.empty(0, np.int64), times[:0]
    usual = expected or int(np.median(steps))
    found = np.flatnonzero(steps > _GAP_REPORTS * usual)
    return found, times[found + 1]
