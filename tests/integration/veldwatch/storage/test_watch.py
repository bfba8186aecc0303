"""When somebody listened, as it is stored."""

from datetime import UTC, datetime, timedelta

from veldwatch.storage import watch
from veldwatch.storage.connection import Connection
from veldwatch.storage.watch import WatchedSpan

START = datetime(2026, 3, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def beats(connection: Connection, ingestor: str, *seconds: float) -> None:
    for number in seconds:
        watch.beat(connection, ingestor, at(number))


def test_nobody_ever_listened(connection: Connection) -> None:
    assert watch.newest(connection) == (0, None)
    assert watch.spans(connection) == []


def test_beats_in_a_row_are_one_span(connection: Connection) -> None:
    beats(connection, "a", 0, 5, 10, 25)
    assert watch.spans(connection) == [(at(0), at(25))]
    assert watch.newest(connection) == (1, at(25))


def test_a_longer_pause_begins_a_new_span(connection: Connection) -> None:
    beats(connection, "a", 0, 5, 20.1, 30)
    assert watch.spans(connection) == [(at(0), at(5)), (at(20.1), at(30))]
    assert watch.spans(connection, since=at(6)) == [(at(20.1), at(30))]


def test_a_clock_that_goes_back_takes_nothing_back(connection: Connection) -> None:
    beats(connection, "a", 0, 10, 7)
    assert watch.spans(connection) == [(at(0), at(10))]


def test_one_of_several_who_listens_is_enough(connection: Connection) -> None:
    beats(connection, "a", 0, 10)
    beats(connection, "b", 8, 20)
    beats(connection, "c", 34)
    beats(connection, "a", 60, 70)
    assert watch.spans(connection) == [(at(0), at(34)), (at(60), at(70))]
    assert watch.newest(connection) == (4, at(70))


def test_a_span_within_another_ends_nothing() -> None:
    assert watch.union([WatchedSpan(at(0), at(100)), WatchedSpan(at(5), at(10)), WatchedSpan(at(90), at(110))]) == [
        (at(0), at(110))
    ]
