"""Arrivals: what of a log batch concerns which fold.

Readings and fixes that are marked implausible concern none: they are kept, and judged by nobody.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.targets import FoldKey, Input, Target
from veldwatch.model.telemetry import Quality
from veldwatch.model.watched import Watched
from veldwatch.storage.log import LogBatch


class Arrivals:
    """Who waits for what."""

    def __init__(self, targets: Iterable[Target], watched: Watched | None = None) -> None:
        self._waiting: dict[Input, dict[int, list[FoldKey]]] = {kind: {} for kind in Input}
        for target in targets:
            self._waiting[target.input].setdefault(target.source_id, []).append(target.key)
        self._newest_series = max((series.id for series in watched.series), default=0) if watched else 0
        self._newest_device = max((device.id for device in watched.devices), default=0) if watched else 0

    def has_strangers(self, batch: LogBatch) -> bool:
        """Tell whether a batch has series or devices that were registered after this was made; ids only grow."""
        return (
            _largest(batch.readings, "series_id") > self._newest_series
            or _largest(batch.contacts, "device_id") > self._newest_device
            or _largest(batch.positions, "device_id") > self._newest_device
        )

    def by_key(self, batch: LogBatch) -> dict[FoldKey, list[Observation]]:
        """Give each fold its observations, in order of arrival."""
        found: dict[FoldKey, list[Observation]] = {}
        self._deal(found, Input.READINGS, self._awaited(batch.readings, "series_id", Input.READINGS), _readings)
        self._deal(found, Input.POSITIONS, self._awaited(batch.positions, "device_id", Input.POSITIONS), _fixes)
        self._deal(found, Input.CONTACTS, self._awaited(batch.contacts, "device_id", Input.CONTACTS), _contacts)
        return found

    def _awaited(self, rows: npt.NDArray[Any], column: str, kind: Input) -> npt.NDArray[Any]:
        waiting = self._waiting[kind]
        if not len(rows) or not waiting:
            return rows[:0]
        return rows[np.isin(rows[column], np.fromiter(waiting, np.int64, len(waiting)))]

    def _deal(self, found: dict[FoldKey, list[Observation]], kind: Input, rows: npt.NDArray[Any], read: Any) -> None:  # noqa: ANN401
        waiting = self._waiting[kind]
        for source_id, observation in read(rows):
            for key in waiting[source_id]:
                found.setdefault(key, []).append(observation)


def _readings(rows: npt.NDArray[Any]) -> Sequence[tuple[int, Observation]]:
    kept = rows[(rows["quality"] & Quality.IMPLAUSIBLE) == 0]
    columns = (kept["series_id"].tolist(), kept["observed_at"].tolist(), kept["value"].tolist())
    return [(series, Reading(at, value)) for series, at, value in zip(*columns, strict=True)]


def _fixes(rows: npt.NDArray[Any]) -> Sequence[tuple[int, Observation]]:
    kept = rows[(rows["quality"] & Quality.IMPLAUSIBLE) == 0]
    names = ("device_id", "observed_at", "longitude", "latitude", "accuracy")
    columns = [kept[name].tolist() for name in names]
    return [
        (device, Fix(at, longitude, latitude, None if accuracy != accuracy else accuracy))  # noqa: PLR0124  # NaN
        for device, at, longitude, latitude, accuracy in zip(*columns, strict=True)
    ]


def _contacts(rows: npt.NDArray[Any]) -> Sequence[tuple[int, Observation]]:
    # A last will is the broker's word, not the device's: it proves no life.
    kept = rows[rows["online"]]
    return [
        (device, Contact(at))
        for device, at in zip(kept["device_id"].tolist(), kept["received_at"].tolist(), strict=True)
    ]


def _largest(rows: npt.NDArray[Any], column: str) -> int:
    return int(rows[column].max()) if len(rows) else 0
