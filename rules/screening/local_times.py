"""How far local time is from UTC, for many instants at once."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from rules.instants import to_span
from rules.screening.table import Instants, Mask, Slots

_QUARTER = 900_000_000
_SECOND = 1_000_000
_MOST = 10_000
"""Quarters of an hour that are remembered: a hundred days."""


class LocalTimes:
    """The time zones of many folds."""

    def __init__(self, zones: Sequence[ZoneInfo]) -> None:
        self._zones = list(dict.fromkeys(zones))
        numbers = {zone: number for number, zone in enumerate(self._zones)}
        self._zone = np.array([numbers[zone] for zone in zones], np.int64)
        self._known: dict[tuple[int, int], int | None] = {}

    def local(self, slots: Slots, at: Instants) -> tuple[Instants, Mask]:
        """Give instants as microseconds since 1970 by the clock on the wall, and whether that is known.

        It is not within a quarter of an hour in which the clock is put back or forward.
        """
        # Two numbers in one, to find what is different.
        quarters, places = np.unique(at // _QUARTER * len(self._zones) + self._zone[slots], return_inverse=True)
        offsets = [self._offset(*divmod(quarter, len(self._zones))) for quarter in quarters.tolist()]
        known = np.array([offset is not None for offset in offsets], bool)
        return at + np.array([offset or 0 for offset in offsets], np.int64)[places], known[places]

    def _offset(self, quarter: int, zone: int) -> int | None:
        if len(self._known) > _MOST:
            self._known.clear()
        key = (quarter, zone)
        if key not in self._known:
            begin = quarter * _QUARTER
            first, last = (self._at(zone, moment) for moment in (begin, begin + _QUARTER - _SECOND))
            self._known[key] = first if first == last else None
        return self._known[key]

    def _at(self, zone: int, moment: int) -> int:
        offset = datetime.fromtimestamp(moment // _SECOND, UTC).astimezone(self._zones[zone]).utcoffset()
        return to_span(offset) if offset else 0
