"""Arrivals: what of a log batch concerns which fold, after screening.

Readings and fixes that are marked implausible concern none: they are kept, and judged by nobody.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.conditions.absence import AbsenceCondition
from rules.conditions.continuous_flow import FlowCondition
from rules.conditions.rate_of_change import RateCondition
from rules.conditions.repeat import RepeatCondition
from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.conditions.spike import SpikeCondition
from rules.conditions.stuck import StuckCondition
from rules.conditions.threshold import ThresholdCondition
from rules.fold import FoldState
from rules.followed import Followed
from rules.happenings import happenings_of
from rules.members import Members
from rules.screening import AbsenceTable, FlowTable, LoudTable, Read, Screen, Table, ThresholdTable
from rules.screening_values import RateTable, RepeatTable, SpikeTable, StuckTable
from rules.targets import FoldKey, Target
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.telemetry import Quality
from veldwatch.model.watched import Watched
from veldwatch.storage.log import LogBatch, LogEvent

TABLES: Mapping[type, Callable[[Sequence[Target]], Table]] = {
    ThresholdCondition: ThresholdTable,
    FlowCondition: FlowTable,
    AbsenceCondition: AbsenceTable,
    RateCondition: RateTable,
    RepeatCondition: RepeatTable,
    StuckCondition: StuckTable,
    SpikeCondition: SpikeTable,
}


class Arrivals:
    """Who waits for what; it holds, in screens, the folds that uneventful observations do not reach."""

    def __init__(self, targets: Iterable[Target], watched: Watched | None = None) -> None:
        self._waiting: dict[int, list[FoldKey]] = {}
        self._listening: dict[int, list[Target]] = {}
        self._screens: list[tuple[Input, Screen]] = []
        self._screen_of: dict[FoldKey, Screen] = {}
        by_kind: dict[type, list[Target]] = {}
        listed = list(targets)
        self._members = Members(listed)
        for target in listed:
            kind = type(target.fold.condition)
            if target.input in (Input.SAMPLES, Input.BUCKETS):
                continue
            if target.input is Input.EVENTS:
                self._listening.setdefault(target.source_id, []).append(target)
            elif target.input is Input.POSITIONS:
                self._waiting.setdefault(target.source_id, []).append(target.key)
            else:
                by_kind.setdefault(kind, []).append(target)
        for kind, screened in by_kind.items():
            self._add_screen(screened, TABLES.get(kind, LoudTable))
        self._newest_series = max((series.id for series in watched.series), default=0) if watched else 0
        self._newest_device = max((device.id for device in watched.devices), default=0) if watched else 0

    def has_strangers(self, batch: LogBatch) -> bool:
        """Tell whether a batch has series or devices that were registered after this was made; ids only grow."""
        return (
            _largest(batch.readings, "series_id") > self._newest_series
            or _largest(batch.contacts, "device_id") > self._newest_device
            or _largest(batch.positions, "device_id") > self._newest_device
            or any(event.device_id > self._newest_device for event in batch.events)
        )

    def by_key(self, xid: int, batch: LogBatch) -> dict[FoldKey, list[Observation]]:
        """Give each fold the observations that it has to look at, in no order; the others are taken up here.

        Args:
            xid: of the transaction that wrote the batch.
        """
        found: dict[FoldKey, list[Observation]] = {}
        good = batch.readings[(batch.readings["quality"] & Quality.IMPLAUSIBLE) == 0]
        readings = (good["series_id"], good["observed_at"], good["value"])
        self._sift(found, Input.READINGS, xid, readings)
        self._members.find(found, Input.READINGS, readings)
        # A last will is the broker's word, not the device's: it proves no life.
        heard = batch.contacts[batch.contacts["online"]]
        contacts = (heard["device_id"], heard["received_at"], np.zeros(len(heard), np.float64))
        self._sift(found, Input.CONTACTS, xid, contacts)
        self._members.find(found, Input.CONTACTS, contacts)
        fixes = batch.positions[(batch.positions["quality"] & Quality.IMPLAUSIBLE) == 0]
        self._members.find(found, Input.POSITIONS, (fixes["device_id"], fixes["observed_at"], fixes["longitude"]))
        for device, fix in _fixes(fixes) if self._waiting else ():
            for key in self._waiting.get(device, ()):
                found.setdefault(key, []).append(fix)
        if batch.events and self._listening:
            self._listen(found, batch.events)
        if self._members.are_mixed:
            self._members.mix(found, _told(heard, fixes, batch.events))
        return found

    def hold(self, followed: Followed) -> None:
        """Let the screen look at a fold's observations, if it can and nothing is missing in its state."""
        screen = self._screen_of.get(followed.target.key)
        if screen is not None and followed.current and _is_calm(followed):
            read = Read(followed.read_before, followed.read_after)
            screen.hold(followed.target.key, followed.state.condition, followed.position, read)

    def release(self, followed: Followed) -> None:
        """Give a fold back the state that the screen has moved on."""
        screen = self._screen_of.get(followed.target.key)
        held = None if screen is None else screen.release(followed.target.key, followed.state.condition)
        if held is not None and held[1] != followed.position:
            followed.state, followed.position, followed.dirty = FoldState(held[0]), held[1], True

    def has_moved(self, followed: Followed) -> bool:
        """Tell whether the screen has moved a fold on since it was held."""
        screen = self._screen_of.get(followed.target.key)
        position = None if screen is None else screen.position(followed.target.key)
        return position is not None and position != followed.position

    def _listen(self, found: dict[FoldKey, list[Observation]], events: Sequence[LogEvent]) -> None:
        told: dict[int, list[tuple[int, str, str]]] = {}
        for event in events:
            if event.device_id in self._listening:
                told.setdefault(event.device_id, []).append((event.observed_at, event.kind, event.attributes))
        for device, rows in told.items():
            for target in self._listening[device]:
                happened = happenings_of(rows, target.source.kinds)
                if happened:
                    found.setdefault(target.key, []).extend(happened)

    def _add_screen(self, targets: list[Target], table: Callable[[Sequence[Target]], Table]) -> None:
        screen = Screen(targets, table(targets))
        self._screens.append((targets[0].input, screen))
        self._screen_of.update((target.key, screen) for target in targets)

    def _sift(
        self, found: dict[FoldKey, list[Observation]], kind: Input, xid: int, columns: tuple[Any, Any, Any]
    ) -> None:
        sources, at, value = (np.ascontiguousarray(column) for column in columns)
        for screened, screen in self._screens:
            if screened is not kind or not len(sources):
                continue
            rest = screen.sift(xid, sources.astype(np.int64), at, value)
            times, values = at[rest.rows].tolist(), value[rest.rows].tolist()
            for key, moment, number in zip(rest.keys, times, values, strict=True):
                seen = Reading(moment, number) if kind is Input.READINGS else Contact(moment)
                found.setdefault(key, []).append(seen)


def _is_calm(followed: Followed) -> bool:
    """Tell whether an uneventful observation would change nothing that was told.

    It would where time alone ended a span, or made a silence: an observation that comes late takes that back.
    """
    if followed.state.lingering is not None or followed.shown is None:
        return False
    if followed.target.input is Input.CONTACTS:
        return not followed.shown
    return all(ended_at is None for _, _, ended_at, _ in followed.shown)


def _fixes(rows: npt.NDArray[Any]) -> Sequence[tuple[int, Fix]]:
    names = ("device_id", "observed_at", "longitude", "latitude", "accuracy")
    columns = [rows[name].tolist() for name in names]
    return [
        (device, Fix(at, longitude, latitude, None if accuracy != accuracy else accuracy))  # noqa: PLR0124  # NaN
        for device, at, longitude, latitude, accuracy in zip(*columns, strict=True)
    ]


def _told(
    heard: npt.NDArray[Any], fixes: npt.NDArray[Any], events: Sequence[LogEvent]
) -> Iterator[tuple[int, Observation]]:
    """List what was observed of devices besides readings."""
    for device, at in zip(heard["device_id"].tolist(), heard["received_at"].tolist(), strict=True):
        yield device, Contact(at)
    yield from _fixes(fixes)
    by_device: dict[int, list[tuple[int, str, str]]] = {}
    for event in events:
        by_device.setdefault(event.device_id, []).append((event.observed_at, event.kind, event.attributes))
    for device, rows in by_device.items():
        yield from ((device, seen) for seen in happenings_of(rows, {kind for _, kind, _ in rows}))


def _largest(rows: npt.NDArray[Any], column: str) -> int:
    return int(rows[column].max()) if len(rows) else 0
