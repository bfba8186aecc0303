"""Readings per second that each kind of condition takes, screened and one by one, without a database.

A thousand rules of the kind, each on ten devices; what the devices say is uneventful for the most part, as it is in
the field: values that swing over the day, registers that run and rest, animals that walk and sleep. The clock runs over
what the engine does between the log and the database: finding the folds, screening, folding what is left.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import numpy as np

from benchmarks.machine import processor
from benchmarks.result import Result
from rules.arrivals import Arrivals
from rules.conditions.span import Observation
from rules.conditions.watch import ALWAYS
from rules.followed import Followed
from rules.targets import Target, find_targets
from veldwatch.model.conditions.composite import AllOf, Calculated
from veldwatch.model.conditions.flow import ContinuousFlow, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.kinds import Condition
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility, Near, Speed
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.usual import Baseline, JointBaseline, Season
from veldwatch.model.conditions.values import Change, RateOfChange, Repeat, Spike, Stuck, Threshold, ValueChange
from veldwatch.model.identifiers import DeviceId, OrganisationId, RuleVersionId, SeriesId
from veldwatch.model.rule import Rule, Selector, Severity
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries
from veldwatch.storage.arrays import Array
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogBatch

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_AREA = (
    '{"type":"Polygon","coordinates":'
    "[[[29.9,-10.1],[30.1,-10.12],[30.12,-9.9],[30.0,-9.86],[29.88,-9.9],[29.9,-10.1]]]}"
)
_LINE = '{"type":"LineString","coordinates":[[30.2,-10.2],[30.22,-10.0],[30.2,-9.8]]}'
KINDS: Mapping[str, Condition] = {
    "threshold": Threshold(metric="value", above=40, dead_band=1),
    "rate_of_change": RateOfChange(metric="value", above=20, per=_HOUR, apart=timedelta(minutes=30)),
    "change (increase of a register)": ValueChange(metric="register", window=_DAY, of=Change.INCREASE, above=9000),
    "change (range)": ValueChange(metric="value", window=6 * _HOUR, of=Change.RANGE, above=40),
    "repeat": Repeat(metric="value", above=40, count=3, window=_DAY),
    "stuck": Stuck(metric="value", duration=12 * _HOUR, at_least=24),
    "spike": Spike(metric="value", above=20),
    "continuous_flow": ContinuousFlow(metric="register", duration=_DAY),
    "night_flow": NightFlow(metric="value", since="02:00", until="05:00", above=60),
    "baseline": Baseline(metric="value", limit=20),
    "baseline (hour of day)": Baseline(metric="value", season=Season.HOUR_OF_DAY, limit=20),
    "calculated": Calculated(expression="value * other / 1000", names={"value": "value", "other": "other"}, above=9),
    "all_of": AllOf(of=(Threshold(metric="value", above=40), Threshold(metric="other", below=-40))),
    "joint_baseline": JointBaseline(metrics=("value", "other"), limit=20, strongest=2),
    "absence": Absence(silent_for=_DAY),
    "geofence (exit)": Geofence(event=GeofenceEvent.EXIT, polygon=_AREA),
    "geofence (outside when due)": Geofence(
        event=GeofenceEvent.OUTSIDE_WHEN_DUE, polygon=_AREA, due_from="18:00", due_to="06:00"
    ),
    "geofence (cross)": Geofence(event=GeofenceEvent.CROSS, line=_LINE),
    "near": Near(distance_metres=500, feature=_LINE),
    "immobility": Immobility(radius_metres=13, window=5 * _HOUR, share=0.8),
    "speed": Speed(above=60, window=6 * _HOUR, max_gap=3 * _HOUR),
}
_PER_RULE = 10
_BEGINS = 1_767_571_200_000_000  # 2026-01-05
_METRICS = ("value", "other", "register")
_BATCH = 15_000
_STEP = 900_000_000
"""A quarter of an hour."""
_WARMED = 40
"""Rounds before the clock runs: windows are half full then."""
_ONE_BY_ONE = 100
"""Folds that are measured without screening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindResult(Result):
    """What was measured of one kind.

    Attributes:
        per_second: readings, samples, fixes or contacts, on one core.
        folded: share of them that reached a fold.
        one_by_one_per_second: the same, folded one by one, without finding the fold.
    """

    kind: str
    per_second: int
    observations: int
    folded: float
    one_by_one_per_second: int
    rules: int
    devices: int
    cpu_seconds: float
    processor: str

    @property
    def reconciled(self) -> bool:
        """Tell whether most were screened."""
        return self.folded < 0.5


def measure_kinds(*, only: Sequence[str] = tuple(KINDS), rules: int = 1000, rounds: int = 40) -> Iterator[KindResult]:
    """Measure kinds, one after the other.

    Args:
        rounds: observations of each device, after `_WARMED`.
    """
    for kind in only:
        yield _measure(kind, KINDS[kind], rules, rounds)


def _measure(kind: str, condition: Condition, rules: int, rounds: int) -> KindResult:
    screened = _followed(condition, rules, rounds, holds=True)
    folded = _followed(condition, _ONE_BY_ONE // _PER_RULE, rounds, holds=False)
    return KindResult(
        kind=kind,
        per_second=round(screened.observations / screened.seconds),
        observations=screened.observations,
        folded=round(screened.folded / screened.observations, 4),
        one_by_one_per_second=round(folded.observations / folded.seconds),
        rules=rules,
        devices=rules * _PER_RULE,
        cpu_seconds=round(screened.seconds, 2),
        processor=processor(),
    )


class _Follower:
    """What the engine does between the log and the database."""

    def __init__(self, targets: Sequence[Target], watched: Watched, *, holds: bool) -> None:
        self._holds = holds
        self._arrivals = Arrivals(targets, watched)
        self._followed = {
            target.key: Followed(target=target, state=target.fold.initial(), current=True, shown=())
            for target in targets
        }
        self.observations = self.folded = 0
        self.seconds = 0.0

    def take(self, batch: LogBatch) -> None:
        began = time.process_time()
        for key, observations in self._arrivals.by_key(1, batch).items():
            followed = self._followed[key]
            self._arrivals.release(followed)
            fresh: list[Observation] = sorted(observations, key=lambda seen: seen.at)
            followed.fold(fresh, ALWAYS)
            spans = followed.look(fresh[-1].at, ALWAYS)
            followed.shown = tuple((span.opened_at, span.reached_at, span.ended_at, span.raises) for span in spans)
            if self._holds:
                self._arrivals.hold(followed)
            self.folded += len(fresh)
        self.seconds += time.process_time() - began


def _followed(condition: Condition, rules: int, rounds: int, *, holds: bool) -> _Follower:
    """Follow the folds of so many rules; the clock is of the rounds after `_WARMED`."""
    devices = rules * _PER_RULE
    watched = _watched(devices)
    versions = [(RuleVersionId(UUID(int=number)), _rule(number, condition)) for number in range(rules)]
    targets, _ = find_targets(versions, watched)
    follower = _Follower(targets, watched, holds=holds)
    for number, batches in enumerate(_said(condition.INPUT, devices, _WARMED + rounds)):
        if number == _WARMED:
            follower.seconds, follower.folded = 0.0, 0
        for batch in batches:
            follower.take(batch)
    follower.observations = rounds * len(targets)
    return follower


def _rule(number: int, condition: Condition) -> Rule:
    return Rule(
        id=f"bench.{number}",
        title="Bench",
        severity=Severity.MINOR,
        condition=condition,
        select=Selector(tags=(f"group-{number}",)),
    )


def _watched(devices: int) -> Watched:
    """Make devices in groups, with a series of each metric: those of the first metric have the first numbers."""
    return Watched(
        devices=tuple(
            WatchedDevice(
                id=DeviceId(number),
                organisation_id=OrganisationId(1),
                organisation="bench",
                external_id=f"d{number}",
                name="",
                tags=(f"group-{(number - 1) // _PER_RULE}",),
            )
            for number in range(1, devices + 1)
        ),
        series=tuple(
            WatchedSeries(id=SeriesId(devices * place + number), device_id=DeviceId(number), metric=metric)
            for place, metric in enumerate(_METRICS)
            for number in range(1, devices + 1)
        ),
        shapes={},
    )


def _said(form: Input, devices: int, rounds: int) -> Iterator[list[LogBatch]]:
    """Give what all devices say, round by round, in batches."""
    draw = np.random.default_rng(1)
    figures, places = np.full(devices, 1000.0), np.tile([30.0, -10.0], (devices, 1))
    ids = np.arange(1, devices + 1)
    for number in range(rounds):
        at = _BEGINS + number * _STEP
        swing = 10 * np.sin(number / 96 * 2 * np.pi)
        flows = draw.integers(0, 3, devices) * (number % 96 > 12)
        figures = figures + flows * 0.1
        walks = draw.random(devices)[:, None] < 0.6
        places = places + walks * draw.normal(0, 0.002, (devices, 2)) - (places - [30.0, -10.0]) * 0.05
        match form:
            case Input.POSITIONS:
                rows = np.zeros(devices, POSITIONS)
                rows["device_id"], rows["longitude"], rows["latitude"] = ids, places[:, 0], places[:, 1]
                rows["observed_at"], rows["accuracy"] = at, 5.0
                yield [LogBatch(positions=part) for part in _parts(rows)]
            case Input.CONTACTS:
                rows = np.zeros(devices, CONTACTS)
                rows["device_id"], rows["received_at"], rows["online"] = ids, at, True
                yield [LogBatch(contacts=part) for part in _parts(rows)]
            case _:
                noise = draw.normal(0, 1, (2, devices)).round(2)
                values = [20 + swing + noise[0], 15 + swing + noise[1], figures]
                yield [LogBatch(readings=part) for part in _parts(_readings(values, at))]


def _readings(values: Sequence[Array], at: int) -> Array:
    """Put what devices say side by side, device by device, as their messages come."""
    devices = len(values[0])
    rows = np.zeros(devices * len(values), READINGS)
    rows["series_id"] = np.arange(1, len(rows) + 1).reshape(len(values), devices).T.ravel()
    rows["observed_at"], rows["value"] = at, np.array(values).T.ravel()
    return rows


def _parts(rows: Array) -> Iterator[Array]:
    yield from (rows[begin : begin + _BATCH] for begin in range(0, len(rows), _BATCH))
