"""A cache of what series and devices are called: the log holds numbers, people read names.

Names that are not known yet are looked up together; all are forgotten after a while, so that a renamed device shows.
Safe to use from several threads.
"""

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple

from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("live")
_KEPT_SECONDS = 120.0


class SeriesName(NamedTuple):
    """What a series is called; `device` is the device's own identifier."""

    device_id: int
    device: str
    metric: str
    unit: str
    organisation_id: int


class DeviceName(NamedTuple):
    """What a device calls itself."""

    device: str
    organisation_id: int


class Names:
    """Names of series and devices by their numbers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget_at = 0.0
        self._series: dict[int, SeriesName] = {}
        self._devices: dict[int, DeviceName] = {}

    def series(self, connection: Connection, ids: Iterable[int]) -> dict[int, SeriesName]:
        """Name some series; those that do not exist (any more) are left out."""
        with self._lock:
            self._forget_old()
            wanted = set(ids)
            missing = wanted - self._series.keys()
            if missing:
                with translated_errors():
                    rows = connection.execute(_QUERIES["series_names"], {"ids": sorted(missing)}).fetchall()
                self._series.update({row[0]: SeriesName(*row[1:]) for row in rows})
            return {number: self._series[number] for number in wanted if number in self._series}

    def devices(self, connection: Connection, ids: Iterable[int]) -> dict[int, DeviceName]:
        """Name some devices; those that do not exist (any more) are left out."""
        with self._lock:
            self._forget_old()
            wanted = set(ids)
            missing = wanted - self._devices.keys()
            if missing:
                with translated_errors():
                    rows = connection.execute(_QUERIES["device_names"], {"ids": sorted(missing)}).fetchall()
                self._devices.update({row[0]: DeviceName(*row[1:]) for row in rows})
            return {number: self._devices[number] for number in wanted if number in self._devices}

    def _forget_old(self) -> None:
        now = time.monotonic()
        if now >= self._forget_at:
            self._series.clear()
            self._devices.clear()
            self._forget_at = now + _KEPT_SECONDS
