"""Combined conditions of which a part is made, or ended, by the passing of time alone."""

import json
from typing import Any

import pytest

from rules.conditions.composite import CompositeCondition
from rules.conditions.span import Observation, Sample, Span
from rules.conditions.watch import watch_of
from rules.fold import Fold
from rules.targets import compile_fold
from tests.unit.rules.worlds import minute
from veldwatch.errors import RuleInvalid
from veldwatch.model.track import SpeedLimits, Stretch
from veldwatch.wire.rule_document import parse_rule, rule_to_document

Times = tuple[float, float | None, float | None]
LOW = {"kind": "threshold", "metric": "pressure", "below": 2}
SILENT = {"kind": "absence", "silent_for": "5m"}
OPENED = {"kind": "event", "events": [{"kind": "opened"}], "quiet_for": "4m"}
FLOW = {"kind": "continuous_flow", "metric": "volume", "duration": "3m", "max_gap": "2m"}
MANY = {"kind": "repeat", "metric": "pressure", "above": 7, "count": 2, "window": "3m"}
SQUARE = {"type": "Polygon", "coordinates": [[[30, -10], [30.01, -10], [30.01, -9.99], [30, -9.99], [30, -10]]]}
LEFT = {"kind": "geofence", "event": "exit", "polygon": SQUARE}


def fold_of(kind: str, of: object, **fields: object) -> Fold:
    document = {"id": "t", "title": "T", "severity": "major", "condition": {"kind": kind, "of": of}, **fields}
    return compile_fold(parse_rule(document))


def alerts(fold: Fold, seen: list[Observation], now: float) -> list[Times]:
    """Fold; give (opened, fired, ended) in minutes. States go through JSON, as they do in storage."""
    state, spans = fold.initial(), list[Span]()
    for one in seen:
        state, settled = fold.advance(state, [one])
        state = fold.load(json.loads(fold.dump(state)))
        spans += [span for span, _ in settled]
    return [
        (minutes(span.opened_at), minutes(span.reached_at), minutes(span.ended_at))
        for span in (*spans, *fold.spans_at(state, minute(now)))
    ]


def minutes(at: int | None) -> Any:  # noqa: ANN401  # a number, or None
    return None if at is None else (at - minute(0)) / 60e6


def heard(*rows: tuple[float, float | None, bool | None]) -> list[Observation]:
    """Make samples: minute, pressure, whether it was heard."""
    return [Sample(minute(at), (value, contact)) for at, value, contact in rows]


@pytest.mark.parametrize(
    ("seen", "now", "expected"),
    [
        (heard((0, 1, True)), 4, []),
        (heard((0, 1, True)), 5, [(5, 5, None)]),
        (heard((0, 1, True), (9, None, True)), 9, [(5, 5, 9)]),
        (heard((0, 3, True)), 20, []),
        (heard((0, 1, True), (7, 3, None), (9, None, True)), 20, [(5, 5, 7)]),
        (heard((0, 3, True), (7, 1, None), (9, None, True)), 9, [(7, 7, 9)]),
        (heard((0, 1, None)), 20, []),
        (heard((0, 1, True), (3, None, True), (12, 1, True)), 12, [(8, 8, 12)]),
    ],
    ids=["not yet", "by time alone", "until it is heard", "not low", "until it is not low", "low meanwhile",
         "never heard", "a silence between two observations"],
)  # fmt: skip
def test_pressure_is_low_and_the_meter_is_silent(seen: list[Observation], now: float, expected: list[Times]) -> None:
    assert alerts(fold_of("all_of", [LOW, SILENT]), seen, now) == expected


def test_hold_for_begins_when_time_makes_it_hold() -> None:
    fold = fold_of("all_of", [LOW, SILENT], hold_for="3m")
    assert alerts(fold, heard((0, 1, True)), 7) == [(5, None, None)]
    assert alerts(fold, heard((0, 1, True)), 8) == [(5, 8, None)]
    assert alerts(fold, heard((0, 1, True), (7, 1, True)), 20) == [(12, 15, None)]


def test_several_alerts_may_lie_between_two_observations() -> None:
    fold = fold_of("any_of", [OPENED, SILENT])
    seen: list[Observation] = [
        Sample(minute(0), (True, (("opened", "{}"),))),
        Sample(minute(20), (True, None)),
    ]
    assert alerts(fold, seen, 30) == [(0, 0, 4), (5, 5, 20), (25, 25, None)]


def test_what_is_between_two_alerts_is_bridged() -> None:
    seen: list[Observation] = [Sample(minute(0), (True, (("opened", "{}"),)))]
    fold = fold_of("any_of", [OPENED, SILENT], keep_firing_for="2m")
    assert alerts(fold, seen, 30) == [(0, 0, None)]
    assert alerts(fold, [*seen, Sample(minute(20), (True, None))], 22) == [(0, 0, 20)]


def test_not_silent_is_known_once_it_was_heard() -> None:
    fold = fold_of("not", SILENT)
    assert alerts(fold, [Sample(minute(0), (True,))], 4) == [(0, 0, None)]
    assert alerts(fold, [Sample(minute(0), (True,))], 6) == [(0, 0, 5)]
    assert alerts(fold, [Sample(minute(0), (True,)), Sample(minute(9), (True,))], 9) == [(0, 0, 5), (9, 9, None)]


def test_a_run_of_flow_holds_until_the_next_reading_is_overdue() -> None:
    fold = fold_of("all_of", [FLOW, {"kind": "not", "of": SILENT}])
    values = [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    seen: list[Observation] = [Sample(minute(n), (value, True)) for n, value in enumerate(values)]
    assert alerts(fold, seen, 8) == [(5, 5, None)]
    # Two minutes and a microsecond after the last reading the next one is overdue.
    [(_, _, ended)] = alerts(fold, seen, 9)
    assert ended == pytest.approx(8, abs=1e-6)


def test_a_repeat_is_over_when_the_next_time_would_come_too_late() -> None:
    fold = fold_of("all_of", [MANY, {"kind": "threshold", "metric": "pressure", "above": 0}])
    values = [9.0, 1.0, 9.0, 1.0]
    seen: list[Observation] = [Sample(minute(n), (value,)) for n, value in enumerate(values)]
    assert alerts(fold, seen, 5) == [(2, 2, None)]
    [(_, _, ended)] = alerts(fold, seen, 6)
    assert ended == pytest.approx(5, abs=1e-6)


def test_it_wakes_for_its_parts_and_for_hold_for() -> None:
    fold = fold_of("all_of", [LOW, SILENT], hold_for="3m")
    state, _ = fold.advance(fold.initial(), heard((0, 1, True)))
    assert fold.wake_at(state, minute(1)) == minute(5)
    assert fold.wake_at(state, minute(5)) == minute(8)
    assert fold.wake_at(state, minute(8)) is None


def test_looking_changes_nothing() -> None:
    fold = fold_of("any_of", [OPENED, SILENT])
    state, _ = fold.advance(fold.initial(), [Sample(minute(0), (True, (("opened", "{}"),)))])
    before = fold.dump(state)
    for now in range(30):
        fold.spans_at(state, minute(now))
    assert fold.dump(state) == before


def test_time_in_which_nobody_listened_makes_no_silence() -> None:
    fold = fold_of("all_of", [LOW, SILENT])
    assert isinstance(fold.condition, CompositeCondition)

    def under(*spans: tuple[float, float]) -> Fold:
        assert isinstance(fold.condition, CompositeCondition)
        watch = watch_of([(minute(a), minute(b)) for a, b in spans], len(spans))
        return compile_fold_with(fold, fold.condition.under(watch))

    seen = heard((0, 1, True))
    assert alerts(under((-9, 4)), seen, 20) == []
    assert alerts(under((-9, 30)), seen, 20) == [(5, 5, None)]
    assert alerts(under((-9, 3), (10, 30)), seen, 20) == [(12, 12, None)]


def compile_fold_with(fold: Fold, condition: CompositeCondition) -> Fold:
    return Fold(condition=condition, keep_firing_for=fold.keep_firing_for, shows_pending=fold.shows_pending)


def test_a_tracker_left_its_area_and_is_silent() -> None:
    fold = fold_of("all_of", [LEFT, SILENT])
    inside, outside = (30.005, -9.995, None), (30.05, -9.995, None)
    seen: list[Observation] = [
        Sample(minute(0), (True, inside)),
        Sample(minute(2), (True, outside)),
        Sample(minute(12), (True, outside)),
        Sample(minute(13), (True, inside)),
    ]
    assert alerts(fold, seen[:2], 20) == [(7, 7, None)]
    assert alerts(fold, seen, 20) == [(7, 7, 12)]


def test_a_fix_that_nothing_can_reach_makes_no_part_hold() -> None:
    fold = fold_of("all_of", [LEFT, {"kind": "not", "of": SILENT}])
    assert isinstance(fold.condition, CompositeCondition)
    limits = SpeedLimits((Stretch(since=None, until=None, maximum_speed=10.0),))
    inside, far = (30.005, -9.995, None), (31.0, -9.995, None)
    places = [inside, inside, far, inside, inside, inside, inside]
    seen: list[Observation] = [Sample(minute(n), (True, place)) for n, place in enumerate(places)]
    assert alerts(fold, seen, 7) == [(2, 2, 3)]
    assert alerts(compile_fold_with(fold, fold.condition.limited(limits)), seen, 7) == []


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ({"kind": "spike", "metric": "m", "above": 3}, "a spike is over by the time it is known"),
        ({"kind": "area_outage", "silent_for": "1h"}, "it is about many devices"),
        ({"kind": "joint_baseline", "metrics": ["a", "b"]}, "use baseline for each of them"),
        ({"kind": "geofence", "event": "exit", "site": "reserve"}, "a part brings its own geometry"),
    ],
)
def test_what_cannot_be_combined_is_refused_with_the_reason(part: dict[str, object], why: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        fold_of("all_of", [LOW, part])
    assert why in str(refused.value)


def test_the_canonical_form_is_read_back() -> None:
    parts: list[dict[str, Any]] = [LOW, SILENT, OPENED, FLOW, MANY, LEFT]
    condition = {"kind": "any_of", "of": parts}
    rule = parse_rule({"id": "t", "title": "T", "severity": "major", "condition": condition})
    written = rule_to_document(rule)
    assert parse_rule(json.loads(json.dumps(written))) == rule
    assert [part["kind"] for part in written["condition"]["of"]] == [part["kind"] for part in parts]
