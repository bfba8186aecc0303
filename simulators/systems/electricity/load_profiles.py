"""The standard load profiles: watts by season, kind of day and hour, for a customer of 1,000 kWh a year.

Hourly means of the quarters of an hour in the tables H0 (households) and G0 (commerce) of the German utilities.

Source: VDEW, "Repräsentative VDEW-Lastprofile", Frankfurt 1999, published by BDEW and, as open data, in demandlib
(MIT). Seasons: winter 1 November to 20 March, summer 15 May to 14 September, transition between them.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

Table = tuple[tuple[float, ...], ...]

# fmt: off
HOUSEHOLD: Table = (
    # winter: working day, Saturday, Sunday
    (58.3, 43.1, 39.6, 38.5, 39.1, 46.8, 90.1, 129.4, 133.5, 123.2, 116.2, 118.3,
     130.7, 129.5, 115.4, 104.8, 105.2, 128.7, 166.2, 187.1, 168.2, 141.0, 116.7, 86.4),
    (67.0, 52.9, 42.1, 39.7, 38.5, 40.1, 53.1, 81.9, 119.7, 141.7, 147.9, 155.0,
     166.6, 165.8, 153.5, 143.8, 144.7, 180.5, 209.4, 210.1, 172.0, 134.1, 122.5, 103.9),
    (78.2, 56.3, 45.1, 41.1, 38.7, 38.6, 41.0, 50.0, 88.5, 138.5, 174.2, 202.8,
     206.7, 173.0, 136.1, 116.6, 106.7, 125.7, 156.4, 176.3, 160.1, 135.5, 114.8, 84.6),
    # transition: working day, Saturday, Sunday
    (66.6, 49.2, 44.3, 43.1, 44.1, 52.6, 92.9, 129.7, 137.5, 136.0, 132.0, 133.3,
     149.6, 145.7, 126.8, 113.4, 106.1, 116.3, 144.8, 171.9, 168.1, 156.0, 135.7, 100.3),
    (73.1, 56.3, 46.4, 43.8, 43.1, 45.2, 58.6, 93.3, 129.7, 150.4, 163.3, 171.8,
     181.4, 177.4, 161.3, 148.6, 146.5, 159.4, 183.3, 198.0, 180.4, 147.3, 138.6, 116.5),
    (84.3, 62.2, 48.9, 44.3, 43.1, 43.3, 45.8, 65.6, 111.2, 159.5, 185.1, 205.2,
     207.8, 168.7, 136.2, 121.0, 107.3, 111.8, 137.6, 160.9, 154.7, 143.9, 127.7, 94.0),
    # summer: working day, Saturday, Sunday
    (73.7, 54.8, 49.8, 46.9, 48.8, 59.3, 97.9, 129.7, 141.6, 144.1, 139.2, 142.0,
     157.8, 152.7, 131.8, 118.8, 114.8, 122.5, 142.2, 165.2, 166.6, 157.6, 144.5, 112.1),
    (83.0, 64.3, 52.3, 50.0, 50.5, 51.6, 63.7, 93.1, 128.4, 155.8, 164.9, 171.1,
     182.1, 176.0, 157.2, 148.4, 144.9, 149.0, 166.5, 180.4, 172.9, 153.8, 148.6, 124.7),
    (89.6, 66.7, 54.5, 50.6, 50.0, 48.8, 51.3, 69.5, 112.5, 160.2, 186.6, 205.7,
     209.4, 175.4, 144.1, 124.4, 108.4, 109.6, 126.7, 152.0, 159.4, 150.5, 140.2, 108.1),
)
COMMERCE: Table = (
    # winter: working day, Saturday, Sunday
    (61.2, 52.5, 48.3, 49.8, 59.5, 66.8, 80.5, 115.3, 188.5, 229.1, 232.4, 239.2,
     219.8, 183.8, 172.8, 190.6, 200.9, 204.0, 168.2, 116.8, 95.6, 83.8, 76.1, 71.2),
    (74.1, 73.4, 64.9, 63.9, 66.0, 70.7, 80.0, 118.2, 169.6, 193.6, 203.8, 207.4,
     197.2, 172.5, 129.2, 95.6, 83.6, 91.2, 97.0, 96.9, 93.6, 85.4, 77.0, 68.6),
    (60.0, 52.9, 46.2, 42.5, 41.9, 44.0, 49.5, 51.3, 49.2, 55.4, 66.0, 72.8,
     77.8, 80.1, 74.5, 66.1, 62.4, 79.0, 91.9, 94.0, 89.2, 78.3, 70.1, 61.7),
    # transition: working day, Saturday, Sunday
    (68.7, 60.0, 55.3, 55.6, 66.1, 75.1, 81.2, 107.8, 174.3, 211.3, 214.2, 220.7,
     205.4, 174.9, 165.2, 178.8, 182.9, 179.5, 144.2, 101.6, 91.1, 86.1, 81.7, 78.4),
    (77.2, 76.9, 69.7, 68.0, 70.3, 72.5, 74.8, 113.7, 168.6, 187.3, 191.0, 195.0,
     192.1, 168.8, 125.9, 94.9, 79.0, 79.8, 84.1, 86.6, 91.1, 87.9, 80.3, 72.9),
    (65.5, 56.8, 48.9, 44.7, 43.7, 45.2, 45.5, 49.9, 53.3, 61.0, 69.1, 76.8,
     82.8, 81.3, 74.2, 66.8, 62.0, 72.5, 80.3, 84.1, 88.3, 83.1, 72.9, 65.0),
    # summer: working day, Saturday, Sunday
    (67.6, 57.8, 53.6, 54.1, 65.0, 71.3, 75.2, 102.1, 163.6, 198.3, 202.9, 208.7,
     196.4, 171.4, 165.0, 175.4, 176.0, 170.3, 139.6, 98.2, 88.9, 87.3, 80.9, 76.3),
    (76.8, 75.1, 68.6, 66.9, 69.5, 72.5, 76.8, 113.6, 160.8, 176.0, 180.4, 185.0,
     180.5, 158.2, 117.8, 88.9, 77.2, 75.4, 78.6, 79.7, 84.6, 85.4, 78.4, 72.0),
    (66.3, 56.9, 51.2, 48.1, 46.6, 46.2, 47.0, 53.1, 53.8, 58.6, 66.4, 72.3,
     77.3, 79.1, 73.0, 64.1, 60.1, 67.5, 75.4, 78.8, 83.1, 81.8, 74.3, 65.8),
)
# fmt: on
_WATTS_OF_1000_KWH = 1e6 / 8766
_WINTER_ENDS, _SUMMER_BEGINS, _SUMMER_ENDS, _WINTER_BEGINS = (3, 20), (5, 15), (9, 14), (11, 1)
_HALF_A_YEAR = timedelta(days=182)
_SATURDAY = 5


class LoadShape:
    """Load over its yearly mean, at a latitude, for all customers of a kind.

    South of the equator the seasons are half a year later. Seasons are those of Germany from 50 degrees on, and weaken
    in proportion nearer to the equator, where there is neither heating nor a long dark evening (assumed).

    Args:
        tables: one a kind of customer.
        dynamic: whether each kind follows the H0 rule of the seasons.
        latitude: degrees.
    """

    def __init__(self, tables: Sequence[Table], dynamic: Sequence[bool], latitude: float) -> None:
        self._tables = tuple(tables)
        self._dynamic = tuple(dynamic)
        self._shift = _HALF_A_YEAR if latitude < 0 else timedelta(0)
        self._strength = min(abs(latitude) / 50.0, 1.0)
        self._days: dict[datetime, tuple[tuple[float, ...], ...]] = {}

    def of_hour(self, local: datetime) -> tuple[float, ...]:
        """Return the mean of the hour that holds a local time, one number a kind."""
        return tuple([hours[local.hour] for hours in self._day(local)])

    def at(self, local: datetime) -> tuple[float, ...]:
        """Return the load at a local time, one number a kind: between the middles of hours on a straight line."""
        place = local.hour + local.minute / 60.0 + local.second / 3600.0 - 0.5
        left = math.floor(place)
        share = place - left
        return tuple([hours[left % 24] * (1.0 - share) + hours[(left + 1) % 24] * share for hours in self._day(local)])

    def _day(self, local: datetime) -> tuple[tuple[float, ...], ...]:
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if midnight not in self._days:
            if len(self._days) > 2:  # A step touches two.
                self._days.clear()
            self._days[midnight] = self._of_day(midnight)
        return self._days[midnight]

    def _of_day(self, midnight: datetime) -> tuple[tuple[float, ...], ...]:
        season_day = midnight + self._shift
        row = 3 * _season(season_day) + max(0, midnight.weekday() - _SATURDAY + 1)
        middle = 3 + max(0, midnight.weekday() - _SATURDAY + 1)
        year = 1.0 + self._strength * (_h0_of_the_year(season_day.timetuple().tm_yday) - 1.0)
        return tuple(
            tuple(
                (self._strength * season + (1.0 - self._strength) * mild)
                * (year if dynamic else 1.0)
                / _WATTS_OF_1000_KWH
                for season, mild in zip(table[row], table[middle], strict=True)
            )
            for table, dynamic in zip(self._tables, self._dynamic, strict=True)
        )


def _season(day: datetime) -> int:
    date = (day.month, day.day)
    if date <= _WINTER_ENDS or date >= _WINTER_BEGINS:
        return 0
    return 2 if _SUMMER_BEGINS <= date <= _SUMMER_ENDS else 1


def _h0_of_the_year(day: int) -> float:
    """Return by how much a household's load of a day differs from the table's.

    Source: VDEW 1999, the dynamic H0 profile.
    """
    return -3.92e-10 * day**4 + 3.2e-7 * day**3 - 7.02e-5 * day**2 + 2.1e-3 * day + 1.24
