from datetime import timedelta

from rules.conditions.area_outage import compile_area_outage
from rules.conditions.span import Bucket, Span
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.silence import AreaOutage

MEMBERS = tuple(range(10))
OUTAGE = AreaOutage(silent_for=timedelta(minutes=30), forget_after=timedelta(hours=2))


def outages(heard: dict[int, tuple[int, ...]], until: int) -> tuple[list[Span], Span | None]:
    """Fold a bucket a minute, each with who was heard; give the outages that ended, and the one that holds."""
    condition = compile_area_outage(OUTAGE)
    state, ended = condition.initial(truncated=False), list[Span]()
    for at in range(until):
        seen = tuple((member, minute(at)) for member in heard.get(at, ()))
        state, span = condition.step(state, Bucket(minute(at), seen))
        ended += [span] if span is not None else []
    return ended, state.span


def test_an_outage_that_lasts_longer_than_devices_are_remembered_holds_until_they_are_heard() -> None:
    heard = dict.fromkeys((*range(60), *range(600, 620)), MEMBERS)
    assert outages(heard, 600)[0] == []
    (ended,), holding = outages(heard, 620)
    assert (ended.opened_at, ended.reached_at, ended.ended_at) == (minute(59), minute(89), minute(600))
    assert holding is None


def test_whoever_stays_silent_after_an_outage_is_forgotten_when_it_is_over() -> None:
    dead = 4
    heard = dict.fromkeys(range(60), MEMBERS) | dict.fromkeys(range(600, 700), MEMBERS[dead:])
    # Four of ten are silent, which would be share enough for an outage that holds, and not for a new one.
    ended, holding = outages(heard, 700)
    assert ended == []
    assert holding is not None
    heard |= dict.fromkeys(range(700, 710), MEMBERS[1:])
    ended, holding = outages(heard, 710)
    assert [each.ended_at for each in ended] == [minute(700)]
    assert holding is None


def test_devices_that_were_dead_before_neither_make_nor_hide_an_outage() -> None:
    heard = {0: MEMBERS} | dict.fromkeys(range(1, 400), MEMBERS[:5])
    # The outage of those who fell silent at the beginning lasts: they count while it holds.
    assert outages(heard, 400)[1] is not None
    few = {0: MEMBERS} | dict.fromkeys(range(1, 300), MEMBERS[:6])
    assert outages(few, 300) == ([], None)
    (now,) = [outages(few, 300 + 60)[1]]
    assert now is not None
    assert now.evidence[0][1] == (6, 6)
