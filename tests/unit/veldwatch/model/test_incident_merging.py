"""Which incidents are one: what shows it, what bounds it, and that no order matters."""

from collections.abc import Iterable
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.model.test_incident import HEADS, MINUTE, NEAR, NOON, NORTH, STREET, TOWN, head
from veldwatch.model.incident import DEFAULT_NEARNESS, Head, gather, gather_near, may_join
from veldwatch.model.incident_merging import Base, Sign, merge

Pairs = list[tuple[UUID, UUID]]


def incidents_of(heads: Iterable[Head], said: Pairs | None = None) -> dict[UUID, UUID]:
    """Give the founder of the incident that each head is in after all; what people said names founders."""
    known = {each.id: each for each in heads}
    found = gather_near(known.values())
    founders = [known[number] for number in set(found.founders.values())]
    bases = [Base(id=each.id, began_at=each.opened_at, founder=each) for each in founders]
    signs = [Sign(order=known[number].order, incidents=near) for number, near in found.near.items()]
    roots = merge(bases, signs, said or [])
    return {number: roots[founder] for number, founder in found.founders.items()}


def groups(*heads: Head, said: Pairs | None = None) -> list[list[int]]:
    """Give the numbers that belong together, each group and all of them sorted."""
    found: dict[UUID, list[int]] = {}
    for number, founder in incidents_of(heads, said).items():
        found.setdefault(founder, []).append(number.int)
    return sorted(sorted(group) for group in found.values())


ONE, OTHER = head(1, 0, place=(31, -10)), head(2, 1, place=(31, -10 + 4 * NEAR))


def test_two_that_a_third_is_linked_to_are_one_and_have_the_id_of_the_first() -> None:
    third = head(3, 2, place=(31, -10 + 2 * NEAR))
    assert groups(ONE, OTHER) == [[1], [2]]
    assert groups(ONE, OTHER, third) == [[1, 2, 3]]
    assert set(incidents_of([ONE, OTHER, third]).values()) == {ONE.id}


def test_what_was_founded_far_from_the_first_stays_by_itself() -> None:
    late = head(3, 12 * 60 + 1, path=(TOWN, NORTH, STREET), device=8)
    # One device ties the last to both, but 12 hours lie between their beginnings.
    long = head(1, 0, path=(TOWN, NORTH), device=7)
    last = head(4, 12 * 60 + 5, path=(TOWN, NORTH), device=7)
    assert groups(long, late, last) == [[1], [3, 4]]


def test_people_make_one_of_what_is_nowhere_near_each_other() -> None:
    far = head(9, 9000, place=(18, 4))
    assert groups(ONE, OTHER, far, said=[(far.id, OTHER.id)]) == [[1], [2, 9]]
    assert groups(ONE, OTHER, far, said=[(far.id, OTHER.id), (ONE.id, far.id)]) == [[1, 2, 9]]


def test_a_planned_interruption_is_merged_by_people_only() -> None:
    planned = Base(id=UUID(int=50), began_at=NOON - MINUTE)
    one = Base(id=ONE.id, began_at=ONE.opened_at, founder=ONE)
    sign = Sign(order=OTHER.order, incidents=frozenset((planned.id, one.id)))
    assert merge([planned, one], [sign]) == {planned.id: planned.id, one.id: one.id}
    assert merge([planned, one], [], [(one.id, planned.id)]) == {planned.id: planned.id, one.id: planned.id}
    assert merge([one], [sign], [(one.id, UUID(int=77))]) == {one.id: one.id}


@given(HEADS, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_incidents(heads: list[Head], order: Random) -> None:
    shuffled = heads[:]
    order.shuffle(shuffled)
    assert incidents_of(shuffled) == incidents_of(heads)


@given(HEADS)
def test_what_is_merged_was_founded_within_the_bounds_of_the_first(heads: list[Head]) -> None:
    known = {each.id: each for each in heads}
    by_itself = gather(heads)
    for number, root in incidents_of(heads).items():
        founder = known[by_itself[number]]
        assert founder.id == root or may_join(founder, known[root], DEFAULT_NEARNESS)
        assert known[root].order <= founder.order
