"""`veldwatch.model.consumption.judge` over arrays: plain steps all at once, the others by that very fold.

A stretch of plain steps needs no fold: each amount is a difference. Where a step is not plain, a few readings before it
and after it go through the fold, until the register stands at what it shows again. Tests compare both.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.model.consumption import GAP_SHARE, NOISE_SHARE, Code, Increment, State, judge
from veldwatch.model.excursions import EXCURSION_READINGS
from veldwatch.model.register_steps import COUNTS_PER_UNIT, HOUR, SHORTEST_DEMAND, Register

Instants = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int64]

INCREMENTS = np.dtype([(name, "<i8") for name in Increment._fields])

_LARGEST = 2**62
_MARGIN = EXCURSION_READINGS + 2


def counts_of(values: npt.NDArray[np.float64]) -> Counts:
    """Give readings in whole counts; figures beyond 4e12 units, which no register has, count as that."""
    return np.rint(np.clip(values * COUNTS_PER_UNIT, -_LARGEST, _LARGEST)).astype(np.int64)


def judge_arrays(times: Instants, counts: Counts, register: Register, state: State | None = None) -> npt.NDArray[Any]:
    """Judge the readings of one register, oldest first: a structured array of increments, one per reading.

    Args:
        state: of the readings before; None: the first reading only says where the register stood.
    """
    if state is None:
        if not len(times):
            return np.empty(0, INCREMENTS)
        state = State(int(counts[0]), int(times[0]), int(times[0]))
        times, counts = times[1:], counts[1:]
    at = np.concatenate([[state.level_at], times]).astype(np.int64)
    level = np.concatenate([[state.level], counts]).astype(np.int64)
    begin = np.concatenate([[state.last_at], times[:-1]]).astype(np.int64) if len(times) else times
    found = _plain(at, level, begin, register)
    odd = np.flatnonzero(_odd(at, level, register)) + 1
    clean = State(state.level, state.level_at, state.last_at)
    for first, last, increments in _folded(at, level, register, clean, odd):
        found[first - 1 : last] = np.array([tuple(increment) for increment in increments], INCREMENTS)
    return found


def _plain(at: Instants, level: Counts, begin: Instants, register: Register) -> npt.NDArray[Any]:
    found = np.zeros(len(begin), INCREMENTS)
    found["begin"], found["end"] = begin, at[1:]
    found["amount"] = np.diff(level)
    found["level"], found["level_at"] = level[1:], at[1:]
    if register.interval is not None:
        found["codes"] = np.where(at[1:] - begin > register.interval * GAP_SHARE, int(Code.GAP), 0)
    return found


def _odd(at: Instants, level: Counts, register: Register) -> npt.NDArray[np.bool_]:
    """Tell which steps are not plain; some that are plain too, close to a limit that only the fold computes exactly."""
    rise = np.diff(level)
    odd = rise < 0
    if register.modulus is not None:
        odd |= rise >= register.modulus - register.modulus // NOISE_SHARE
    if register.per_hour is not None:
        fastest = register.per_hour * (np.maximum(np.diff(at), SHORTEST_DEMAND) / HOUR)
        odd |= rise > fastest * (1 - 1e-9) - 1
    return odd


def _folded(
    at: Instants, level: Counts, register: Register, state: State, odd: Instants
) -> Iterator[tuple[int, int, list[Increment]]]:
    """Give stretches of readings that the fold judged: first and last index, and their increments."""
    most, done = len(at) - 1, 0
    for place in odd.tolist():
        if place <= done:
            continue
        first = max(done, place - _MARGIN)
        before = state if first == 0 else State(int(level[first]), int(at[first]), int(at[first]))
        last = _calm_from(place, odd, most)
        while True:
            seen = min(most, last + _MARGIN)
            increments = judge(
                at[first + 1 : seen + 1].tolist(), level[first + 1 : seen + 1].tolist(), register, before
            )
            if last >= most or increments[last - first - 1].level == level[last]:
                break
            last = _calm_from(min(most, last + 2 * (last - first)), odd, most)
        done = min(last, most)
        yield first + 1, done, increments[: done - first]


def _calm_from(place: int, odd: Instants, most: int) -> int:
    """Give a reading after which so many plain steps follow that nothing before it matters to them."""
    following = odd[np.searchsorted(odd, place) :]
    for nearest in following.tolist():
        if nearest > place + 2 * _MARGIN:
            break
        place = max(place, nearest)
    return min(most, place + _MARGIN)
