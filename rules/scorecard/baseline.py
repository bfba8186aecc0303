"""A detector that knows nothing of meters, animals or networks: what rules must be better than.

Rolling median: a reading is out of line when it is further from the median of the readings before it than `LIMIT` times
their median absolute deviation (MAD, not scaled). Of a register, the differences of readings are looked at.
Readings out of line that are no more than `QUIET` apart are one alarm, which fires at the first of them.

Source: issue 5 asks for the rolling median with 12 MAD; window, least number and quiet time are ours.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rules.conditions.span import Instant, Reading
from rules.instants import to_datetime, to_span
from rules.scorecard.gathering import spot_of
from rules.scorecard.occurrences import Detector, Firing
from rules.sources import Source
from rules.store import Store
from rules.targets import Target
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind, NightFlow
from veldwatch.model.conditions.inputs import Input

NAME = "rolling-median"
WINDOW = 288
"""Readings: a day of them every five minutes."""
LEAST = 30
"""Readings before which nothing is judged."""
LIMIT = 12.0
QUIET = timedelta(hours=1)
PARAMETERS: Mapping[str, float] = {
    "window_readings": WINDOW,
    "least_readings": LEAST,
    "limit_mad": LIMIT,
    "quiet_seconds": QUIET.total_seconds(),
}
_BLOCK = 4096
"""Windows whose medians are taken at once: 10 MB."""

_ALWAYS: Instant = 2**62
"""Readings are what they are, whenever they are looked at."""

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]


def run_baseline(store: Store, targets: Iterable[Target]) -> tuple[Detector, list[Firing]]:
    """Run it over every series that some rules look at, each once."""
    series = {
        number: target for target in targets for kind, number in _members(target.source) if kind is Input.READINGS
    }
    registers = {number for number, target in series.items() if _is_register(target)}
    firings: list[Firing] = []
    for source_id, target in series.items():
        times, values = _readings(store, Source(input=Input.READINGS, id=source_id))
        if source_id in registers:
            times, values = times[1:], np.diff(values)
        firings.extend(Firing(NAME, to_datetime(int(at)), spot_of(target.place)) for at in alarms(times, values))
    spots = dict.fromkeys(spot_of(target.place) for target in series.values())
    return Detector(name=NAME, detects=None, watched=list(spots)), firings


def alarms(times: Instants, values: Floats) -> Sequence[Instant]:
    """Give the times at which alarms fire.

    Args:
        times: of n readings, rising, n ≥ 0.
        values: finite.
    """
    at = times[out_of_line(values)]
    if not at.size:
        return []
    begins = np.concatenate(([True], np.diff(at) > to_span(QUIET)))
    return [int(instant) for instant in at[begins]]


def out_of_line(values: Floats) -> NDArray[np.bool_]:
    """Say of each of n values whether it is out of line with those before it."""
    flags = np.zeros(values.size, np.bool_)
    for row in range(LEAST, min(WINDOW, values.size)):
        before = values[:row]
        median = np.median(before)
        flags[row] = abs(values[row] - median) > LIMIT * np.median(np.abs(before - median))
    if values.size > WINDOW:
        windows = sliding_window_view(values, WINDOW)[:-1]
        for start in range(0, len(windows), _BLOCK):
            block = windows[start : start + _BLOCK]
            medians = np.median(block, axis=1)
            mads = np.median(np.abs(block - medians[:, None]), axis=1)
            own = values[WINDOW + start : WINDOW + start + len(block)]
            flags[WINDOW + start : WINDOW + start + len(block)] = np.abs(own - medians) > LIMIT * mads
    return flags


def _is_register(target: Target) -> bool:
    condition = target.rule.condition
    return isinstance(condition, (ContinuousFlow, NightFlow)) and condition.of is FlowKind.REGISTER


def _members(source: Source) -> Iterable[tuple[Input, int]]:
    """List what a rule looks at by itself or together at one device; areas are none of a detector of one series."""
    return source.members() if source.grid is None else ()


def _readings(store: Store, source: Source) -> tuple[Instants, Floats]:
    rows: list[tuple[int, float]] = []
    position: Instant | None = None
    more = True
    while more:
        (page,) = store.observations([(source, position)], _ALWAYS)
        rows.extend((seen.at, seen.value) for seen in page.observations if isinstance(seen, Reading))
        position, more = (rows[-1][0] if rows else position), page.more
    return np.array([at for at, _ in rows], np.int64), np.array([value for _, value in rows], np.float64)
