"""Conditions on several series of a device: any order and any batching of readings leaves the same alerts."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import Stored, batched, unique
from tests.unit.rules.worlds import LATER, active, minute, rule_for, watched
from veldwatch.model.conditions.composite import AllOf, AnyOf, Calculated, Not
from veldwatch.model.conditions.values import RateOfChange, Stuck, Threshold

_MINUTES = timedelta(minutes=1)
_HIGH, _LOW = Threshold(metric="a", above=5), Threshold(metric="b", below=4, dead_band=1)
RULES = (
    rule_for(AllOf(of=(_HIGH, _LOW)), hold_for=2, name="both"),
    rule_for(AnyOf(of=(_HIGH, Not(of=_LOW))), keep_firing_for=5, name="either"),
    rule_for(
        AllOf(
            of=(
                Not(of=Stuck(metric="a", duration=4 * _MINUTES, tolerance=2, at_least=3)),
                AnyOf(of=(_LOW, RateOfChange(metric="b", above=2, per=_MINUTES, max_gap=9 * _MINUTES))),
            )
        ),
        name="nested",
    ),
    rule_for(
        Calculated(expression="a / b", names={"a": "a", "b": "b"}, above=2, within=6 * _MINUTES),
        hold_for=3,
        keep_firing_for=2,
        name="ratio",
    ),
)
_READINGS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 4]), st.builds(Reading, st.integers(0, 60).map(minute), st.integers(0, 9).map(float))
    ),
    max_size=60,
)


def run(batches: Sequence[Sequence[Stored]]) -> MemoryStore:
    store = MemoryStore([active(rule) for rule in RULES], watched(2, ("a", "b")))
    engine = Engine(store, EngineSettings())
    engine.refresh(LATER)
    for batch in batches:
        engine.consume(*store.put(batch), LATER)
        engine.wake(LATER)
    return store


@given(readings=_READINGS.map(unique), drawn=st.data())
@settings(max_examples=200, deadline=None)
def test_any_order_and_batching_leaves_the_alerts_of_the_right_order(
    readings: list[Stored], drawn: st.DataObject
) -> None:
    ordered = sorted(readings, key=lambda pair: pair[1].at)
    by_time = {at: [pair for pair in ordered if pair[1].at == at] for at in dict.fromkeys(p[1].at for p in ordered)}
    shuffled = drawn.draw(st.permutations(readings))
    sizes = drawn.draw(st.lists(st.integers(0, 12), max_size=8))
    assert run(batched(shuffled, sizes)).final() == run(list(by_time.values())).final()
