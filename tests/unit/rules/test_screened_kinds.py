"""Every kind of condition that is screened: over long streams of many subjects, what is quiet is what the fold says."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rules.conditions.span import Fix, Observation, Reading, Sample
from rules.screening.registry import TABLES, table_of
from rules.screening.screen import Screen
from rules.screening.table import kind_of
from rules.screening.tracks import TrackScreen
from rules.targets import Target, find_targets
from tests.unit.rules.test_any_order import FIX_RULES, PLACE_RULES, READING_RULES, WAY_RULES, WORSENING_RULES
from tests.unit.rules.test_composites_in_any_order import RULES as COMPOSITES
from tests.unit.rules.test_samples_in_any_order import RULES as JOINT
from tests.unit.rules.worlds import minute, rule_for, watched
from veldwatch.model.conditions.composite import Calculated
from veldwatch.model.conditions.flow import FlowKind, NightFlow
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.movement import Immobility, Speed, Way
from veldwatch.model.conditions.usual import Baseline, JointBaseline, Season
from veldwatch.model.conditions.values import Change, ValueChange
from veldwatch.model.rule import Rule
from veldwatch.model.track import SpeedLimits, Stretch
from veldwatch.storage.folds import NOTHING_READ
from veldwatch.wire.rule_document import version_id

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_SUBJECTS = 4
_LENGTH = 240
_Floats = npt.NDArray[np.float64]

WANDERING_RULES = (
    *READING_RULES[6:8],
    *READING_RULES[10:12],
    rule_for(ValueChange(metric="value", window=_HOUR, of=Change.RANGE, above=5), name="wide"),
    rule_for(Baseline(metric="value", window=_DAY, learn_for=_HOUR, limit=4), name="plain"),
    rule_for(Baseline(metric="value", window=_DAY, learn_for=_HOUR, over=12 * _MINUTE, limit=3), name="smooth"),
    rule_for(
        Baseline(
            metric="value",
            season=Season.HOUR_OF_DAY,
            window=4 * _DAY,
            learn_for=_DAY,
            over=40 * _MINUTE,
            limit=3,
            time_zone="Europe/Berlin",
        ),
        name="hours",
    ),
    rule_for(Baseline(metric="value", season=Season.HOUR_OF_WEEK, window=30 * _DAY, learn_for=_DAY), name="weeks"),
    rule_for(
        NightFlow(metric="value", since="22:00", until="04:30", share=0.1, at_least=1, learn_nights=2), name="nights"
    ),
)
REGISTER_RULES = (
    *READING_RULES[3:4],
    READING_RULES[9],
    rule_for(ValueChange(metric="value", window=3 * _HOUR, of=Change.INCREASE, above=60), name="much"),
    rule_for(
        ValueChange(metric="value", window=2 * _HOUR, of=Change.INCREASE, outside=(0, 40), dead_band=1), name="little"
    ),
    rule_for(
        NightFlow(metric="value", of=FlowKind.REGISTER, above=9, for_nights=1, time_zone="America/New_York"),
        name="register nights",
    ),
)
TRACK_RULES = (
    *FIX_RULES,
    *PLACE_RULES,
    *WAY_RULES,
    rule_for(Immobility(radius_metres=60, window=4 * _HOUR, share=0.8), name="rests"),
    rule_for(Speed(below_percentile=20, window=_HOUR, max_gap=_HOUR, of=Way.DISPLACEMENT), name="slower"),
)
WIDE_RULES = (
    rule_for(
        Calculated(
            expression="clamp(sqrt(a) + log(b - 20), 0, 9) if a > b else min(a, b) % 7 - (b == 3 or not a / b > 2)",
            names={"a": "a", "b": "b"},
            outside=(1, 6),
            within=6 * _MINUTE,
        ),
        name="mixed",
    ),
    rule_for(
        JointBaseline(metrics=("a", "b"), window=_DAY, learn_for=2 * _HOUR, over=20 * _MINUTE, strongest=2, limit=3),
        name="together",
    ),
)
LIMITS = SpeedLimits((Stretch(since=None, until=minute(30_000), maximum_speed=3.0),))


def _steps(draw: np.random.Generator) -> npt.NDArray[np.int64]:
    """Give times in minutes: mostly five apart, now and then less or a gap."""
    return np.cumsum(draw.choice([1, 3, 5, 5, 5, 5, 11, 90], _LENGTH, p=[0.05, 0.1, 0.3, 0.2, 0.2, 0.1, 0.04, 0.01]))


def _readings(draw: np.random.Generator, values: _Floats) -> list[Observation]:
    return [
        Reading(minute(at), round(float(value), 3)) for at, value in zip(_steps(draw).tolist(), values, strict=True)
    ]


def wandering(draw: np.random.Generator) -> list[Observation]:
    """A value that swings over the day, with noise, and odd stretches."""
    swing = 4 + 2 * np.sin(np.arange(_LENGTH) / 40) + draw.normal(0, 0.3, _LENGTH)
    odd = np.repeat(draw.choice([0.0, 0.0, 0.0, 6.0, -3.0], _LENGTH // 20), 20)
    return _readings(draw, swing + odd)


def register(draw: np.random.Generator) -> list[Observation]:
    """A register that rests, runs, falls a little and is exchanged once."""
    runs = np.repeat(draw.choice([0.0, 0.3, 2.0, 8.0], _LENGTH // 10, p=[0.5, 0.3, 0.15, 0.05]), 10)
    figures = 1000.0 + np.cumsum(runs * draw.integers(0, 3, _LENGTH).astype(np.float64))
    figures[draw.integers(0, _LENGTH, 3)] -= 0.5
    figures[_LENGTH // 2 :] -= figures[_LENGTH // 2]
    return _readings(draw, figures)


def track(draw: np.random.Generator) -> list[Observation]:
    """An animal in and around the square, which rests now and then."""
    moves = np.repeat(draw.choice([0.0, 0.1, 1.0], _LENGTH // 20), 20)[:, None] * draw.normal(0, 0.0008, (_LENGTH, 2))
    places = np.array([30.004, -9.995]) + np.cumsum(moves, axis=0) + draw.normal(0, 0.00005, (_LENGTH, 2))
    errors = draw.choice([np.nan, 3.0, 40.0], _LENGTH)
    rows = zip(_steps(draw).tolist(), places.tolist(), errors.tolist(), strict=True)
    return [Fix(minute(at), east, north, None if np.isnan(error) else error) for at, (east, north), error in rows]


def samples(draw: np.random.Generator) -> list[Observation]:
    """Two series of a device, which do not always both say something."""
    values = 4 + np.cumsum(draw.normal(0, 0.4, (_LENGTH, 2)), axis=0) % 5
    said = draw.random((_LENGTH, 2)) < 0.8
    said[~said.any(axis=1), 0] = True
    rows = zip(_steps(draw).tolist(), values.round(1).tolist(), said.tolist(), strict=True)
    return [
        Sample(minute(at), tuple(value if told else None for value, told in zip(row, each, strict=True)))
        for at, row, each in rows
    ]


def several(draw: np.random.Generator) -> list[Observation]:
    """Three series of a device."""
    return [Sample(seen.at, (*seen.values, seen.values[0])) for seen in samples(draw) if isinstance(seen, Sample)]


Stream = Callable[[np.random.Generator], list[Observation]]
CASES: list[tuple[Rule, Stream, tuple[str, ...]]] = [
    *((rule, wandering, ("value",)) for rule in (*READING_RULES, *WORSENING_RULES, *WANDERING_RULES)),
    *((rule, register, ("value",)) for rule in REGISTER_RULES),
    *((rule, track, ("value",)) for rule in TRACK_RULES),
    *((rule, samples, ("a", "b")) for rule in (*COMPOSITES, *WIDE_RULES)),
    (JOINT[0], several, ("a", "b", "c")),
]


def columns(observations: Sequence[Observation]) -> tuple[npt.NDArray[np.int64], _Floats]:
    rows: list[Any] = []
    for seen in observations:
        match seen:
            case Reading(_, value):
                rows.append(value)
            case Fix(_, longitude, latitude, accuracy):
                rows.append((longitude, latitude, np.nan if accuracy is None else accuracy))
            case Sample(_, values):
                rows.append([np.nan if value is None else value for value in values])
            case _:
                raise AssertionError(seen)
    return np.array([seen.at for seen in observations], np.int64), np.array(rows, np.float64)


class _Subject:
    """One fold on its way."""

    def __init__(self, target: Target, observations: list[Observation]) -> None:
        self.target, self.rest = target, observations
        self.state, self.position = target.fold.initial(), 0
        self.held = self.state
        self.quiet, self.settled = 0, 0

    def is_calm(self) -> bool:
        spans = self.target.fold.spans_at(self.state, self.position)
        return self.position > 0 and self.state.lingering is None and all(span.ended_at is None for span in spans)

    def take(self, observations: Sequence[Observation]) -> None:
        self.state, settled = self.target.fold.advance(self.state, observations)
        self.settled += len(settled)
        if observations:
            self.position = observations[-1].at


def _said(subject: _Subject) -> list[tuple[int, int | None]]:
    """Tell what is said as of the last observation; what time alone changes is told by who looks again."""
    spans = subject.target.fold.spans_at(subject.state, subject.position)
    return [(span.opened_at, span.ended_at) for span in spans]


def _targets(rule: Rule, metrics: tuple[str, ...], *, limited: bool) -> list[Target]:
    found, _ = find_targets([(version_id(rule), rule)], watched(_SUBJECTS, metrics))
    if not limited:
        return found
    return [replace(target, fold=replace(target.fold, speed_limits=LIMITS)) for target in found]


def _together(subjects: Sequence[_Subject], sizes: Iterator[int]) -> list[list[Observation]]:
    """Cut the next observations off each subject."""
    parts: list[list[Observation]] = []
    for subject in subjects:
        size = next(sizes)
        parts.append(subject.rest[:size])
        subject.rest = subject.rest[size:]
    return parts


def _follow(targets: list[Target], stream: Stream, seed: int) -> list[_Subject]:
    draw = np.random.default_rng(seed)
    subjects = [_Subject(target, stream(draw)) for target in targets]
    screen_kind = TrackScreen if targets[0].fold.speed_limits else Screen
    screen = screen_kind(targets, table_of(kind_of(targets[0].fold.condition)))
    sizes = (int(size) for size in draw.choice([0, 1, 2, 3, 7, 20], 100_000))
    held_before: dict[int, bool] = {}
    while any(subject.rest for subject in subjects):
        for number, subject in enumerate(subjects):
            if not held_before.get(number) and subject.is_calm():
                subject.held = subject.state
                screen.hold(subject.target.key, subject.state, subject.position, NOTHING_READ)
        parts = _together(subjects, sizes)
        loud = _sifted(screen, subjects, parts)
        for number, (subject, part) in enumerate(zip(subjects, parts, strict=True)):
            held_before[number] = _check(screen, subject, part, loud[number], keeps=bool(draw.random() < 0.5))
    return subjects


def _sifted(screen: Screen, subjects: Sequence[_Subject], parts: Sequence[list[Observation]]) -> list[list[int]]:
    """Give a batch of all subjects' observations to the screen; which of each, by number, are not quiet."""
    if not any(parts):
        return [[] for _ in parts]
    of_samples = subjects[0].target.input is Input.SAMPLES
    sources = [number if of_samples else subject.target.source_id for number, subject in enumerate(subjects)]
    owners = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    at, seen = columns([observation for part in parts for observation in part])
    rows = screen.sift(1, np.array(sources)[owners], at, seen).rows
    begins = np.cumsum([0, *(len(part) for part in parts)])
    return [(rows[owners[rows] == number] - begins[number]).tolist() for number in range(len(parts))]


def _check(screen: Screen, subject: _Subject, part: list[Observation], loud: list[int], *, keeps: bool) -> bool:
    """Hold what came of a subject's observations against the fold; tell whether it is still held."""
    quiet = part[: len(part) - len(loud)]
    assert loud == list(range(len(quiet), len(part)))
    was_held = screen.position(subject.target.key) is not None
    assert was_held or not quiet
    settled = subject.settled
    said = _said(subject)
    subject.take(quiet)
    subject.quiet += len(quiet)
    if quiet:
        assert subject.settled == settled
        assert _said(subject) == said
    if was_held and (loud or not keeps):
        held = screen.release(subject.target.key, subject.held)
        assert held is not None
        assert held == (subject.state, subject.position)
        was_held = False
    subject.take(part[len(quiet) :])
    return was_held


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].id}")
def test_what_is_quiet_leaves_the_state_that_the_fold_would_have(case: tuple[Rule, Stream, tuple[str, ...]]) -> None:
    rule, stream, metrics = case
    subjects = _follow(_targets(rule, metrics, limited=False), stream, 0)
    assert sum(subject.quiet for subject in subjects) > 0


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].id}")
def test_the_same_holds_for_many_streams(case: tuple[Rule, Stream, tuple[str, ...]]) -> None:
    rule, stream, metrics = case
    for seed in range(1, 15):
        for limited in (False, True) if stream is track else (False,):
            _follow(_targets(rule, metrics, limited=limited), stream, seed)


@pytest.mark.parametrize("rule", TRACK_RULES, ids=lambda rule: rule.id)
def test_tracks_that_are_judged_by_speed_are_screened_as_well(rule: Rule) -> None:
    subjects = _follow(_targets(rule, ("value",), limited=True), track, 1)
    assert sum(subject.quiet for subject in subjects) > 0


def test_every_kind_that_is_screened_is_tested() -> None:
    tested = {kind_of(_targets(rule, metrics, limited=False)[0].fold.condition) for rule, _, metrics in CASES}
    assert {kind.__name__ for kind in TABLES} == {kind.__name__ for kind in tested} | {"AbsenceCondition"}
