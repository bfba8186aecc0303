"""What is recorded and told when a fold says something else than before."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from rules.conditions.span import Span
from rules.lifecycle import Episode, Recording, Revision, reconcile, withdraw
from tests.unit.rules.worlds import START, minute
from veldwatch.model.alert import Alert, AlertState, TransitionKind
from veldwatch.model.identifiers import RuleVersionId
from veldwatch.model.notifications import Suppression

VERSION = RuleVersionId(UUID(int=1))
LATER = timedelta(minutes=100)
FIRING, RESOLVED = TransitionKind.FIRING, TransitionKind.RESOLVED
CORRECTED, RETRACTED, PENDING = TransitionKind.CORRECTED, TransitionKind.RETRACTED, TransitionKind.PENDING


def episode(opened: float, ended: float | None = None, *, fired: float | None = 0, settled: bool = False) -> Episode:
    """Make an episode that fires as it opens; times in minutes, fired None: pending."""
    reached_at = None if fired is None else minute(opened + fired)
    span = Span(minute(opened), reached_at, None if ended is None else minute(ended), 1.0, ())
    return Episode(span, minute(ended) if settled and ended is not None else None)


def recording(now: float = 100, *, head: float | None = 99, news_age: float = 1000, history: bool = False) -> Recording:
    return Recording(
        version=VERSION,
        subject="series:1",
        now=START + timedelta(minutes=now),
        news_age=timedelta(minutes=news_age),
        head=None if head is None else START + timedelta(minutes=head),
        history=history,
    )


def recorded(*episodes: Episode, at: Recording | None = None) -> list[Alert]:
    """Give what stands after these episodes were recorded for the first time."""
    return [revision.alert for revision in reconcile([], episodes, at or recording())]


def course(revisions: Sequence[Revision]) -> list[tuple[AlertState, list[tuple[TransitionKind, bool]]]]:
    """Give the state of each revision, and its transitions with whether anybody is told."""
    return [(r.alert.state, [(t.kind, t.tell and t.suppressed is None) for t in r.transitions]) for r in revisions]


def test_an_alert_fires_and_is_told() -> None:
    (revision,) = reconcile([], [episode(10)], recording())
    assert course([revision]) == [(AlertState.FIRING, [(FIRING, True)])]
    assert revision.alert.told
    assert not revision.alert.late


def test_what_is_recorded_already_is_not_told_again() -> None:
    assert reconcile(recorded(episode(10)), [episode(10)], recording()) == []


def test_it_resolves() -> None:
    assert course(reconcile(recorded(episode(10)), [episode(10, 20)], recording())) == [
        (AlertState.RESOLVED, [(RESOLVED, True)])
    ]


def test_pending_is_recorded_and_nobody_is_told() -> None:
    before = recorded(episode(10, fired=None))
    assert course(reconcile([], [episode(10, fired=None)], recording())) == [(AlertState.PENDING, [(PENDING, False)])]
    assert course(reconcile(before, [episode(10, fired=5)], recording())) == [(AlertState.FIRING, [(FIRING, True)])]


def test_pending_that_ends_too_soon_is_retracted_silently() -> None:
    before = recorded(episode(10, fired=None))
    assert course(reconcile(before, [], recording())) == [(AlertState.RETRACTED, [(RETRACTED, False)])]


def test_old_and_over_is_history_and_not_sent() -> None:
    (revision,) = reconcile([], [episode(10, 20)], recording(now=5000))
    assert [t.suppressed for t in revision.transitions] == [Suppression.HISTORY, Suppression.HISTORY]
    assert revision.alert.late
    assert not revision.alert.told


def test_old_and_still_so_is_told_as_late() -> None:
    (revision,) = reconcile([], [episode(10)], recording(now=5000))
    assert course([revision]) == [(AlertState.FIRING, [(FIRING, True)])]
    assert revision.alert.late


def test_what_was_over_before_a_rule_was_applied_is_history_however_young() -> None:
    (revision,) = reconcile([], [episode(10, 20)], recording(history=True))
    assert [t.suppressed for t in revision.transitions] == [Suppression.HISTORY, Suppression.HISTORY]


def test_an_end_that_moves_is_a_correction() -> None:
    before = recorded(episode(10, 20, settled=True))
    assert course(reconcile(before, [episode(10, 15, settled=True)], recording())) == [
        (AlertState.RESOLVED, [(CORRECTED, True)])
    ]


def test_an_alert_that_goes_on_after_all_is_a_correction() -> None:
    before = recorded(episode(10, 20, settled=True))
    (revision,) = reconcile(before, [episode(10)], recording())
    assert course([revision]) == [(AlertState.FIRING, [(CORRECTED, True)])]
    assert revision.alert.resolved_at is None


def test_one_that_was_told_too_early_is_corrected_when_it_fires_after_all() -> None:
    told = recorded(episode(10, fired=5))
    (early,) = reconcile(told, [episode(10, fired=None)], recording())
    assert course([early]) == [(AlertState.PENDING, [(CORRECTED, True)])]
    (after_all,) = reconcile([early.alert], [episode(10, fired=5)], recording())
    assert course([after_all]) == [(AlertState.FIRING, [(CORRECTED, True)])]


def test_an_alert_that_never_was_is_retracted_and_told() -> None:
    (revision,) = reconcile(recorded(episode(10)), [], recording())
    assert course([revision]) == [(AlertState.RETRACTED, [(RETRACTED, True)])]
    assert revision.alert.superseded_by is None


def test_nobody_is_told_that_what_they_never_heard_of_was_not_so() -> None:
    history = recorded(episode(10, 20), at=recording(now=5000))
    assert course(reconcile(history, [], recording())) == [(AlertState.RETRACTED, [(RETRACTED, False)])]


def test_a_beginning_that_moves_is_one_correction() -> None:
    before = [replace(alert, acknowledged_at=START, acknowledged_by="Mwila") for alert in recorded(episode(10))]
    old, new = reconcile(before, [episode(8)], recording())
    assert course([old, new]) == [
        (AlertState.RETRACTED, [(RETRACTED, False)]),
        (AlertState.FIRING, [(CORRECTED, True)]),
    ]
    assert old.alert.superseded_by == new.alert.id
    assert new.transitions[0].detail["supersedes"] == str(old.alert.id)
    assert new.alert.acknowledged_by == "Mwila"
    assert new.alert.recorded_at == old.alert.recorded_at


def test_a_beginning_that_moves_back_again_is_a_correction_again() -> None:
    first = recorded(episode(10))
    old, new = reconcile(first, [episode(8)], recording())
    back = reconcile([old.alert, new.alert], [episode(10)], recording())
    assert course(back) == [(AlertState.RETRACTED, [(RETRACTED, False)]), (AlertState.FIRING, [(CORRECTED, True)])]


def test_two_that_become_one_are_one_correction() -> None:
    before = recorded(episode(10, 20, settled=True), episode(30))
    second, first = reconcile(before, [episode(10)], recording())
    assert course([second, first]) == [
        (AlertState.RETRACTED, [(RETRACTED, False)]),
        (AlertState.FIRING, [(CORRECTED, True)]),
    ]
    assert second.alert.superseded_by == first.alert.id


def test_one_that_becomes_two_is_corrected_and_its_rest_is_not_news() -> None:
    revisions = reconcile(recorded(episode(10)), [episode(10, 20, settled=True), episode(40)], recording(head=90))
    assert course(revisions) == [
        (AlertState.RESOLVED, [(RESOLVED, True)]),
        (AlertState.FIRING, [(CORRECTED, True)]),
    ]


def test_one_that_shares_time_with_one_that_stands_is_news() -> None:
    before = recorded(episode(10, 20))
    (begun,) = reconcile(before, [episode(10, 20), episode(19)], recording(head=18))
    assert course([begun]) == [(AlertState.FIRING, [(FIRING, True)])]


def test_the_next_one_in_order_is_news() -> None:
    revisions = reconcile(recorded(episode(10)), [episode(10, 20, settled=True), episode(95)], recording(head=15))
    assert course(revisions) == [(AlertState.RESOLVED, [(RESOLVED, True)]), (AlertState.FIRING, [(FIRING, True)])]


def test_settling_alone_is_kept_without_a_transition() -> None:
    before = recorded(episode(10, 20))
    assert course(reconcile(before, [episode(10, 20, settled=True)], recording())) == [(AlertState.RESOLVED, [])]


def test_a_rule_that_is_gone_ends_its_alerts() -> None:
    (alert,) = recorded(episode(10))
    revision = withdraw(alert, START + LATER)
    assert course([revision]) == [(AlertState.RESOLVED, [(RESOLVED, True)])]
    assert revision.alert.resolved_at == START + LATER
    (pending,) = recorded(episode(10, fired=None))
    assert course([withdraw(pending, START + LATER)]) == [(AlertState.RETRACTED, [(RETRACTED, False)])]
