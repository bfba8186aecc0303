from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.model.explanation import (
    DEFAULT_PATIENCE,
    Explanation,
    Happening,
    Interruption,
    Sign,
    explain,
)
from veldwatch.model.rule import Explains

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TOWN, FEEDER, TRANSFORMER, OTHER = 1, 2, 3, 9


def silence(number: int = 1, *, last_heard: timedelta = timedelta(0), **changes: object) -> Happening:
    """A meter of the transformer, last heard some time after noon, that reports every half hour."""
    fields: dict[str, object] = {
        "id": UUID(int=number),
        "opened_at": NOON + last_heard,
        "sites": (TOWN, FEEDER, TRANSFORMER),
        "device": number,
        "sign": Sign.SILENCE,
        "silent_for": 2 * HOUR,
        "interval": 30 * MINUTE,
    }
    return Happening(**(fields | changes))  # pyright: ignore[reportArgumentType]  # fields by name


def cut(number: int = 100, *, lasts: timedelta | None = None, **changes: object) -> Happening:
    """The feeder is dead from noon on."""
    fields: dict[str, object] = {
        "id": UUID(int=number),
        "opened_at": NOON,
        "resolved_at": None if lasts is None else NOON + lasts,
        "sites": (TOWN, FEEDER),
        "device": number,
        "explains": Explains.SILENCE,
    }
    return Happening(**(fields | changes))  # pyright: ignore[reportArgumentType]  # fields by name


def why(one: Happening, causes: Sequence[Happening] = (), planned: Sequence[Interruption] = ()) -> Explanation | None:
    return explain([one], [*causes, one], planned, DEFAULT_PATIENCE)[one.id]


def test_a_dead_feeder_explains_the_silence_of_what_hangs_on_it_while_it_lasts() -> None:
    assert why(silence(), [cut()]) == Explanation(alert=UUID(int=100))


def test_after_the_cut_the_rule_waits_for_a_report_once_more() -> None:
    assert why(silence(), [cut(lasts=HOUR)]) == Explanation(alert=UUID(int=100), until=NOON + 3 * HOUR)


@pytest.mark.parametrize(
    ("last_heard", "explained"),
    [(-61 * MINUTE, False), (-60 * MINUTE, True), (59 * MINUTE, True), (61 * MINUTE, False)],
)
def test_only_a_silence_that_began_about_within_the_cut_is_explained(last_heard: timedelta, explained: bool) -> None:
    assert (why(silence(last_heard=last_heard), [cut(lasts=HOUR)]) is not None) is explained


def test_a_device_outside_is_not_explained() -> None:
    assert why(silence(sites=(TOWN, OTHER)), [cut()]) is None


def test_nothing_but_silence_is_explained() -> None:
    assert why(silence(sign=Sign.MEASURED), [cut()]) is None


def test_what_was_over_before_the_cut_is_not_explained_by_it() -> None:
    assert why(silence(last_heard=-HOUR, resolved_at=NOON - MINUTE), [cut()]) is None


def test_the_topmost_of_several_causes_counts_while_they_last() -> None:
    transformer = cut(101, sites=(TOWN, FEEDER, TRANSFORMER))
    assert why(silence(), [transformer, cut()]) == Explanation(alert=UUID(int=100))
    assert why(transformer, [transformer, cut()]) == Explanation(alert=UUID(int=100))
    assert why(cut(), [transformer, cut()]) is None


def test_the_cause_that_lasts_longest_counts() -> None:
    transformer = cut(101, sites=(TOWN, FEEDER, TRANSFORMER))
    assert why(silence(), [transformer, cut(lasts=HOUR)]) == Explanation(alert=UUID(int=101))


def test_an_outage_that_was_inferred_is_explained_by_the_feeder_that_was_measured_at_the_same_site() -> None:
    inferred = cut(102, sign=Sign.INFERRED, device=None)
    assert why(inferred, [cut()]) == Explanation(alert=UUID(int=100))
    assert why(cut(), [inferred]) is None


def test_a_silent_gateway_explains_the_devices_behind_it_and_no_others() -> None:
    gateway = silence(50, explains=Explains.SILENCE_BEHIND_GATEWAY)
    assert why(silence(1, gateway=50), [gateway]) == Explanation(alert=UUID(int=50))
    assert why(silence(2), [gateway]) is None
    assert why(gateway, [cut()]) == Explanation(alert=UUID(int=100))


def test_a_planned_interruption_explains_silence_and_the_cut_itself_beforehand() -> None:
    planned = Interruption(id=5, begins_at=NOON, ends_at=NOON + 2 * HOUR, sites=frozenset({FEEDER}))
    assert why(silence(last_heard=10 * MINUTE), planned=[planned]) == Explanation(interruption=5, until=NOON + 4 * HOUR)
    assert why(cut(), planned=[planned]) == Explanation(interruption=5, until=NOON + 2 * HOUR + 10 * MINUTE)
    assert why(silence(sites=(TOWN, OTHER)), planned=[planned]) is None


def test_a_planned_interruption_of_a_device_explains_that_device_alone() -> None:
    planned = Interruption(id=5, begins_at=NOON, ends_at=NOON + HOUR, devices=frozenset({1}))
    assert why(silence(1), planned=[planned]) is not None
    assert why(silence(2), planned=[planned]) is None


def test_a_cut_that_goes_over_into_another_goes_on_explaining() -> None:
    first = cut(lasts=HOUR)
    second = cut(101, opened_at=NOON + 2 * HOUR, resolved_at=NOON + 5 * HOUR, sites=(TOWN, FEEDER, TRANSFORMER))
    later = cut(102, opened_at=NOON + 9 * HOUR, resolved_at=None)
    long_silent = silence(last_heard=-30 * MINUTE)
    assert why(long_silent, [first, second, later]) == Explanation(alert=UUID(int=101), until=NOON + 7 * HOUR)
    assert why(long_silent, [second]) is None
    heard_between = silence(last_heard=-30 * MINUTE, resolved_at=NOON + 90 * MINUTE)
    assert why(heard_between, [first, second]) == Explanation(alert=UUID(int=100), until=NOON + 3 * HOUR)


def test_what_is_inferred_from_the_silence_of_many_may_have_begun_with_the_first_of_them() -> None:
    inferred = cut(102, sign=Sign.INFERRED, device=None, opened_at=NOON - 40 * MINUTE, silent_for=70 * MINUTE)
    assert why(inferred, [cut()]) == Explanation(alert=UUID(int=100))


_TREES = [(), (1,), (1, 2), (1, 2, 3), (1, 4), (5,)]


@st.composite
def worlds(draw: st.DrawFn) -> list[Happening]:
    return [
        Happening(
            id=UUID(int=number),
            opened_at=NOON + draw(st.integers(-90, 90)) * MINUTE,
            resolved_at=draw(st.sampled_from([None, NOON + 2 * HOUR])),
            sites=draw(st.sampled_from(_TREES)),
            device=number,
            # A gateway has a smaller number: the register lets nothing hang on itself.
            gateway=draw(st.none() | st.integers(0, number - 1)) if number else None,
            sign=draw(st.sampled_from(list(Sign))),
            explains=draw(st.sampled_from([None, *Explains])),
            silent_for=HOUR,
        )
        for number in range(draw(st.integers(1, 8)))
    ]


@given(worlds(), st.randoms(use_true_random=False))
def test_no_alerts_explain_each_other_in_a_circle_and_the_order_of_causes_does_not_matter(
    world: list[Happening], random: object
) -> None:
    found = explain(world, world, [], DEFAULT_PATIENCE)
    shuffled = list(world)
    random.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # hypothesis' own
    assert explain(world, shuffled, [], DEFAULT_PATIENCE) == found
    for one in world:
        at: UUID | None = one.id
        for _ in range(len(world) + 1):
            explanation = found[at] if at is not None else None
            at = explanation.alert if explanation else None
        assert at is None
