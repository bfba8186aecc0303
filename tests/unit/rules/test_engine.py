"""The engine over a store in memory: what is told, once, and never as news when it is not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rules.conditions.span import Contact, Fix, Observation, Reading
from rules.engine import Engine, EngineSettings
from tests.unit.rules.memory import MemoryStore
from tests.unit.rules.worlds import SQUARE, START, active, minute, rule_for, watched
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule

ABOVE = rule_for(Threshold(metric="value", above=5))
HELD = rule_for(Threshold(metric="value", above=5), hold_for=10)


class World:
    """An engine over a store, moved by the minute."""

    def __init__(self, *rules: Rule, activated: bool = True) -> None:
        self.store = MemoryStore([active(rule)._replace(activated=activated) for rule in rules], watched())
        self.engine = Engine(self.store, EngineSettings(news_age=timedelta(minutes=60)))
        self.engine.refresh(START)

    def put(self, *observations: Observation, now: float, source: int = 1) -> None:
        """Store and consume observations of one source."""
        self.engine.consume(*self.store.put([(source, seen) for seen in observations]), _at(now))

    def wake(self, now: float) -> None:
        self.engine.wake(_at(now))

    @property
    def told(self) -> list[tuple[object, object]]:
        """Give kind and lateness of each message that was to be sent."""
        return [(message["kind"], message["late"]) for _, message in self.store.told]


def _at(now: float) -> datetime:
    return START + timedelta(minutes=now)


def readings(*pairs: tuple[float, float]) -> Sequence[Reading]:
    return [Reading(minute(at), value) for at, value in pairs]


def test_a_reading_beyond_its_limit_fires_and_one_within_resolves() -> None:
    world = World(ABOVE)
    world.put(*readings((1, 6)), now=1)
    world.put(*readings((2, 7)), now=2)
    world.put(*readings((3, 5)), now=3)
    assert world.told == [("firing", False), ("resolved", False)]


def test_hold_for_is_over_without_a_next_reading() -> None:
    world = World(HELD)
    world.put(*readings((1, 6)), now=1)
    assert world.told == []
    world.wake(10.9)
    assert world.told == []
    world.wake(11)
    world.wake(12)
    assert world.told == [("firing", False)]
    (alert,) = world.store.all_alerts()
    assert alert.fired_at == _at(11)


def test_a_timer_survives_a_restart() -> None:
    world = World(HELD)
    world.put(*readings((1, 6)), now=1)
    world.engine = Engine(world.store, EngineSettings())
    world.engine.refresh(_at(2))
    world.wake(11)
    assert world.told == [("firing", False)]


def test_an_engine_that_is_behind_takes_what_it_has_not_read_for_silence_never() -> None:
    world = World(rule_for(Absence(silent_for=timedelta(minutes=10))))
    world.put(Contact(minute(0)), now=0)
    unread = [world.store.put([(1, Contact(minute(at)))]) for at in (5, 10, 15, 20)]
    world.wake(24)
    assert world.told == []
    for logged in unread:
        world.engine.consume(*logged, _at(25))
    world.wake(31)
    assert world.told == [("firing", False)]


def test_an_old_fix_says_history_and_never_now() -> None:
    world = World(rule_for(Geofence(event=GeofenceEvent.EXIT, polygon=SQUARE)))
    world.put(Fix(minute(0), 30.005, -9.995), Fix(minute(10), 30.02, -9.995), now=10_000)
    ((_, message),) = world.store.told
    assert message["late"] is True
    assert str(message["headline"]).startswith("Earlier: ")
    text = str(message["text"])
    assert "This happened on 1 Mar 2026 00:10:00 UTC and was recorded on 7 Mar 2026 22:40:00 UTC" in text
    assert " now" not in f"{message['headline']} {text}".lower()


def test_an_old_crossing_that_is_over_is_told_to_nobody() -> None:
    world = World(rule_for(Geofence(event=GeofenceEvent.EXIT, polygon=SQUARE)))
    inside, outside = (30.005, -9.995), (30.02, -9.995)
    world.put(Fix(minute(0), *inside), Fix(minute(10), *outside), Fix(minute(20), *inside), now=10_000)
    assert world.told == []
    assert len(world.store.final()) == 1


def test_a_late_reading_moves_a_beginning_and_people_get_one_correction() -> None:
    world = World(ABOVE)
    world.put(*readings((0, 1), (10, 6)), now=10)
    world.put(*readings((8, 7)), now=12)
    assert world.told == [("firing", False), ("corrected", False)]
    kept = [alert for alert in world.store.all_alerts() if alert.superseded_by is None]
    assert [alert.opened_at for alert in kept] == [_at(8)]


def test_a_late_reading_shows_that_it_was_over_and_began_again() -> None:
    world = World(ABOVE)
    world.put(*readings((1, 6)), now=1)
    world.put(*readings((10, 7)), now=10)
    world.put(*readings((5, 2)), now=12)
    assert world.told == [("firing", False), ("resolved", False), ("corrected", False)]


def test_a_batch_that_comes_again_changes_nothing() -> None:
    world = World(ABOVE)
    logged = world.store.put([(1, reading) for reading in readings((1, 6), (2, 5))])
    for _ in range(3):
        world.engine.consume(*logged, _at(3))
    assert world.told == [("firing", False), ("resolved", False)]


def test_a_series_that_is_registered_later_is_followed_from_its_first_reading() -> None:
    world = World(ABOVE)
    store = MemoryStore([active(ABOVE)], watched(1))
    engine = Engine(store, EngineSettings())
    engine.refresh(START)
    store.replace_watched(watched(2))
    engine.consume(*store.put([(2, Reading(minute(1), 6))]), _at(1))
    assert len(store.final()) == 1
    assert world.store.final() == set()


def test_a_new_rule_folds_the_past_and_tells_only_what_still_holds() -> None:
    world = World(ABOVE, activated=False)
    world.store.put([(1, reading) for reading in readings((1, 6), (2, 5), (3, 6))])
    world.engine.refresh(_at(4))
    while world.engine.activate(_at(4)):
        pass
    assert len(world.store.final()) == 2
    assert world.told == [("firing", False)]


def test_a_new_rule_looks_back_so_far_and_no_further() -> None:
    world = World(ABOVE, activated=False)
    world.engine = Engine(world.store, EngineSettings(history=timedelta(days=7)))
    world.store.newest_kept = 3
    old = readings((1, 6), (2, 5), (3, 6), (4, 5))
    new = readings(*((20_000 + number, 5) for number in range(4)))
    world.store.put([(1, reading) for reading in (*old, *new)])
    world.engine.refresh(_at(20_010))
    while world.engine.activate(_at(20_010)):
        pass
    assert world.store.final() == set()
    world.put(*readings((2.5, 9)), now=20_011)
    assert world.store.final() == set()
    world.put(*readings((20_002.5, 9)), now=20_012)
    assert len(world.store.final()) == 1


def test_a_rule_that_is_withdrawn_ends_its_alerts() -> None:
    world = World(ABOVE)
    world.put(*readings((1, 6)), now=1)
    world.store.replace_rules([])
    world.engine.refresh(_at(5))
    (alert,) = world.store.all_alerts()
    assert alert.resolved_at == _at(5)
    world.put(*readings((6, 9)), now=6)
    world.wake(100)
    assert len(world.store.all_alerts()) == 1


def test_a_rule_without_its_site_is_refused_and_the_others_go_on() -> None:
    lost = rule_for(Geofence(event=GeofenceEvent.EXIT, site="reserve"), name="lost")
    world = World(ABOVE, lost)
    (refusal,) = world.engine.refresh(START)
    assert refusal.rule == "lost"
    assert "'reserve'" in refusal.reason
    world.put(*readings((1, 6)), now=1)
    assert len(world.store.final()) == 1


def test_a_meter_that_falls_silent_ends_its_run_and_a_late_reading_takes_it_up() -> None:
    flow = ContinuousFlow(metric="value", duration=timedelta(minutes=3), max_gap=timedelta(minutes=10))
    world = World(rule_for(flow))
    world.put(*readings((0, 1), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5)), now=5)
    world.wake(16)
    assert world.told == [("firing", False), ("resolved", False)]
    world.put(*readings((14, 6)), now=17)
    assert world.told[2:] == [("corrected", False)]
    (alert,) = world.store.all_alerts()
    assert alert.resolved_at is None


def test_what_is_told_reads_as_people_write_it() -> None:
    world = World(ABOVE, rule_for(Absence(silent_for=timedelta(minutes=90)), name="silent"))
    known = watched()
    world.store.replace_watched(replace(known, series=tuple(replace(one, unit="m3/h") for one in known.series)))
    world.engine.refresh(START)
    world.put(*readings((1, 6.25)), now=1)
    world.put(Contact(minute(1)), now=1)
    world.wake(95)
    texts = [str(message["text"]) for _, message in world.store.told]
    assert [text.split(". ")[0].split(", last")[0] for text in texts] == [
        "Value above 5 m³/h: 6.25 m³/h",
        "Not heard for 1 h 30 min or more",
    ]
