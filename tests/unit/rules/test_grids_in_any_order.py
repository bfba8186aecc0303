"""Rules on areas: whatever the order of arrival, and whenever anybody looked, the same alerts."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.engine import Engine, EngineSettings
from rules.instants import to_datetime
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import worse, worst
from tests.unit.rules.worlds import active, minute, neighbourhood, rule_for
from veldwatch.model.conditions.area import Balance, Neighbours, Proximity, Side
from veldwatch.model.conditions.silence import AreaOutage
from veldwatch.model.rule import Rule

Stored = tuple[int, Observation]
_MINUTES = timedelta(minutes=1)
_END = 130

CONTACT_RULES = (
    rule_for(AreaOutage(silent_for=6 * _MINUTES, at_least=2, share=0.6, forget_after=60 * _MINUTES), name="area"),
    rule_for(
        AreaOutage(silent_for=6 * _MINUTES, at_least=2, share=0.4, sites="feeder", forget_after=12 * _MINUTES),
        name="longer-than-remembered",
    ),
    rule_for(
        AreaOutage(silent_for=4 * _MINUTES, at_least=3, share=0.5, sites="feeder", every=3 * _MINUTES),
        keep_firing_for=9,
        name="feeder",
        escalate=(worse(after=12),),
    ),
)
READING_RULES = (
    rule_for(
        Balance(
            inlets=Side(metric="value", profile="inlet"),
            meters=Side(metric="value", profile="meter"),
            share=0.5,
            above=1,
            every=7 * _MINUTES,
            wait=3 * _MINUTES,
            within=20 * _MINUTES,
            coverage=0.5,
        ),
        name="balance",
        escalate=(worse(above=3), worst(after=14)),
    ),
    rule_for(
        Neighbours(metric="value", minimum=2, sites="feeder", every=5 * _MINUTES, wait=2 * _MINUTES),
        hold_for=8,
        keep_firing_for=6,
        name="odd",
        escalate=(worse(above=4), worst(after=15)),
    ),
)
FIX_RULES = (
    rule_for(
        Proximity(distance_metres=300, within=9 * _MINUTES, every=4 * _MINUTES, wait=_MINUTES, to_profile="meter"),
        name="near",
        escalate=(worse(after=8),),
    ),
    rule_for(Proximity(distance_metres=120, within=9 * _MINUTES, every=6 * _MINUTES, wait=_MINUTES), name="pairs"),
)
_TIMES = st.integers(0, 90).map(minute)
_READINGS = st.lists(
    st.tuples(st.integers(1, 5), st.builds(Reading, _TIMES, st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 9.0]))),
    max_size=90,
)
_FIXES = st.lists(
    st.tuples(
        st.integers(1, 5),
        st.builds(
            Fix, _TIMES, st.sampled_from([30.0, 30.001, 30.0015, 30.01]), st.sampled_from([-10.0, -10.0005]), st.none()
        ),
    ),
    max_size=70,
)
_CONTACTS = st.lists(st.tuples(st.integers(1, 5), st.builds(Contact, st.integers(0, 90).map(minute))), max_size=70)


def run(rules: Sequence[Rule], batches: Sequence[tuple[Sequence[Stored], float, bool]]) -> MemoryStore:
    """Run the engine over batches, each at its minute, looking at what is due or not."""
    store = MemoryStore([active(rule) for rule in rules], neighbourhood())
    engine = Engine(store, EngineSettings())
    for batch, now, looks in batches:
        engine.refresh(to_datetime(minute(now)))
        engine.consume(*store.put(batch), to_datetime(minute(now)))
        while looks and engine.wake(to_datetime(minute(now))):
            pass
    for now in (_END, _END + 1):
        engine.refresh(to_datetime(minute(now)))
        engine.wake(to_datetime(minute(now)))
    return store


def unique(observations: Sequence[Stored]) -> list[Stored]:
    return list({(source, seen.at): (source, seen) for source, seen in observations}.values())


_KINDS = pytest.mark.parametrize(
    ("rules", "observations"),
    [(READING_RULES, _READINGS), (FIX_RULES, _FIXES), (CONTACT_RULES, _CONTACTS)],
    ids=["readings", "positions", "contacts"],
)


@_KINDS
def test_any_order_leaves_the_same_alerts(rules: Sequence[Rule], observations: st.SearchStrategy[list[Stored]]) -> None:
    @given(kept=observations.map(unique), drawn=st.data())
    @settings(max_examples=120, deadline=None)
    def check(kept: list[Stored], drawn: st.DataObject) -> None:
        shuffled = drawn.draw(st.permutations(kept))
        cuts = sorted(drawn.draw(st.lists(st.integers(0, len(kept)), max_size=6)))
        parts = [shuffled[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
        minutes = sorted(drawn.draw(st.lists(st.integers(0, _END - 1), min_size=len(parts), max_size=len(parts))))
        looks = drawn.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
        in_order = [(sorted(kept, key=lambda pair: pair[1].at), _END - 1, True)]
        ended = run(rules, list(zip(parts, minutes, looks, strict=True)))
        assert ended.final() == run(rules, in_order).final()

    check()


@_KINDS
def test_a_back_test_gives_what_was_recorded(
    rules: Sequence[Rule], observations: st.SearchStrategy[list[Stored]]
) -> None:
    @given(kept=observations.map(unique), drawn=st.data())
    @settings(max_examples=60, deadline=None)
    def check(kept: list[Stored], drawn: st.DataObject) -> None:
        shuffled = drawn.draw(st.permutations(kept))
        store = run(rules, [(shuffled[:20], 60, True), (shuffled[20:], 100, True)])
        stretch = Stretch(since=to_datetime(minute(-1)), until=to_datetime(minute(_END + 1)))
        found = {
            (
                f.target.key.subject,
                f.alert.opened_at,
                f.alert.fired_at,
                f.alert.resolved_at,
                f.alert.raises,
            )
            for rule in rules
            for f in run_backtest(store, rule, stretch).findings
        }
        assert found == {(subject, *times) for _, subject, state, *times in store.final() if state != "pending"}

    check()


def test_a_site_whose_inlet_gives_more_than_its_meters_count_is_out_of_balance_until_it_is_not() -> None:
    inlet = [(1, Reading(minute(at), float(at))) for at in range(0, 91, 7)]
    meters = [
        (m, Reading(minute(at), 0.5 * min(at, 35) + (at > 56) * 0.5 * (at - 56)))
        for m in (2, 3)
        for at in range(0, 91, 7)
    ]
    store = run(READING_RULES[:1], [([*inlet, *meters], _END - 1, True)])
    (alert,) = store.all_alerts()
    times = (alert.opened_at, alert.fired_at, alert.resolved_at)
    # Edges are multiples of 7 minutes since 1970: 34, 41, 48. What minute 35 counted is in the stretch that ends at 41.
    assert [round((time - to_datetime(minute(0))).total_seconds() / 60) for time in times if time] == [41, 51, 62]
    assert alert.value == 7.0


def test_a_device_that_leaves_its_group_is_told_with_how_far_it_is_off() -> None:
    said = [
        (d, Reading(minute(at), 5.0 if d == 4 and at >= 30 else 1.0)) for d in range(1, 6) for at in range(0, 91, 5)
    ]
    (alert,) = run(READING_RULES[1:], [(said, _END - 1, True)]).all_alerts()
    assert (alert.opened_at, alert.fired_at) == (to_datetime(minute(25)), to_datetime(minute(33)))
    assert alert.value == 4.0


def test_two_that_meet_are_told_once_and_with_their_distance() -> None:
    apart = [(2, Fix(minute(at), 30.01, -10.0)) for at in range(0, 91, 3)]
    come = [(3, Fix(minute(at), 30.01 if 30 <= at <= 60 else 30.02, -10.0005)) for at in range(0, 91, 3)]
    (alert,) = run(FIX_RULES[1:], [([*apart, *come], _END - 1, True)]).all_alerts()
    assert (alert.opened_at, alert.fired_at) == (to_datetime(minute(24)), to_datetime(minute(31)))
    assert alert.value == 55.6


def test_a_feeder_that_loses_power_is_one_outage_with_its_share_and_times() -> None:
    alive = [(device, Contact(minute(at))) for device in range(1, 6) for at in range(0, 31, 2)]
    back = [(device, Contact(minute(at))) for device in range(1, 5) for at in range(60 + device, _END, 3)]
    # The fifth has another supply: it goes on.
    others = [(5, Contact(minute(at))) for at in range(32, _END, 2)]
    store = run(CONTACT_RULES[2:], [(alive, 31, True), ([], 40, True), ([*others, *back], 70, True)])
    (alert,) = store.all_alerts()
    assert (alert.opened_at, alert.fired_at) == (to_datetime(minute(30)), to_datetime(minute(36)))
    assert alert.value == 0.8
    assert alert.resolved_at == to_datetime(minute(63))
