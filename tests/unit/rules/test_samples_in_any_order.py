"""Folds over several series of a device: any order and batching of their readings leaves the same alerts."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import Stored, batched, unique
from tests.unit.rules.worlds import LATER, active, minute, rule_for, watched
from veldwatch.model.conditions.usual import JointBaseline

_MINUTE = timedelta(minutes=1)
RULES = (
    rule_for(
        JointBaseline(
            metrics=("a", "b", "c"), window=20 * _MINUTE, learn_for=4 * _MINUTE, over=3 * _MINUTE, strongest=2, limit=1
        ),
        keep_firing_for=2,
        name="joint",
    ),
    rule_for(
        JointBaseline(
            metrics=("b", "none", "a"),
            window=12 * _MINUTE,
            learn_for=4 * _MINUTE,
            strongest=1,
            relearn_after=9 * _MINUTE,
        ),
        hold_for=2,
        name="held",
    ),
)
_READINGS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3]), st.builds(Reading, st.integers(0, 60).map(minute), st.integers(0, 9).map(float))
    ),
    max_size=90,
)


def run(batches: Sequence[Sequence[Stored]]) -> MemoryStore:
    store = MemoryStore([active(rule) for rule in RULES], watched(1, metrics=("a", "b", "c")))
    engine = Engine(store, EngineSettings())
    engine.refresh(LATER)
    for batch in batches:
        engine.consume(*store.put(batch), LATER)
        engine.wake(LATER)
    return store


@settings(max_examples=150, deadline=None)
@given(_READINGS.map(unique), st.data())
def test_readings_of_several_series_in_any_order_leave_the_same_alerts(
    readings: list[Stored], drawn: st.DataObject
) -> None:
    shuffled = drawn.draw(st.permutations(readings))
    sizes = drawn.draw(st.lists(st.integers(0, 12), max_size=8))
    assert run(batched(shuffled, sizes)).final() == run([[one] for one in sorted(readings, key=_at)]).final()


def test_such_readings_do_raise_alerts() -> None:
    values = [(number, series, 5.0 + (number + series) % 2) for number in range(40) for series in (1, 2, 3)]
    values += [(number, series, 40.0) for number in range(40, 45) for series in (1, 2, 3)]
    readings: list[Stored] = [(series, Reading(minute(number), value)) for number, series, value in values]
    assert len(run([readings]).all_alerts()) == 2


def _at(stored: Stored) -> tuple[int, int]:
    return stored[1].at, stored[0]
