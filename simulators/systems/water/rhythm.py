"""When people use water: hour of the day, weekday or weekend, season."""

import math
from dataclasses import dataclass

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment

# Indoor use by hour, the first from midnight on.
# Source: Roberts 2005, "2004 Residential End Use Measurement Study", Yarra Valley Water, as tabled in the manual of
# eWater Source's Urban Developer. Its smallest hour is 0.11 of the mean: with 120 L a person and day 0.55 L/h, close to
# the 0.6 L/h (6 % of people flush 10 L) of McKenzie 1999, "SANFLOW user guide", WRC TT 109/99.
_HOURS = (
    200, 100, 50, 30, 30, 30, 90, 270, 600, 500, 480, 430, 390, 290, 250, 230, 240, 280, 450, 400, 330, 340, 310, 240,
)  # fmt: skip
# Source: Blokker 2006 (pysimdeum, data/NL/diurnal_patterns): people get up at 7, and at 8 on weekends.
_LATER_HOURS = 1
_LATER_FROM, _LATER_UNTIL = 3, 12
_WARMEST_NORTH, _WARMEST_SOUTH = 200.0, 17.0
"""Day of the year. Source: the land's temperature is highest about four weeks after the solstice."""
# Source: Buchberger and Wells 1996 have water rest in single homes for hours of each night; length and time assumed.
# Without it the quiet hour of many homes together would be that of each.
SLEEP_HOURS = 2.5
SLEEP_FROM = (0.0, 3.5)


def _curve(values: Floats) -> Floats:
    return values / values.mean()


def _weekend(weekday: Floats) -> Floats:
    later = weekday.copy()
    later[_LATER_FROM + _LATER_HOURS : _LATER_UNTIL] = weekday[_LATER_FROM : _LATER_UNTIL - _LATER_HOURS]
    return _curve(later)


WEEKDAY = _curve(np.array(_HOURS, dtype=np.float64))
WEEKEND = _weekend(WEEKDAY)
PEAK_FACTOR = float(WEEKDAY.max())
_CURVES = (WEEKDAY.tolist(), WEEKEND.tolist())


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The middle of a step in local time.

    Attributes:
        hour: 0 to 24.
        day: whole days since 1970.
    """

    hour: float
    day: int

    @staticmethod
    def of(moment: Moment) -> "LocalTime":
        """Take the middle of the step that ends at a moment."""
        day, within = divmod(moment.at + moment.utc_offset - moment.step // 2, 86_400_000)
        return LocalTime(within / 3_600_000, day)

    @property
    def is_weekend(self) -> bool:
        """Say whether it is Saturday or Sunday."""
        return (self.day + 3) % 7 >= 5  # 1970 began on a Thursday


def diurnal(time: LocalTime) -> float:
    """Return the use at a time over the day's mean; hourly values hold at half past, lines between them."""
    values = _CURVES[time.is_weekend]
    hour, fraction = divmod(time.hour - 0.5, 1.0)
    left = values[int(hour) % 24]
    return left + (values[(int(hour) + 1) % 24] - left) * fraction


def season(time: LocalTime, amplitude: float, warmest_day: float) -> float:
    """Return the use on a day over the year's mean."""
    return 1.0 + amplitude * math.cos(2.0 * math.pi * (time.day - warmest_day + 1.0) / 365.2425)


def warmest_day(latitude: float) -> float:
    """Return the day of the year on which most is used, by hemisphere."""
    return _WARMEST_SOUTH if latitude < 0 else _WARMEST_NORTH


def awake_share(hour: float) -> float:
    """Return the share of homes that do not sleep, where each sleeps `SLEEP_HOURS` from a time within `SLEEP_FROM`."""
    first, last = SLEEP_FROM
    asleep = max(0.0, min(hour, last) - max(hour - SLEEP_HOURS, first)) / (last - first)
    return 1.0 - asleep
