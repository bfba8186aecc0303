"""What customers use, in watts: a standard load profile as its mean, appliances and habits as what differs.

Each customer's load is the sum of what cycles (refrigeration), appliances that run for minutes, and the rest, which
drifts. Their expectation is the standard profile times the customer's yearly mean, at any step: appliances and cycles
are integrated exactly over a step, and are the same whatever steps time is cut into.
"""

import math
from dataclasses import dataclass

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment, from_milliseconds
from simulators.systems.electricity.load_profiles import COMMERCE, HOUSEHOLD, LoadShape
from simulators.systems.system import Flags

HOURS_OF_A_YEAR = 8766.0
_SLOT_MILLISECONDS = 3_600_000
_SLOT_SECONDS = 3600.0
_DAY_MILLISECONDS = 86_400_000

# Source: Ofgem, typical domestic consumption values from October 2023, profile class 1: quartiles 1,800, 2,700 and
# 4,100 kWh; a logarithmic normal distribution through them has sigma = ln(4100/1800)/2/0.6745.
_HOUSEHOLD_MEDIAN_KWH, _HOUSEHOLD_SIGMA = 2700.0, 0.61
# Assumed: shops and workshops on low voltage.
_COMMERCE_MEDIAN_KWH, _COMMERCE_SIGMA = 9000.0, 0.8
# Beyond it lie 1 % of customers, too far for a domestic fuse.
_MOST_SIGMAS = 2.5

# Share of the yearly mean that a refrigerator and freezer take, and of the time that they run.
# Source: Richardson et al., "Domestic electricity use: a high-resolution energy demand model", Energy and Buildings 42
# (2010): cold appliances take 12 to 16 % and cycle; duty and period assumed.
_COLD_SHARE, _COLD_DUTY = 0.12, 0.35
_COLD_PERIOD_SECONDS = (1800.0, 3600.0)
# Share of the rest that appliances take (assumed), a shop's lights and machines run on.
_APPLIANCE_SHARES = (0.5, 0.2)
# No appliance runs in more than so many hours; beyond it, it is a larger one.
_MOST_OFTEN = 0.9
# Day to day, a household's use differs by a third, a shop's by a sixth (assumed); the mean stays.
_DAY_SPREADS = (0.35, 0.15)
_HABIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class _Appliance:
    name: str
    watts: float
    seconds: float
    share: float


# Source: Richardson et al. 2010, CREST demand model: rated power and length of a cycle. Shares assumed.
_APPLIANCES = (
    _Appliance("kettle", 2000.0, 180.0, 0.12),
    _Appliance("hob", 2400.0, 960.0, 0.40),
    _Appliance("oven", 2125.0, 1620.0, 0.33),
    _Appliance("iron", 1000.0, 1800.0, 0.15),
)
# Appliances are of this size at a shop that uses a household's mean; at a larger one in proportion (assumed).
_USUAL_WATTS = 400.0


class SlowNoise:
    """`Chance.smooth`, drawn once a period instead of at every step."""

    def __init__(self, chance: Chance, what: str, period_seconds: float) -> None:
        self._chance, self._what, self._period = chance, what, period_seconds
        self._slot = math.nan
        self._left = self._right = self._rise = np.empty(0)

    def at(self, seconds: float) -> Floats:
        """Return noise in [0, 1), mean 0.5."""
        slot, fraction = divmod(seconds / self._period, 1.0)
        if slot != self._slot:
            follows = slot == self._slot + 1.0
            self._left = self._right if follows else self._chance.uniform(self._what, int(slot))
            self._right = self._chance.uniform(self._what, int(slot) + 1)
            self._rise = self._right - self._left
            self._slot = slot
        return self._left + self._rise * (fraction * fraction * (3.0 - 2.0 * fraction))


class Consumption:
    """The load of n customers.

    Args:
        chance: of their names.
        commercial: which of them are no households.
        annual_kwh: not a number where it is drawn.
        latitude: degrees; it says when winter is.
    """

    def __init__(self, chance: Chance, commercial: Flags, annual_kwh: Floats, latitude: float) -> None:
        self._chance = chance
        self._kind = commercial.astype(np.intp)
        spread = np.clip(chance.normal("annual"), -_MOST_SIGMAS, _MOST_SIGMAS)
        drawn = np.where(
            commercial,
            _COMMERCE_MEDIAN_KWH * np.exp(_COMMERCE_SIGMA * spread),
            _HOUSEHOLD_MEDIAN_KWH * np.exp(_HOUSEHOLD_SIGMA * spread),
        )
        self.annual_kwh: Floats = np.where(np.isnan(annual_kwh), drawn, annual_kwh)
        self.mean_watts: Floats = self.annual_kwh * (1000.0 / HOURS_OF_A_YEAR)
        self._shape = LoadShape((HOUSEHOLD, COMMERCE), (True, False), latitude)
        self._share: Floats = np.array(_APPLIANCE_SHARES)[self._kind]
        self._day_spread: Floats = np.array(_DAY_SPREADS)[self._kind]
        self._cold_watts = self.mean_watts * _COLD_SHARE
        self._cold_period = chance.between("cold period", *_COLD_PERIOD_SECONDS)
        self._cold_start = chance.uniform("cold phase") * self._cold_period
        self._cold_running = self._cold_watts / _COLD_DUTY
        self._ran_at = -1
        self._ran_until = self._cold_start
        size = np.where(commercial, self.mean_watts / _USUAL_WATTS, 1.0)
        self._watts: Floats = np.stack([a.watts * size * chance.between(a.name, 0.75, 1.25) for a in _APPLIANCES])
        self._habits = SlowNoise(chance, "habit", _HABIT_SECONDS)
        self._day_number = -1
        self._day_mean = self.mean_watts
        self._slots: dict[int, tuple[Floats, Floats, Floats]] = {}

    def average(self, moment: Moment) -> Floats:
        """Return each customer's mean load over a step, in watts, at least 0."""
        middle = moment.at + moment.utc_offset - moment.step // 2
        shape: Floats = np.array(self._shape.at(from_milliseconds(middle)))[self._kind]
        rest = self._rest(shape, middle // _DAY_MILLISECONDS)
        rest *= 1.0 - self._share
        rest *= 0.5 + self._habits.at(middle / 1000.0)
        return rest + self._cycling(moment) + self._appliances(moment)

    def _rest(self, shape: Floats, day: int) -> Floats:
        """Return what is expected beyond what cycles."""
        if day != self._day_number:
            self._day_number = day
            spread = self._day_spread * (2.0 * self._chance.uniform("day", day) - 1.0)
            self._day_mean = self.mean_watts * (1.0 + spread)
        return np.maximum(self._day_mean * shape - self._cold_watts, 0.0)

    def _cycling(self, moment: Moment) -> Floats:
        begins = moment.at - moment.step
        before = self._ran_until if begins == self._ran_at else self._ran(begins / 1000.0)
        self._ran_until, self._ran_at = self._ran(moment.at / 1000.0), moment.at
        return np.maximum(self._ran_until - before, 0.0) * (self._cold_running / moment.seconds)

    def _ran(self, at_seconds: float) -> Floats:
        """Return for how long each compressor ran since 1970."""
        cycles = (at_seconds + self._cold_start) / self._cold_period
        whole = np.floor(cycles)
        return (whole * _COLD_DUTY + np.minimum(cycles - whole, _COLD_DUTY)) * self._cold_period

    def _appliances(self, moment: Moment) -> Floats:
        ends = moment.at + moment.utc_offset
        begins = ends - moment.step
        first, last = begins // _SLOT_MILLISECONDS, (ends - 1) // _SLOT_MILLISECONDS
        used = self._used(first, begins, ends)
        if last != first:
            used = used + self._used(last, begins, ends)
        return used / moment.seconds

    def _used(self, slot: int, begins: int, ends: int) -> Floats:
        """Return what appliances use between two local times, of what they do within an hour; in joules."""
        starts, stops, watts = self._slot(slot)
        low = (begins - slot * _SLOT_MILLISECONDS) / 1000.0
        high = (ends - slot * _SLOT_MILLISECONDS) / 1000.0
        ran = np.minimum(stops, high)
        ran -= np.maximum(starts, low)
        np.maximum(ran, 0.0, out=ran)
        ran *= watts
        return np.add.reduce(ran, axis=0)

    def _slot(self, slot: int) -> tuple[Floats, Floats, Floats]:
        """Draw when in a local hour each appliance runs, and how strongly; k x n each."""
        if slot not in self._slots:
            if len(self._slots) > 1:
                self._slots.clear()
            self._slots[slot] = self._drawn(slot)
        return self._slots[slot]

    def _drawn(self, slot: int) -> tuple[Floats, Floats, Floats]:
        local = from_milliseconds(slot * _SLOT_MILLISECONDS)
        shape: Floats = np.array(self._shape.of_hour(local))[self._kind]
        joules = self._rest(shape, slot // (_DAY_MILLISECONDS // _SLOT_MILLISECONDS)) * self._share * _SLOT_SECONDS
        starts, stops, watts = (np.empty(self._watts.shape) for _ in range(3))
        for row, appliance in enumerate(_APPLIANCES):
            often = joules * appliance.share / (self._watts[row] * appliance.seconds)
            on = self._chance.uniform(f"{appliance.name} on", slot) < np.minimum(often, _MOST_OFTEN)
            watts[row] = np.where(on, self._watts[row] * np.maximum(often / _MOST_OFTEN, 1.0), 0.0)
            starts[row] = self._chance.uniform(f"{appliance.name} at", slot) * (_SLOT_SECONDS - appliance.seconds)
            stops[row] = starts[row] + appliance.seconds
        return starts, stops, watts
