from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rules.notify.stages import run_stages
from tests.unit.rules.notify.notifications import notification
from veldwatch.model.notifications import Suppression

KINDS = ("firing", "resolved", "corrected", "retracted")


def test_a_firing_alert_passes() -> None:
    assert run_stages([notification()]).kept == (notification(),)


def test_an_end_is_told_only_to_whom_the_beginning_was_told() -> None:
    told, untold = notification(1, kind="resolved", told=True), notification(2, kind="resolved")
    batch = run_stages([told, untold])
    assert batch.kept == (told,)
    assert batch.dropped == ((UUID(int=2), Suppression.NOT_TOLD),)


def test_a_disabled_receiver_is_told_nothing() -> None:
    batch = run_stages([notification(enabled=False)])
    assert batch.dropped == ((UUID(int=1), Suppression.RECEIVER_DISABLED),)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans(), st.booleans())))
def test_every_notification_is_kept_or_dropped_once_with_a_reason(rows: list[tuple[str, bool, bool]]) -> None:
    notifications = [
        notification(number, kind=kind, told=told, enabled=enabled) for number, (kind, told, enabled) in enumerate(rows)
    ]
    batch = run_stages(notifications)
    ids = [kept.id for kept in batch.kept] + [outbox_id for outbox_id, _ in batch.dropped]
    assert sorted(ids) == [each.id for each in notifications]
    assert list(batch.kept) == [each for each in notifications if each in batch.kept]
