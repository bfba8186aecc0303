"""The property at the heart: any order and any batching of observations leaves the same alerts as in order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Contact, Fix, Happening, Observation, Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import LATER, LINE, SQUARE, START, active, minute, rule_for, watched
from veldwatch.model.alert import AlertState
from veldwatch.model.conditions.event import EventCondition, EventPattern
from veldwatch.model.conditions.flow import Beginning, ContinuousFlow, FlowKind, NightFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility, Near, Speed, Way
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.usual import Baseline
from veldwatch.model.conditions.values import (
    Change,
    Occurrence,
    RateOfChange,
    Repeat,
    Spike,
    Stuck,
    Threshold,
    ValueChange,
)
from veldwatch.model.rule import Escalation, Rule, Severity

Stored = tuple[int, Observation]
_MINUTES = timedelta(minutes=1)


def worse(*, after: float | None = None, above: float | None = None, below: float | None = None) -> Escalation:
    """Make a step; time in minutes."""
    lasts = None if after is None else timedelta(minutes=after)
    return Escalation(severity=Severity.MAJOR, after=lasts, above=above, below=below)


def worst(*, after: float | None = None, above: float | None = None, below: float | None = None) -> Escalation:
    """Make a step to the worst."""
    return replace(worse(after=after, above=above, below=below), severity=Severity.CRITICAL)


READING_RULES = (
    rule_for(Threshold(metric="value", above=5), name="above"),
    rule_for(Threshold(metric="value", outside=(2, 7), dead_band=1), hold_for=5, name="outside"),
    rule_for(Threshold(metric="value", below=3, dead_band=2), hold_for=3, keep_firing_for=6, name="below"),
    rule_for(ContinuousFlow(metric="value", duration=10 * _MINUTES, max_gap=8 * _MINUTES), name="register"),
    rule_for(
        ContinuousFlow(metric="value", duration=6 * _MINUTES, max_gap=9 * _MINUTES, of=FlowKind.RATE, minimum=2),
        keep_firing_for=4,
        name="rate",
    ),
    rule_for(
        ContinuousFlow(metric="value", duration=4 * _MINUTES, max_gap=9 * _MINUTES, beginning=Beginning.ANY),
        name="any",
    ),
    rule_for(RateOfChange(metric="value", above=3, per=_MINUTES, max_gap=6 * _MINUTES), name="rising"),
    rule_for(
        RateOfChange(
            metric="value", outside=(-0.4, 0.4), dead_band=0.1, per=_MINUTES, apart=4 * _MINUTES, max_gap=12 * _MINUTES
        ),
        hold_for=3,
        name="slope",
    ),
    rule_for(
        RateOfChange(metric="value", below=0.5, per=_MINUTES, apart=2 * _MINUTES, of=FlowKind.REGISTER),
        keep_firing_for=5,
        name="slow",
    ),
    rule_for(ValueChange(metric="value", window=10 * _MINUTES, of=Change.INCREASE, above=8), name="much"),
    rule_for(ValueChange(metric="value", window=9 * _MINUTES, of=Change.RANGE, below=2, min_coverage=0.5), name="flat"),
    rule_for(
        ValueChange(metric="value", window=6 * _MINUTES, of=Change.DIFFERENCE, outside=(-4, 4), dead_band=1),
        hold_for=2,
        name="moved",
    ),
    rule_for(Repeat(metric="value", above=6, count=3, window=15 * _MINUTES), keep_firing_for=6, name="again"),
    rule_for(
        Repeat(metric="value", outside=(1, 8), dead_band=1, count=2, window=8 * _MINUTES, of=Occurrence.READINGS),
        name="twice",
    ),
    rule_for(Stuck(metric="value", duration=5 * _MINUTES, tolerance=2, at_least=3), name="stuck"),
    rule_for(
        Stuck(metric="value", duration=3 * _MINUTES, tolerance=1, at_least=2, outside=(-1, 1)),
        keep_firing_for=3,
        name="frozen",
    ),
    rule_for(Spike(metric="value", above=3, max_gap=7 * _MINUTES), keep_firing_for=5, name="spike"),
    rule_for(Baseline(metric="value", window=20 * _MINUTES, learn_for=5 * _MINUTES, limit=1.5), name="baseline"),
    rule_for(
        Baseline(
            metric="value",
            window=30 * _MINUTES,
            learn_for=9 * _MINUTES,
            over=3 * _MINUTES,
            max_gap=8 * _MINUTES,
            limit=1,
        ),
        hold_for=4,
        keep_firing_for=3,
        name="baseline-held",
    ),
    rule_for(NightFlow(metric="value", since="00:10", until="00:40", above=4, for_nights=1), name="night"),
)
WORSENING_RULES = (
    rule_for(Threshold(metric="value", above=4), name="worse", escalate=(worse(above=6), worst(after=10))),
    rule_for(
        Threshold(metric="value", below=6, dead_band=1),
        hold_for=4,
        keep_firing_for=7,
        name="low",
        escalate=(worse(below=3, after=5), worst(below=1)),
    ),
    rule_for(
        Threshold(metric="value", outside=(3, 5)),
        keep_firing_for=5,
        name="both",
        escalate=(worst(above=8), worse(after=6)),
    ),
    rule_for(
        RateOfChange(metric="value", above=1, per=_MINUTES, max_gap=6 * _MINUTES),
        name="fast",
        escalate=(worse(above=4),),
    ),
    rule_for(
        ContinuousFlow(metric="value", duration=4 * _MINUTES, max_gap=9 * _MINUTES, of=FlowKind.RATE, minimum=2),
        keep_firing_for=4,
        name="long",
        escalate=(worse(after=3), worst(after=9)),
    ),
    rule_for(Repeat(metric="value", above=6, count=2, window=9 * _MINUTES), name="often", escalate=(worse(after=5),)),
    rule_for(
        Stuck(metric="value", duration=5 * _MINUTES, tolerance=2, at_least=3), name="dead", escalate=(worse(after=7),)
    ),
)
SILENCE_RULES = (rule_for(Absence(silent_for=7 * _MINUTES), name="dead", escalate=(worse(after=5), worst(after=20))),)
FIX_RULES = (
    rule_for(Geofence(event=GeofenceEvent.EXIT, polygon=SQUARE), name="exit"),
    rule_for(Geofence(event=GeofenceEvent.ENTER, polygon=SQUARE, max_gap=15 * _MINUTES), hold_for=4, name="enter"),
    rule_for(Immobility(radius_metres=200, window=12 * _MINUTES, share=0.6), keep_firing_for=5, name="still"),
)
PLACE_RULES = (
    rule_for(Geofence(event=GeofenceEvent.EXIT, polygon=SQUARE, confirm=2), keep_firing_for=3, name="confirmed"),
    rule_for(Geofence(event=GeofenceEvent.DWELL, polygon=SQUARE, duration=9 * _MINUTES), name="dwell"),
    rule_for(
        Geofence(event=GeofenceEvent.OUTSIDE_WHEN_DUE, polygon=SQUARE, due_from="00:20", due_to="00:50"),
        hold_for=2,
        name="due",
    ),
    rule_for(Near(distance_metres=300, feature=LINE), hold_for=3, name="near"),
)
WAY_RULES = (
    rule_for(Geofence(event=GeofenceEvent.CROSS, line=LINE, lasts=11 * _MINUTES), keep_firing_for=3, name="cross"),
    rule_for(Geofence(event=GeofenceEvent.LEFT_TO_RIGHT, line=LINE, confirm=2, max_gap=20 * _MINUTES), name="to right"),
    rule_for(Speed(above=3, window=10 * _MINUTES, max_gap=9 * _MINUTES), keep_firing_for=4, name="fast"),
    rule_for(Speed(below=1, window=8 * _MINUTES, of=Way.DISPLACEMENT, dead_band=1), name="slow"),
)
_TAMPER, _POWER = EventPattern(kind="tamper", attributes={"cover": ("opened",)}), EventPattern(kind="power")
_CLOSED = EventPattern(kind="tamper", attributes={"cover": ("closed",)})
EVENT_RULES = (
    rule_for(EventCondition(events=(_TAMPER,), cleared_by=(_CLOSED,)), hold_for=3, name="opened"),
    rule_for(
        EventCondition(events=(_POWER, _TAMPER), cleared_by=(_CLOSED,), quiet_for=12 * _MINUTES),
        keep_firing_for=4,
        name="told",
        escalate=(worse(after=8),),
    ),
    rule_for(EventCondition(events=(_POWER,), count=3, window=15 * _MINUTES), name="failing"),
)
CONTACT_RULES = (rule_for(Absence(silent_for=7 * _MINUTES), name="silent"),)

_TIMES = st.integers(0, 90).map(minute)
_SOURCES = st.sampled_from([1, 2])
READINGS = st.lists(st.tuples(_SOURCES, st.builds(Reading, _TIMES, st.integers(0, 9).map(float))), max_size=60)
_PLACES = st.sampled_from([29.98, 29.999, 30.0001, 30.001, 30.005, 30.0055, 30.012, 30.03])
FIXES = st.lists(
    st.tuples(
        _SOURCES, st.builds(Fix, _TIMES, _PLACES, st.sampled_from([-9.995, -9.9951]), st.sampled_from([None, 40.0]))
    ),
    max_size=60,
)
_EVENTS = st.lists(
    st.tuples(
        _SOURCES,
        st.builds(
            Happening,
            _TIMES,
            st.sampled_from(
                [
                    (("tamper", '{"cover":"opened"}'),),
                    (("tamper", '{"cover":"closed"}'),),
                    (("power", "{}"),),
                    (("other", "{}"),),
                ]
            ),
        ),
    ),
    max_size=50,
)
CONTACTS = st.lists(st.tuples(_SOURCES, st.builds(Contact, _TIMES)), max_size=40)


def unique(observations: Sequence[Stored]) -> list[Stored]:
    """Keep the first of each source and time, as storage does; of events every one that is different."""
    first: dict[tuple[int, int, object], Stored] = {}
    for source, seen in observations:
        first.setdefault((source, seen.at, seen if isinstance(seen, Happening) else None), (source, seen))
    return list(first.values())


def in_order(rules: Sequence[Rule], observations: Sequence[Stored]) -> MemoryStore:
    """Run the engine over observations one at a time, in the order of their times."""
    ordered = sorted(observations, key=lambda pair: pair[1].at)
    return run(rules, [[pair] for pair in ordered])


def run(rules: Sequence[Rule], batches: Sequence[Sequence[Stored]]) -> MemoryStore:
    store = MemoryStore([active(rule) for rule in rules], watched())
    engine = Engine(store, EngineSettings())
    engine.refresh(LATER)
    for batch in batches:
        engine.consume(*store.put(batch), LATER)
        engine.wake(LATER)
    return store


def batched(observations: Sequence[Stored], sizes: Sequence[int]) -> list[list[Stored]]:
    rest, batches = list(observations), list[list[Stored]]()
    for size in sizes:
        batches.append(rest[:size])
        rest = rest[size:]
    return [*batches, rest]


@pytest.mark.parametrize(
    ("rules", "observations"),
    [
        (READING_RULES, READINGS),
        (FIX_RULES, FIXES),
        (PLACE_RULES, FIXES),
        (WAY_RULES, FIXES),
        (CONTACT_RULES, CONTACTS),
        (EVENT_RULES, _EVENTS),
        (WORSENING_RULES, READINGS),
        (SILENCE_RULES, CONTACTS),
    ],
    ids=["readings", "positions", "places", "ways", "contacts", "events", "worsening", "longer silence"],
)
def test_any_order_and_batching_leaves_the_alerts_of_the_right_order(
    rules: Sequence[Rule], observations: st.SearchStrategy[list[Stored]]
) -> None:
    @settings(
        max_examples=50 if rules in (PLACE_RULES, WAY_RULES, WORSENING_RULES, EVENT_RULES) else 250, deadline=None
    )
    @given(st.data())
    def check(drawn: st.DataObject) -> None:
        kept = unique(drawn.draw(observations))
        shuffled = drawn.draw(st.permutations(kept))
        sizes = drawn.draw(st.lists(st.integers(0, 12), max_size=8))
        assert run(rules, batched(shuffled, sizes)).final() == in_order(rules, kept).final()

    check()


@given(
    readings=READINGS.map(unique),
    fixes=FIXES.map(unique),
    contacts=CONTACTS.map(unique),
    drawn=st.data(),
)
@settings(max_examples=150, deadline=None)
def test_whenever_the_engine_looks_the_alerts_are_the_same_in_the_end(
    readings: list[Stored], fixes: list[Stored], contacts: list[Stored], drawn: st.DataObject
) -> None:
    _check_looks((*READING_RULES, *FIX_RULES, *CONTACT_RULES), [*readings, *fixes, *contacts], drawn)


@given(fixes=FIXES.map(unique), drawn=st.data())
@settings(max_examples=30, deadline=None)
def test_whenever_the_engine_looks_at_places_the_alerts_are_the_same_in_the_end(
    fixes: list[Stored], drawn: st.DataObject
) -> None:
    _check_looks((*PLACE_RULES, *WAY_RULES), fixes, drawn)


def _check_looks(rules: Sequence[Rule], kept: Sequence[Stored], drawn: st.DataObject) -> None:
    batches = batched(drawn.draw(st.permutations(kept)), drawn.draw(st.lists(st.integers(0, 20), max_size=8)))
    store = MemoryStore([active(rule) for rule in rules], watched())
    engine = _refreshed(store)
    for batch in batches:
        now = START + timedelta(minutes=drawn.draw(st.integers(-30, 150)))
        engine.consume(*store.put(batch), now)
        if drawn.draw(st.booleans()):
            engine.wake(now)
    engine.wake(LATER)
    assert store.final() == in_order(rules, kept).final()
    assert all(alert.state is not AlertState.PENDING for alert in store.all_alerts())
    told = [(identity, message["kind"]) for identity, message in store.told if message["kind"] == "firing"]
    assert len(told) == len(set(told))


@given(kept=READINGS.map(unique), drawn=st.data())
@settings(max_examples=100, deadline=None)
def test_a_crash_before_any_commit_changes_nothing(kept: list[Stored], drawn: st.DataObject) -> None:
    shuffled = drawn.draw(st.permutations(kept))
    batches = batched(shuffled, drawn.draw(st.lists(st.integers(0, 12), max_size=8)))
    crashes = drawn.draw(st.lists(st.booleans(), min_size=len(batches), max_size=len(batches)))
    store = MemoryStore([active(rule) for rule in READING_RULES], watched())
    engine = _refreshed(store)
    for batch, crashes_here in zip(batches, crashes, strict=True):
        logged = store.put(batch)
        if crashes_here:
            engine.consume(*logged, LATER)
            store.rollback()
            engine = _refreshed(store)
        engine.consume(*logged, LATER)
        engine.wake(LATER)
        store.commit()
    assert store.final() == in_order(READING_RULES, kept).final()


def _refreshed(store: MemoryStore) -> Engine:
    engine = Engine(store, EngineSettings())
    engine.refresh(LATER)
    return engine
