"""A rule that is changed: its new version goes on, and tells nothing a second time."""

from datetime import datetime, timedelta

from rules.conditions.span import Observation, Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import START, active, minute, rule_for, watched
from veldwatch.model.alert import Alert, AlertState
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule
from veldwatch.wire.rule_document import version_id

FIRST = rule_for(Threshold(metric="value", above=5))
STRICTER = rule_for(Threshold(metric="value", above=3))


class World:
    """An engine and a rule that is changed."""

    def __init__(self) -> None:
        self.store = MemoryStore([active(FIRST)], watched())
        self.engine = Engine(self.store, EngineSettings())
        self.engine.refresh(START)

    def put(self, *observations: Observation, now: float) -> None:
        self.engine.consume(*self.store.put([(1, seen) for seen in observations]), _at(now))

    def change(self, rule: Rule, now: float) -> None:
        self.store.replace_rules([active(rule)])
        self.store.forget_activation(version_id(rule))
        self.engine.refresh(_at(now))
        while self.engine.activate(_at(now)):
            pass

    def alerts(self, rule: Rule) -> list[Alert]:
        """List what stands of a version, oldest first."""
        ids = {identity for identity, key in self.store.keys().items() if key.version == version_id(rule)}
        kept = [a for a in self.store.all_alerts() if a.id in ids and a.state is not AlertState.RETRACTED]
        return sorted(kept, key=lambda alert: alert.opened_at)


def _at(now: float) -> datetime:
    return START + timedelta(minutes=now)


def readings(*values: float, first: int = 0) -> list[Reading]:
    return [Reading(minute(first + number), value) for number, value in enumerate(values)]


def test_what_the_old_version_recorded_is_not_recorded_again() -> None:
    world = World()
    world.put(*readings(1, 6, 6, 1), now=4)
    world.change(STRICTER, 5)
    assert len(world.alerts(FIRST)) == 1
    assert world.alerts(STRICTER) == []


def test_what_the_old_version_did_not_see_is_recorded_as_history() -> None:
    world = World()
    world.put(*readings(1, 6, 1, 4, 1), now=5)
    told = len(world.store.told)
    world.change(STRICTER, 6)
    (alert,) = world.alerts(STRICTER)
    assert alert.opened_at == _at(3)
    assert alert.late
    assert len(world.store.told) == told


def test_what_holds_at_the_change_goes_on_under_the_new_version() -> None:
    world = World()
    world.put(*readings(1, 6), now=1)
    world.change(STRICTER, 2)
    world.put(*readings(1, first=3), now=3)
    (old,), (new,) = world.alerts(FIRST), world.alerts(STRICTER)
    assert (old.resolved_at, new.resolved_at) == (_at(2), _at(3))


def test_data_that_come_late_for_the_time_before_the_change_are_not_lost() -> None:
    world = World()
    world.put(*readings(1, 6, 1), now=3)
    world.put(*readings(1, first=20), now=20)
    world.change(STRICTER, 21)
    world.put(Reading(minute(10), 9), now=22)
    (alert,) = world.alerts(STRICTER)
    assert alert.opened_at == _at(10)


def test_going_back_to_the_old_version_repeats_nothing_either() -> None:
    world = World()
    world.put(*readings(1, 6, 1), now=3)
    world.change(STRICTER, 4)
    world.put(*readings(9, 1, first=5), now=7)
    world.change(FIRST, 8)
    assert [alert.opened_at for alert in world.alerts(FIRST)] == [_at(1)]
    assert [alert.opened_at for alert in world.alerts(STRICTER)] == [_at(5)]


def test_a_refresh_amid_the_activation_does_not_begin_it_again() -> None:
    store = MemoryStore([active(FIRST)._replace(activated=False)], watched(100))
    store.put([(source, Reading(minute(1), 6)) for source in range(1, 101)])
    engine = Engine(store, EngineSettings())
    rounds = 1
    engine.refresh(_at(2))
    while engine.activate(_at(2)):
        engine.refresh(_at(2))
        rounds += 1
    assert len(store.all_alerts()) == 100
    assert rounds <= 6
