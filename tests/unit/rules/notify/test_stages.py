from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.notify.stages import AT_ONCE, LOOK_AGAIN, Batch, Pacing, run_stages
from tests.unit.rules.notify.notifications import CREATED, due
from veldwatch.model.notifications import Hold, Suppression
from veldwatch.model.schedule import Hours, Schedule
from veldwatch.storage.outbox_due import Due, Held

KINDS = ("firing", "raised", "resolved", "corrected", "retracted")
MINUTE = timedelta(minutes=1)
SLOW = Pacing(settling=MINUTE, group_wait=timedelta(seconds=5))


def passed(*notifications: Due, pacing: Pacing = AT_ONCE, at: timedelta = timedelta(0)) -> Batch:
    return run_stages(notifications, CREATED + at, pacing)


def test_a_firing_alert_passes() -> None:
    assert passed(due()).kept == (due(),)


def test_an_end_is_told_only_to_whom_the_beginning_was_told() -> None:
    told, untold = due(1, kind="resolved", told=True), due(2, kind="resolved")
    batch = passed(told, untold)
    assert batch.kept == (told,)
    assert batch.dropped == ((UUID(int=2), Suppression.NOT_TOLD),)


def test_a_disabled_receiver_is_told_nothing_even_of_what_was_composed() -> None:
    batch = passed(due(1, enabled=False), due(2, enabled=False, is_composed=True))
    assert [reason for _, reason in batch.dropped] == [Suppression.RECEIVER_DISABLED] * 2


def test_what_a_silence_matches_waits_for_its_end() -> None:
    until = CREATED + MINUTE
    batch = passed(due(silence_id=7, silence_ends_at=until))
    assert batch.held == (Held(UUID(int=1), Hold.SILENCED, until, 7),)
    assert not batch.kept


def test_an_alert_that_ended_while_it_was_silenced_is_told_to_nobody() -> None:
    still_matched = due(1, over=True, silence_id=7, silence_ends_at=CREATED + MINUTE)
    matched_before = due(2, over=True, reason="silenced")
    assert passed(still_matched, matched_before).dropped == (
        (UUID(int=1), Suppression.SILENCED),
        (UUID(int=2), Suppression.SILENCED),
    )


def test_an_alert_that_outlasts_its_silence_is_told() -> None:
    assert passed(due(reason="silenced")).kept


def test_an_end_of_what_was_told_before_the_silence_waits_and_is_not_lost() -> None:
    batch = passed(due(kind="resolved", told=True, over=True, silence_id=7, silence_ends_at=CREATED + MINUTE))
    assert [held.reason for held in batch.held] == [Hold.SILENCED]


@pytest.mark.parametrize(
    ("resolved_after", "until_after", "outcome"),
    [
        (None, None, Hold.INHIBITED),
        (None, 10, Hold.INHIBITED),
        (None, -1, None),
        (5, None, Suppression.INHIBITED),
        (5, 10, Suppression.INHIBITED),
        (-5, -1, Suppression.INHIBITED),
        (-1, -5, None),
    ],
)
def test_explained_silence_is_told_only_if_it_outlasts_its_cause(
    resolved_after: int | None, until_after: int | None, outcome: Hold | Suppression | None
) -> None:
    one = due(
        cause="alert:1",
        is_silence=True,
        over=resolved_after is not None,
        resolved_at=None if resolved_after is None else CREATED + resolved_after * MINUTE,
        explained_until=None if until_after is None else CREATED + until_after * MINUTE,
    )
    batch = passed(one)
    if outcome is None:
        assert batch.kept == (one,)
    elif isinstance(outcome, Suppression):
        assert batch.dropped == ((one.id, outcome),)
    else:
        assert [held.reason for held in batch.held] == [outcome]
        assert batch.held[0].until == (CREATED + LOOK_AGAIN if until_after is None else CREATED + until_after * MINUTE)


def test_news_of_silence_settles_longer_than_other_news() -> None:
    batch = passed(due(1, is_silence=True), due(2), pacing=SLOW, at=timedelta(seconds=5))
    assert batch.held == (Held(UUID(int=1), Hold.SETTLING, CREATED + MINUTE),)
    assert [each.id for each in batch.kept] == [UUID(int=2)]


def test_a_second_attempt_and_what_waited_already_settle_no_more() -> None:
    waited = [
        due(1, attempts=1),
        due(2, reason="silenced"),
        due(3, reason="inhibited"),
        due(4, kind="resolved", told=True),
    ]
    assert passed(*waited, pacing=SLOW).kept == tuple(waited)


def test_the_end_of_a_silence_waits_for_the_others_of_its_message_and_that_of_a_burst_does_not() -> None:
    bundle = UUID(int=50)
    silence = due(1, kind="resolved", told=True, is_silence=True, bundle=bundle, bundle_open=True)
    burst = due(2, kind="resolved", told=True, bundle=bundle, bundle_open=True)
    batch = passed(silence, burst)
    assert [held.reason for held in batch.held] == [Hold.GROUPED]
    assert batch.kept == (burst,)


def test_a_silence_that_grows_is_not_told_again_but_what_outlasted_its_cause_is() -> None:
    told = UUID(int=60)
    growing, outlasting = (
        due(1, is_silence=True, joined=told),
        due(2, is_silence=True, joined=told, cause="alert:1", explained_until=CREATED - MINUTE),
    )
    batch = passed(growing, outlasting)
    assert batch.dropped == ((growing.id, Suppression.GROUPED),)
    assert batch.kept == (outlasting,)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.booleans(), st.booleans(), st.booleans(), st.sampled_from([None, 7]),
            st.sampled_from([None, "alert:1"]), st.booleans(),
        )
    )
)  # fmt: skip
def test_every_notification_is_kept_dropped_or_held_once_with_a_reason(
    rows: list[tuple[str, bool, bool, bool, int | None, str | None, bool]],
) -> None:
    notifications = [
        due(
            number,
            kind=kind,
            told=told,
            enabled=enabled,
            over=over,
            silence_id=silence,
            silence_ends_at=None if silence is None else CREATED + MINUTE,
            cause=cause,
            is_composed=composed,
        )
        for number, (kind, told, enabled, over, silence, cause, composed) in enumerate(rows)
    ]
    batch = passed(*notifications, pacing=SLOW)
    ids = [kept.id for kept in batch.kept] + [outbox_id for outbox_id, _ in batch.dropped]
    ids += [held.id for held in batch.held]
    assert sorted(ids) == [each.id for each in notifications]
    assert list(batch.kept) == [each for each in notifications if each in batch.kept]


def test_a_raise_may_be_the_first_that_a_receiver_hears() -> None:
    batch = run_stages([due(kind="raised", told=False)], CREATED, AT_ONCE)
    assert len(batch.kept) == 1


def test_a_raise_waits_for_others_of_its_incident_and_not_for_a_cause() -> None:
    one = due(kind="raised", is_silence=True)
    assert passed(one, pacing=SLOW).held == (Held(one.id, Hold.SETTLING, CREATED + SLOW.group_wait),)
    assert passed(one, pacing=SLOW, at=SLOW.group_wait).kept == (one,)


def test_a_silence_that_gets_as_bad_as_others_that_were_told_is_not_told_again() -> None:
    one = due(kind="raised", told=True, is_silence=True, joined=UUID(int=60))
    assert passed(one).dropped == ((one.id, Suppression.GROUPED),)


def test_news_waits_for_the_hours_of_the_schedule_and_is_told_if_it_still_holds() -> None:
    opens = CREATED + timedelta(hours=2)
    hours = Hours(days=("sun",), begin=opens.time(), end=(opens + timedelta(hours=1)).time())
    schedule = Schedule(time_zone="UTC", hours=(hours,))
    news = due(schedule=schedule)
    assert run_stages([news], CREATED, AT_ONCE).held == (Held(news.id, Hold.OFF_SCHEDULE, opens),)
    waited = due(schedule=schedule, reason=Hold.OFF_SCHEDULE)
    assert run_stages([waited], opens, AT_ONCE).kept == (waited,)
    over = due(schedule=schedule, reason=Hold.OFF_SCHEDULE, over=True)
    assert run_stages([over], opens, AT_ONCE).dropped == ((over.id, Suppression.OFF_SCHEDULE),)
    end = due(kind="resolved", told=True, over=True, schedule=schedule)
    assert run_stages([end], CREATED, AT_ONCE).kept == (end,)
