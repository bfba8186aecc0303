"""Numbers that skip, come late or twice, and what of it is a loss."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.wire.sparkplug.edge_node import NOW
from veldwatch.wire.sparkplug.memory import Session
from veldwatch.wire.sparkplug.sequence import follow

BORN = Session(born_at=1, seq=0, sent_at=1000)
PATIENT = timedelta(seconds=5)


def after(
    *messages: tuple[int | None, int | None], patience: timedelta = timedelta(), start: Session = BORN
) -> Session:
    """Follow messages (seq, second of sending), each a second after the one before it."""
    session = start
    for place, (seq, second) in enumerate(messages):
        sent_at = None if second is None else 1000 + second * 1000
        session = follow(session, seq, sent_at, NOW + timedelta(seconds=place), patience)
    return session


def test_one_after_the_other_misses_nothing() -> None:
    assert after((1, 1), (2, 2), (3, 3)) == Session(born_at=1, seq=3, sent_at=4000)


def test_a_skipped_number_is_lost_at_once_where_messages_come_in_order() -> None:
    assert after((1, 1), (4, 4)).rebirth_wanted == "messages lost: seq 2, 3"


def test_a_number_that_comes_in_time_is_not_lost() -> None:
    session = after((1, 1), (4, 4), (3, 3), (2, 2), (5, 5), patience=PATIENT)
    assert (session.seq, session.missing, session.missing_since, session.rebirth_wanted) == (5, (), None, "")


def test_a_number_that_does_not_come_in_time_is_lost() -> None:
    session = after((1, 1), (3, 3), *((n, n) for n in range(4, 9)), patience=PATIENT)
    assert session.rebirth_wanted == "messages lost: seq 2"
    assert session.missing == ()


def test_what_comes_twice_or_late_opens_no_gap() -> None:
    for late in ((2, 2), (1, 1), (3, 3)):
        assert after((1, 1), (2, 2), (3, 3), late) == after((1, 1), (2, 2), (3, 3))


def test_without_times_what_lies_far_ahead_came_late() -> None:
    start = Session(born_at=1, seq=9)
    assert after((5, None), (10, None), start=start).rebirth_wanted == ""
    assert after((12, None), start=start).rebirth_wanted == "messages lost: seq 10, 11"


def test_a_newer_message_with_any_other_number_is_a_gap() -> None:
    """As after an outage of ours, when hundreds may be lost."""
    assert after((1, 1), (2, 2), (200, 3)).rebirth_wanted.startswith("messages lost: seq 3, 4, ")


def test_some_never_count() -> None:
    assert after((0, 1), (0, 2), (0, 3)).rebirth_wanted == ""
    assert after((None, 1), (None, 2)) == BORN


def test_the_first_message_that_we_see_begins_the_count() -> None:
    assert after((77, 1), (78, 2), start=Session()) == Session(seq=78, sent_at=3000)


@given(st.permutations(range(1, 8)))
def test_any_order_of_all_numbers_within_the_time_is_complete(order: list[int]) -> None:
    session = after(*((n, n) for n in order), patience=timedelta(seconds=60))
    assert (session.seq, session.missing, session.rebirth_wanted) == (7, (), "")


@given(st.lists(st.integers(1, 20), unique=True, min_size=1, max_size=20))
def test_what_never_comes_is_missing(came: list[int]) -> None:
    session = after(*((n, n) for n in came), patience=timedelta(seconds=60))
    assert set(session.missing) == set(range(1, max(came))) - set(came)
