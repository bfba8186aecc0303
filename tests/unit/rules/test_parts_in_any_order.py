"""Combined conditions with parts that time alone makes or ends: any order, batching and looking leave the same."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.span import Contact, Fix, Happening, Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.test_any_order import Stored, batched, unique, worse
from tests.unit.rules.worlds import LATER, SQUARE, START, active, minute, rule_for, watched
from veldwatch.model.conditions.composite import AllOf, AnyOf, Not
from veldwatch.model.conditions.event import EventCondition, EventPattern
from veldwatch.model.conditions.flow import ContinuousFlow, FlowKind
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Repeat, Threshold

_MINUTES = timedelta(minutes=1)
_LOW, _HIGH = Threshold(metric="a", below=4), Threshold(metric="b", above=5)
_SILENT = Absence(silent_for=7 * _MINUTES)
_OPENED = EventCondition(events=(EventPattern(kind="opened"),), quiet_for=9 * _MINUTES)
_DUE = Geofence(event=GeofenceEvent.OUTSIDE_WHEN_DUE, polygon=SQUARE, due_from="00:10", due_to="00:40")
RULES = (
    rule_for(AllOf(of=(_LOW, _SILENT)), name="low-and-silent", escalate=(worse(after=6),)),
    rule_for(AllOf(of=(_HIGH, Not(of=_SILENT))), hold_for=3, keep_firing_for=4, name="high-and-heard"),
    rule_for(AnyOf(of=(_OPENED, AllOf(of=(_SILENT, Not(of=_LOW))))), keep_firing_for=3, name="either"),
    rule_for(
        AllOf(
            of=(
                ContinuousFlow(metric="a", duration=3 * _MINUTES, max_gap=8 * _MINUTES, of=FlowKind.RATE, minimum=1),
                Not(of=Repeat(metric="b", above=6, count=2, window=9 * _MINUTES)),
            )
        ),
        name="flow",
    ),
    rule_for(AnyOf(of=(_DUE, AllOf(of=(_OPENED, _SILENT)))), hold_for=2, name="place"),
    rule_for(AllOf(of=(Immobility(radius_metres=200, window=9 * _MINUTES, share=0.6), Not(of=_OPENED))), name="still"),
)
_TIMES = st.integers(0, 60).map(minute)
_DEVICE = st.sampled_from([1, 2])
_PLACES = st.sampled_from([29.98, 30.001, 30.005, 30.0055, 30.03])
_SEEN = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([1, 2, 3, 4]), st.builds(Reading, _TIMES, st.integers(0, 9).map(float))),
        st.tuples(_DEVICE, st.builds(Contact, _TIMES)),
        st.tuples(_DEVICE, st.builds(Fix, _TIMES, _PLACES, st.just(-9.995), st.just(None))),
        st.tuples(
            _DEVICE,
            st.builds(Happening, _TIMES, st.sampled_from([(("opened", "{}"),), (("opened", '{"by":1}'),)])),
        ),
    ),
    max_size=70,
)


def by_source(observations: Sequence[Stored]) -> list[Stored]:
    """Keep the first of each source and time: series and devices have numbers of their own."""
    kinds = {Reading: Input.READINGS, Contact: Input.CONTACTS, Fix: Input.POSITIONS, Happening: Input.EVENTS}
    kept: list[Stored] = []
    for kind in kinds:
        kept += unique([one for one in observations if isinstance(one[1], kind)])
    return kept


def engine_of() -> tuple[MemoryStore, Engine]:
    store = MemoryStore([active(rule) for rule in RULES], watched(2, ("a", "b")))
    engine = Engine(store, EngineSettings())
    engine.refresh(LATER)
    return store, engine


def run(batches: Sequence[Sequence[Stored]]) -> MemoryStore:
    store, engine = engine_of()
    for batch in batches:
        engine.consume(*store.put(batch), LATER)
        engine.wake(LATER)
    return store


def in_order(seen: Sequence[Stored]) -> MemoryStore:
    times = sorted({stored[1].at for stored in seen})
    return run([[stored for stored in seen if stored[1].at == at] for at in times])


@given(seen=_SEEN.map(by_source), drawn=st.data())
@settings(max_examples=60, deadline=None)
def test_any_order_and_batching_leaves_the_alerts_of_the_right_order(seen: list[Stored], drawn: st.DataObject) -> None:
    sizes = drawn.draw(st.lists(st.integers(0, 12), max_size=8))
    assert run(batched(drawn.draw(st.permutations(seen)), sizes)).final() == in_order(seen).final()


@given(seen=_SEEN.map(by_source), drawn=st.data())
@settings(max_examples=40, deadline=None)
def test_whenever_the_engine_looks_the_alerts_are_the_same_in_the_end(seen: list[Stored], drawn: st.DataObject) -> None:
    store, engine = engine_of()
    sizes = drawn.draw(st.lists(st.integers(0, 20), max_size=8))
    for batch in batched(drawn.draw(st.permutations(seen)), sizes):
        now = START + timedelta(minutes=drawn.draw(st.integers(-30, 90)))
        engine.consume(*store.put(batch), now)
        if drawn.draw(st.booleans()):
            engine.wake(now)
    engine.wake(LATER)
    assert store.final() == in_order(seen).final()


def test_such_observations_do_raise_alerts() -> None:
    seen: list[Stored] = [(1, Reading(minute(n), 2.0 if n else 0.0)) for n in range(0, 60, 5)]
    seen += [(2, Reading(minute(n), 8.0)) for n in range(0, 60, 5)]
    seen += [(1, Contact(minute(n))) for n in (0, 4, 9, 30, 33)]
    seen += [(1, Happening(minute(12), (("opened", "{}"),)))]
    seen += [(1, Fix(minute(n), 30.03, -9.995)) for n in range(0, 60, 4)]
    raised = {version for version, *_ in run([seen]).final()}
    assert len(raised) == len(RULES)
