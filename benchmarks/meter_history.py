"""What meters say over months, made up from a seed: with the decimals, the noise and the daily rhythm of real ones.

A device is a water meter or an electricity meter, by turns, of four metrics each. Any week of it can be made without
those before: registers are at a place that the time alone tells, and between grow by what flowed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WEEK_SECONDS = 7 * 86_400
Floats = npt.NDArray[np.float64]


class Kind(NamedTuple):
    """One metric of a device.

    Attributes:
        say: values of some series through a week, from randomness, the week's number and how far each reading is
            through its day; series × steps.
    """

    metric: str
    unit: str
    say: Callable[[np.random.Generator, int, Floats, int], Floats]


def _daily(day: Floats) -> Floats:
    return np.sin(2 * np.pi * (day - 0.35))


def _flow(randomness: np.random.Generator, week: int, day: Floats, series: int) -> Floats:  # noqa: ARG001
    shape = (series, len(day))
    return (2.5 + 1.8 * _daily(day) + randomness.normal(0, 0.4, shape)).clip(min=0).round(3)


def _register(decimals: int, weekly: float) -> Callable[[np.random.Generator, int, Floats, int], Floats]:
    def say(randomness: np.random.Generator, week: int, day: Floats, series: int) -> Floats:
        used = (1.2 + _daily(day)) * randomness.gamma(1.0, 1.0, (series, len(day)))
        share = np.cumsum(used, axis=1) / used.sum(axis=1, keepdims=True)
        return (1234.5 + weekly * (week + share)).round(decimals)

    return say


def _noisy(mean: float, swing: float, noise: float, decimals: int) -> Callable[..., Floats]:
    def say(randomness: np.random.Generator, week: int, day: Floats, series: int) -> Floats:  # noqa: ARG001
        level = mean + swing * _daily(day) + mean * 0.02 * randomness.normal(0, 1, (series, 1))
        return (level + randomness.normal(0, noise, (series, len(day)))).round(decimals)

    return say


def _power(randomness: np.random.Generator, week: int, day: Floats, series: int) -> Floats:  # noqa: ARG001
    return (400 + 300 * _daily(day) + randomness.gamma(1, 300, (series, len(day)))).clip(min=0).round()


def _single_precision(randomness: np.random.Generator, week: int, day: Floats, series: int) -> Floats:
    """Temperatures of a device that sends float4: 21.3 is 21.299999237060547, which no short decimal is."""
    exact = _noisy(21, 6, 0.1, 1)(randomness, week, day, series)
    return exact.astype(np.float32).astype(np.float64)


WATER = (
    Kind("flow_rate", "m3/h", _flow),
    Kind("total_volume", "m3", _register(3, 420.0)),
    Kind("pressure", "bar", _noisy(4.2, -0.8, 0.05, 2)),
    Kind("battery_voltage", "V", _noisy(3.6, 0, 0.005, 2)),
)
ELECTRICITY = (
    Kind("power", "W", _power),
    Kind("energy", "kW.h", _register(2, 92.0)),
    Kind("voltage", "V", _noisy(231, 3, 1.2, 1)),
    Kind("temperature", "Cel", _single_precision),
)
KINDS = (*WATER, *ELECTRICITY)
"""Two devices have these series, in this order."""


class Week(NamedTuple):
    """What all series say in a week, series × steps.

    Attributes:
        observed_at: seconds since 1970.
        delay: seconds until it was received.
    """

    observed_at: npt.NDArray[np.int64]
    delay: npt.NDArray[np.int64]
    values: Floats


def make_week(week: int, series: int, step_seconds: int, seed: int = 1) -> Week:
    """Make a week.

    Args:
        week: counted from 1970.
        series: a multiple of the number of `KINDS`.
        step_seconds: between two readings of a series; each series has its own second within it.
    """
    steps = WEEK_SECONDS // step_seconds
    offsets = np.random.default_rng(seed).integers(0, step_seconds, series)
    randomness = np.random.default_rng((seed, week))
    since = week * WEEK_SECONDS + step_seconds * np.arange(steps)
    day = (since % 86_400) / 86_400
    values = np.empty((series, steps))
    for place, kind in enumerate(KINDS):
        rows = values[place :: len(KINDS)]
        rows[:] = kind.say(randomness, week, day, len(rows))
    delay = np.clip(randomness.gamma(2.0, 1.0, values.shape), 0, 60).astype(np.int64)
    return Week(since[None, :] + offsets[:, None], delay, values)
