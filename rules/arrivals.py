"""Arrivals: what of a log batch concerns which fold, after screening.

Readings and fixes that are marked implausible concern none: they are kept, and judged by nobody. So are readings of a
size that intake takes from nobody: a sum or a difference of such may be infinite, which no state and no alert can hold.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import structlog

from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.followed import Followed
from rules.happenings import happenings_of
from rules.members import Members
from rules.samples import SampleIndex
from rules.screening.registry import table_of
from rules.screening.screen import Screen
from rules.screening.table import kind_of
from rules.screening.tracks import TrackScreen
from rules.targets import FoldKey, Target
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.telemetry import LARGEST_VALUE, Quality
from veldwatch.model.watched import Watched
from veldwatch.storage.folds import LogRead
from veldwatch.storage.log import LogBatch, LogEvent

_log = structlog.get_logger()
_Seen = Callable[[int, Any], Observation]


class _Columns(NamedTuple):
    """Observations of one form: the sources, the times, and what was seen, as `rules.screening.table` has it."""

    sources: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    seen: npt.NDArray[np.float64]


class _Screened(NamedTuple):
    """The folds of one kind of condition.

    Attributes:
        samples: how to put together what they read; None: they read observations as they are stored.
    """

    form: Input
    screen: Screen
    samples: SampleIndex | None = None

    def observation(self, source: int, at: int, seen: Any) -> Observation:  # noqa: ANN401  # a number, or several
        """Make one observation of a row."""
        if self.samples is not None:
            return self.samples.sample(source, at, seen)
        return _SEEN[self.form](at, seen)


class Arrivals:
    """Who waits for what; it holds, in screens, the folds that uneventful observations do not reach."""

    def __init__(self, targets: Iterable[Target], watched: Watched | None = None) -> None:
        self._listening: dict[int, list[Target]] = {}
        self._screens: list[_Screened] = []
        self._screen_of: dict[FoldKey, Screen] = {}
        by_kind: dict[tuple[type, bool], list[Target]] = {}
        listed = list(targets)
        self._members = Members(listed)
        for target in listed:
            if target.input is Input.EVENTS:
                self._listening.setdefault(target.source_id, []).append(target)
            elif target.input is not Input.BUCKETS and not target.source.others:
                by_kind.setdefault((kind_of(target.fold.condition), bool(target.fold.speed_limits)), []).append(target)
        for (kind, has_limits), screened in by_kind.items():
            form = screened[0].input
            screen = (TrackScreen if has_limits else Screen)(screened, table_of(kind))
            samples = SampleIndex([target.source for target in screened]) if form is Input.SAMPLES else None
            self._screens.append(_Screened(form, screen, samples))
            self._screen_of.update((target.key, screen) for target in screened)
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
        readings, contacts, fixes = _readings(batch), _contacts(batch), _fixes(batch)
        for form, columns in ((Input.READINGS, readings), (Input.CONTACTS, contacts), (Input.POSITIONS, fixes)):
            if len(columns.sources):
                self._members.find(found, form, columns)
                self._sift(found, xid, form, columns)
        if len(readings.sources):
            self._sift(found, xid, Input.SAMPLES, readings)
        if batch.events and self._listening:
            self._listen(found, batch.events)
        if self._members.are_mixed:
            self._members.mix(found, self._told(contacts, fixes, batch.events))
        return found

    def hold(self, followed: Followed) -> None:
        """Let the screen look at a fold's observations, if it can and nothing is missing in its state."""
        screen = self._screen_of.get(followed.target.key)
        if screen is not None and followed.current and _is_calm(followed):
            screen.hold(followed.target.key, followed.state, followed.position, _read(followed))

    def release(self, followed: Followed) -> None:
        """Give a fold back the state that the screen has moved on."""
        screen = self._screen_of.get(followed.target.key)
        held = None if screen is None else screen.release(followed.target.key, followed.state)
        if held is not None and held[1] != followed.position:
            followed.state, followed.position, followed.dirty = held[0], held[1], True

    def moved(self) -> Iterator[FoldKey]:
        """List the folds that the screens have moved on since they were held."""
        for screened in self._screens:
            yield from screened.screen.moved()

    def _told(
        self, contacts: _Columns, fixes: _Columns, events: Sequence[LogEvent]
    ) -> Iterator[tuple[int, Observation]]:
        """List what was observed besides readings of devices of which that is combined with readings."""
        for form, columns in ((Input.CONTACTS, contacts), (Input.POSITIONS, fixes)):
            mixing = np.isin(columns.sources, self._members.mixing(form))
            for device, at, seen in zip(*(column[mixing].tolist() for column in columns), strict=True):
                yield device, _SEEN[form](at, seen)
        mixing_events = set(self._members.mixing(Input.EVENTS).tolist())
        by_device: dict[int, list[tuple[int, str, str]]] = {}
        for event in events:
            if event.device_id in mixing_events:
                by_device.setdefault(event.device_id, []).append((event.observed_at, event.kind, event.attributes))
        for device, rows in by_device.items():
            yield from ((device, seen) for seen in happenings_of(rows, {kind for _, kind, _ in rows}))

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

    def _sift(self, found: dict[FoldKey, list[Observation]], xid: int, form: Input, columns: _Columns) -> None:
        for screened in self._screens:
            if screened.form is not form:
                continue
            own = columns if screened.samples is None else _Columns(*screened.samples.together(*columns))
            if not len(own.sources):
                continue
            rest = screened.screen.sift(xid, *own)
            for key, *row in zip(rest.keys, *(column[rest.rows].tolist() for column in own), strict=True):
                found.setdefault(key, []).append(screened.observation(*row))


def _is_calm(followed: Followed) -> bool:
    """Tell whether an uneventful observation would change nothing that was told.

    It would where time alone ended a span, or made a silence: an observation that comes late takes that back.
    """
    if followed.state.lingering is not None or followed.shown is None:
        return False
    if followed.target.input is Input.CONTACTS:
        return not followed.shown
    return all(ended_at is None for _, _, ended_at, _ in followed.shown)


def _read(followed: Followed) -> LogRead:
    """Tell what of the log is in a fold; of the last sample that was read a part may have been stored after that."""
    read = followed.read
    is_of_samples = followed.target.input is Input.SAMPLES
    return read._replace(after=read.after + 1) if is_of_samples and read.after is not None else read


def _readings(batch: LogBatch) -> _Columns:
    rows = _plausible(batch.readings)
    within = np.abs(rows["value"]) <= LARGEST_VALUE
    if not within.all():
        beyond = rows[~within]
        _log.warning("readings beyond any value are left out", series=sorted({int(s) for s in beyond["series_id"]}))
        rows = rows[within]
    return _columns(rows["series_id"], rows["observed_at"], rows["value"])


def _contacts(batch: LogBatch) -> _Columns:
    # A last will is the broker's word, not the device's: it proves no life.
    rows = batch.contacts[batch.contacts["online"]]
    return _columns(rows["device_id"], rows["received_at"], np.zeros(len(rows)))


def _fixes(batch: LogBatch) -> _Columns:
    rows = _plausible(batch.positions)
    seen = np.column_stack([rows[name].astype(np.float64) for name in ("longitude", "latitude", "accuracy")])
    return _columns(rows["device_id"], rows["observed_at"], seen)


def _plausible(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return rows[(rows["quality"] & Quality.IMPLAUSIBLE) == 0]


def _columns(sources: npt.NDArray[Any], at: npt.NDArray[Any], seen: npt.NDArray[Any]) -> _Columns:
    return _Columns(sources.astype(np.int64), np.ascontiguousarray(at), np.ascontiguousarray(seen))


def _fix(at: int, seen: Sequence[float]) -> Fix:
    longitude, latitude, accuracy = seen
    return Fix(at, longitude, latitude, None if accuracy != accuracy else accuracy)  # noqa: PLR0124  # NaN


_SEEN: dict[Input, _Seen] = {
    Input.READINGS: Reading,
    Input.CONTACTS: lambda at, _: Contact(at),
    Input.POSITIONS: _fix,
}


def _largest(rows: npt.NDArray[Any], column: str) -> int:
    return int(rows[column].max()) if len(rows) else 0
