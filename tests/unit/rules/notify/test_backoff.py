from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.notify.backoff import (
    FIRST_DELAY,
    LONGEST_DELAY,
    LONGEST_RETRY_AFTER,
    MAXIMUM_ATTEMPTS,
    delay_before_next,
)


@given(st.uuids(), st.integers(min_value=1, max_value=1000))
def test_a_delay_lies_between_half_and_the_whole_of_its_doubling(outbox_id: UUID, attempts: int) -> None:
    doubled = min(FIRST_DELAY * 2 ** min(attempts - 1, 20), LONGEST_DELAY)
    assert doubled / 2 <= delay_before_next(outbox_id, attempts) <= doubled


@given(st.uuids(), st.integers(min_value=1, max_value=30))
def test_the_same_attempt_always_waits_the_same_time(outbox_id: UUID, attempts: int) -> None:
    assert delay_before_next(outbox_id, attempts) == delay_before_next(outbox_id, attempts)


def test_notifications_that_failed_together_do_not_return_together() -> None:
    assert len({delay_before_next(UUID(int=number), 6) for number in range(50)}) == 50


def test_a_receiver_is_left_alone_for_as_long_as_it_asked() -> None:
    assert delay_before_next(UUID(int=1), 1, timedelta(minutes=20)) == timedelta(minutes=20)


def test_a_receiver_cannot_ask_to_be_left_alone_for_ever() -> None:
    assert delay_before_next(UUID(int=1), 1, timedelta(days=400)) == LONGEST_RETRY_AFTER


def test_all_attempts_together_outlast_the_time_for_which_an_alert_is_news() -> None:
    waits = [delay_before_next(UUID(int=1), attempts) for attempts in range(1, MAXIMUM_ATTEMPTS)]
    assert timedelta(hours=4) < sum(waits, timedelta(0)) < timedelta(hours=12)
