"""Places: one worker each, a change of the division only when nobody is left, cursors that lose nothing."""

import threading
import time
from collections.abc import Generator
from contextlib import closing

import pytest
from prometheus_client import REGISTRY

from rules.main import RulesProgram
from veldwatch.config import Settings
from veldwatch.model.places import Place
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.workers import division_of, list_workers, take_place


@pytest.fixture
def sessions(dsn: str) -> Generator[list[Connection]]:
    opened = [connect(dsn, autocommit=True, application=f"worker-{number}") for number in range(4)]
    yield opened
    for session in opened:
        session.close()


def _take(session: Connection, division: int) -> Place:
    """Wait for a place: the server ends a session some moments after its client has gone."""
    deadline = time.monotonic() + 10
    while (place := take_place(session, division)) is None:
        assert time.monotonic() < deadline, "no place was ever free"
        time.sleep(0.02)
    return place


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_each_place_has_one_worker_and_one_that_dies_is_replaced(sessions: list[Connection]) -> None:
    taken = [take_place(session, 3) for session in sessions]
    assert taken == [Place(1, 3), Place(2, 3), Place(3, 3), None]
    assert [worker.taken for worker in list_workers(sessions[3])] == [True, True, True]
    sessions[1].close()
    assert _take(sessions[3], 3) == Place(2, 3)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_another_division_waits_until_the_last_worker_of_the_old_one_is_gone(sessions: list[Connection]) -> None:
    assert take_place(sessions[0], 1) == Place()
    assert take_place(sessions[1], 2) is None
    assert division_of(sessions[1]) == 1
    sessions[0].close()
    assert _take(sessions[1], 2) == Place(1, 2)
    assert take_place(sessions[2], 1) is None
    assert take_place(sessions[2], 2) == Place(2, 2)
    assert take_place(sessions[3], 2) is None


def test_a_new_division_begins_at_the_least_cursor(dsn: str) -> None:
    with closing(connect(dsn, autocommit=True)) as session:
        assert take_place(session, 2) == Place(1, 2)
        for number, consumer in enumerate(("rules-1of2", "rules-2of2")):
            log.save_cursor(session, consumer, log.LogCursor(100 - number, 5))
    with closing(connect(dsn, autocommit=True)) as session:
        assert _take(session, 3) == Place(1, 3)
        rows = session.execute("SELECT consumer, xid::text, id FROM log_cursor ORDER BY consumer").fetchall()
    assert rows == [(f"rules-{number}of3", "99", 5) for number in (1, 2, 3)]


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_free_places_are_told(sessions: list[Connection]) -> None:
    assert take_place(sessions[0], 2) == Place(1, 2)
    first, second = list_workers(sessions[1])
    assert (first.place, first.taken, second.place, second.taken) == (Place(1, 2), True, Place(2, 2), False)
    assert first.since is not None
    assert second.since is None


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_metrics_tell_which_places_are_taken(dsn: str) -> None:
    program, stop = RulesProgram(settings=Settings(dsn=dsn, rule_workers=2)), threading.Event()
    thread = threading.Thread(target=program.run, args=(stop,))
    thread.start()
    try:
        assert program.is_engine.wait(30)
        told = [REGISTRY.get_sample_value("veldwatch_rules_place_taken", {"place": f"{n} of 2"}) for n in (1, 2)]
        assert told == [1.0, 0.0]
        assert REGISTRY.get_sample_value("veldwatch_rules_place_lag_seconds", {"place": "2 of 2"}) == 0.0
        assert REGISTRY.get_sample_value("veldwatch_rules_own_place") == 1.0
    finally:
        stop.set()
        thread.join()
