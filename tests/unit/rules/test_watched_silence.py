"""Silence and the watch: wherever nobody listened, the live record equals the back-test."""

from datetime import timedelta
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.conditions.span import Contact
from rules.engine import Engine, EngineSettings
from rules.instants import to_datetime
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import START, active, minute, rule_for, watched
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.rule import Rule
from veldwatch.storage.log import LogBatch, LogCursor

SILENT = rule_for(Absence(silent_for=timedelta(minutes=7)), name="silent")
LINGERING = rule_for(Absence(silent_for=timedelta(minutes=5)), keep_firing_for=4, name="lingering")


class Step(NamedTuple):
    """One thing that happens; what the number means depends on it."""

    what: str
    number: int
    source: int


class World:
    """Intake that listens or not, and an engine that keeps up or not, moved by the minute."""

    def __init__(self, *rules: Rule) -> None:
        self.store = MemoryStore([active(rule) for rule in rules], watched())
        self.minute = 0
        self.listening = False
        self.logged: list[tuple[LogCursor, LogBatch]] = []
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(self.store, EngineSettings())
        self.engine.refresh(START)

    def do(self, step: Step) -> None:
        match step.what:
            case "listen":
                if not self.listening:
                    self.begin()
                self.listen(step.number)
            case "hear" if self.listening:
                self.put(step.source, self.minute)
            case "import":
                self.put(step.source, max(self.minute - step.number, 0))
            case "away":
                self.away(step.number)
            case _:
                self.do_engine(step.what)

    def do_engine(self, what: str) -> None:
        match what:
            case "consume":
                self.consume()
            case "wake":
                self.wake()
            case "restart":
                self.engine.flush(to_datetime(minute(self.minute)), everything=True)
                self.restart()
            case _:
                pass

    def begin(self) -> None:
        self.listening = True
        now = minute(self.minute)
        self.store.spans.append((now, now))

    def listen(self, minutes: int) -> None:
        self.minute += minutes
        self.store.spans[-1] = (self.store.spans[-1][0], minute(self.minute))

    def away(self, minutes: int) -> None:
        self.listening = False
        self.minute += minutes

    def put(self, source: int, at: int) -> None:
        self.logged.append(self.store.put([(source, Contact(minute(at)))]))

    def consume(self) -> None:
        for logged in self.logged:
            self.engine.consume(*logged, to_datetime(minute(self.minute)))
        self.logged.clear()

    def wake(self) -> None:
        while self.engine.wake(to_datetime(minute(self.minute))):
            pass


def play(steps: list[Step]) -> World:
    """Play a script: devices are heard while intake listens, histories come by import at any time."""
    world = World(SILENT, LINGERING)
    for step in steps:
        world.do(step)
    world.consume()
    world.wake()
    return world


_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["listen", "listen", "away", "hear", "hear", "import", "consume", "wake", "restart"]),
        st.integers(1, 12),
        st.sampled_from([1, 2]),
    ),
    max_size=60,
)


@given(_STEPS)
@example(
    # A contact from the time in which nobody listened: nothing of its silence was watched when it became known.
    [Step("listen", 1, 1), Step("away", 6, 1), Step("import", 5, 1), Step("consume", 1, 1), Step("listen", 5, 1)]
)
@settings(max_examples=300, deadline=None)
def test_a_back_test_equals_the_live_record_wherever_nobody_listened(steps: list[Step]) -> None:
    world = play(steps)
    stretch = Stretch(since=to_datetime(minute(-1)), until=to_datetime(minute(world.minute) + 1))
    found = {
        (str(f.alert.id), f.alert.state.value, f.alert.opened_at, f.alert.fired_at, f.alert.resolved_at)
        for rule in (SILENT, LINGERING)
        for f in run_backtest(world.store, rule, stretch).findings
    }
    recorded = {
        (str(a.id), a.state.value, a.opened_at, a.fired_at, a.resolved_at)
        for a in world.store.all_alerts()
        if a.state.value != "retracted"
    }
    assert found == recorded


def test_intake_that_was_away_makes_nobody_silent() -> None:
    world = World(SILENT)
    world.begin()
    world.listen(1)
    world.put(1, 1)
    world.put(2, 1)
    world.consume()
    world.away(1000)
    world.wake()
    world.begin()
    world.put(1, world.minute)
    world.consume()
    world.wake()
    world.listen(5)
    world.wake()
    assert world.store.all_alerts() == []


def test_a_device_that_stays_silent_after_the_gap_is_told() -> None:
    world = World(SILENT)
    world.begin()
    world.listen(1)
    world.put(1, 1)
    world.consume()
    world.listen(2)
    world.away(100)
    world.wake()
    world.begin()
    world.listen(4)
    world.wake()
    assert world.store.all_alerts() == []
    world.listen(1)
    world.wake()
    (alert,) = world.store.all_alerts()
    assert alert.opened_at == to_datetime(minute(1))
    # Two minutes were watched before the gap, five after it.
    assert alert.fired_at == to_datetime(minute(108))


def test_a_silence_that_was_told_goes_on_through_a_gap() -> None:
    world = World(SILENT)
    world.begin()
    world.put(1, 0)
    world.consume()
    world.listen(8)
    world.wake()
    world.away(50)
    world.begin()
    world.put(1, world.minute)
    world.consume()
    (alert,) = world.store.all_alerts()
    assert (alert.fired_at, alert.resolved_at) == (to_datetime(minute(7)), to_datetime(minute(58)))


def test_contacts_from_before_the_first_watch_count_as_watched() -> None:
    world = World(SILENT)
    world.minute = 100
    world.begin()
    world.put(1, 10)
    world.put(1, 30)
    world.consume()
    world.listen(1)
    world.wake()
    alerts = sorted(world.store.all_alerts(), key=lambda alert: alert.opened_at)
    assert [alert.fired_at for alert in alerts] == [to_datetime(minute(17)), to_datetime(minute(37))]
