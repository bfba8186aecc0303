"""Rules on areas: whatever the order of arrival, and whenever anybody looked, the same alerts."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.backtest import Stretch, run_backtest
from rules.conditions.span import Contact, Observation
from rules.engine import Engine, EngineSettings
from rules.instants import to_datetime
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import active, minute, neighbourhood, rule_for
from veldwatch.model.conditions.silence import AreaOutage
from veldwatch.model.rule import Rule

Stored = tuple[int, Observation]
_MINUTES = timedelta(minutes=1)
_END = 130

CONTACT_RULES = (
    rule_for(AreaOutage(silent_for=6 * _MINUTES, at_least=2, share=0.6, forget_after=60 * _MINUTES), name="area"),
    rule_for(
        AreaOutage(silent_for=4 * _MINUTES, at_least=3, share=0.5, sites="feeder", every=3 * _MINUTES),
        keep_firing_for=9,
        name="feeder",
    ),
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


@given(contacts=_CONTACTS.map(unique), drawn=st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_leaves_the_same_outages(contacts: list[Stored], drawn: st.DataObject) -> None:
    shuffled = drawn.draw(st.permutations(contacts))
    cuts = sorted(drawn.draw(st.lists(st.integers(0, len(contacts)), max_size=6)))
    parts = [shuffled[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    minutes = sorted(drawn.draw(st.lists(st.integers(0, _END - 1), min_size=len(parts), max_size=len(parts))))
    looks = drawn.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    in_order = [([pair], _END - 1, True) for pair in sorted(contacts, key=lambda pair: pair[1].at)]
    ended = run(CONTACT_RULES, list(zip(parts, minutes, looks, strict=True)))
    assert ended.final() == run(CONTACT_RULES, in_order).final()


@given(contacts=_CONTACTS.map(unique), drawn=st.data())
@settings(max_examples=80, deadline=None)
def test_a_back_test_gives_what_was_recorded(contacts: list[Stored], drawn: st.DataObject) -> None:
    shuffled = drawn.draw(st.permutations(contacts))
    store = run(CONTACT_RULES, [(shuffled[:20], 60, True), (shuffled[20:], 100, True)])
    stretch = Stretch(since=to_datetime(minute(-1)), until=to_datetime(minute(_END + 1)))
    found = {
        (finding.target.key.subject, finding.alert.opened_at, finding.alert.fired_at, finding.alert.resolved_at)
        for rule in CONTACT_RULES
        for finding in run_backtest(store, rule, stretch).findings
    }
    assert found == {(subject, *times) for _, subject, state, *times in store.final() if state != "pending"}


def test_a_feeder_that_loses_power_is_one_outage_with_its_share_and_times() -> None:
    alive = [(device, Contact(minute(at))) for device in range(1, 6) for at in range(0, 31, 2)]
    back = [(device, Contact(minute(at))) for device in range(1, 5) for at in range(60 + device, _END, 3)]
    # The fifth has another supply: it goes on.
    others = [(5, Contact(minute(at))) for at in range(32, _END, 2)]
    store = run(CONTACT_RULES[1:], [(alive, 31, True), ([], 40, True), ([*others, *back], 70, True)])
    (alert,) = store.all_alerts()
    assert (alert.opened_at, alert.fired_at) == (to_datetime(minute(30)), to_datetime(minute(36)))
    assert alert.value == 0.8
    assert alert.resolved_at == to_datetime(minute(66))
