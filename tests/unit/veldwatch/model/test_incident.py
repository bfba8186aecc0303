"""Which alerts are one thing to work on: what ties them, what bounds chains, and that no order matters."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from veldwatch.model.incident import DEFAULT_NEARNESS, Head, gather, incident_of_head

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOWN, NORTH, SOUTH, STREET = 1, 2, 3, 4
NEAR = 0.001
"""Degrees of latitude: some 111 m."""


def head(
    number: int,
    minute: float,
    *,
    path: tuple[int, ...] = (),
    device: int | None = None,
    place: tuple[float, float] | None = None,
    ended: float | None = None,
) -> Head:
    return Head(
        id=UUID(int=number),
        opened_at=NOON + minute * MINUTE,
        resolved_at=None if ended is None else NOON + ended * MINUTE,
        path=path,
        device=device,
        place=place,
    )


def groups(*heads: Head) -> list[list[int]]:
    """Give the numbers that belong together, each group and all of them sorted."""
    found: dict[UUID, list[int]] = {}
    for number, founder in gather(heads).items():
        found.setdefault(founder, []).append(number.int)
    return sorted(sorted(group) for group in found.values())


def test_alone_an_alert_is_an_incident_of_its_own() -> None:
    assert gather([head(1, 0)]) == {UUID(int=1): UUID(int=1)}


def test_what_begins_at_one_site_at_one_time_is_one() -> None:
    assert groups(head(1, 0, path=(TOWN, NORTH)), head(2, 10, path=(TOWN, NORTH))) == [[1, 2]]
    assert groups(head(1, 0, path=(TOWN, NORTH)), head(2, 16, path=(TOWN, NORTH))) == [[1], [2]]


def test_a_site_below_another_is_near_it_and_one_beside_it_is_not() -> None:
    upper = head(1, 0, path=(TOWN, NORTH))
    assert groups(upper, head(2, 5, path=(TOWN, NORTH, STREET))) == [[1, 2]]
    assert groups(upper, head(2, 5, path=(TOWN, SOUTH))) == [[1], [2]]
    assert groups(head(2, 0, path=(TOWN, NORTH, STREET)), head(1, 5, path=(TOWN, NORTH))) == [[1, 2]]


def test_an_alert_about_the_whole_town_does_not_swallow_it() -> None:
    assert groups(head(1, 0, path=(TOWN,)), head(2, 5, path=(TOWN, NORTH))) == [[1], [2]]
    assert groups(head(1, 0, path=(TOWN,)), head(2, 5, path=(TOWN,))) == [[1, 2]]


def test_places_near_each_other_are_one_whatever_the_site() -> None:
    assert groups(head(1, 0, place=(31, -10)), head(2, 5, place=(31, -10 + 2 * NEAR))) == [[1, 2]]
    assert groups(head(1, 0, place=(31, -10)), head(2, 5, place=(31, -10 + 3 * NEAR))) == [[1], [2]]
    # A degree of longitude is half as long at 60 degrees.
    assert groups(head(1, 0, place=(31, 60)), head(2, 5, place=(31 + 5 * NEAR, 60))) == [[1, 2]]


def test_one_device_is_one_while_its_alert_holds_and_a_while_after() -> None:
    assert groups(head(1, 0, device=7), head(2, 300, device=7)) == [[1, 2]]
    assert groups(head(1, 0, device=7, ended=10), head(2, 20, device=7)) == [[1, 2]]
    assert groups(head(1, 0, device=7, ended=10), head(2, 30, device=7)) == [[1], [2]]


def test_a_chain_of_places_ends_where_it_is_far_from_its_first() -> None:
    street = [head(number, number, place=(31, -10 + number * 2 * NEAR)) for number in range(1, 40)]
    found = groups(*street)
    assert len(found) == 5
    assert found[0] == list(range(1, 10))
    assert [number for group in found for number in group] == list(range(1, 40))


def test_a_chain_of_times_ends_half_a_day_after_its_first() -> None:
    flapping = [head(number, 10 * number, path=(TOWN, NORTH), device=7, ended=10 * number + 1) for number in range(200)]
    found = groups(*flapping)
    assert [len(group) for group in found] == [73, 73, 54]


def test_of_two_incidents_the_one_that_was_founded_first_is_joined() -> None:
    one, other = head(1, 0, place=(31, -10)), head(2, 1, place=(31, -10 + 4 * NEAR))
    assert groups(one, other, head(3, 2, place=(31, -10 + 2 * NEAR))) == [[1, 3], [2]]


def test_an_incident_is_named_by_its_first_alert() -> None:
    assert incident_of_head(UUID(int=1)) == incident_of_head(UUID(int=1)) != incident_of_head(UUID(int=2))


HEADS = st.lists(
    st.builds(
        head,
        st.integers(1, 10_000),
        st.integers(0, 2000),
        path=st.sampled_from([(), (TOWN,), (TOWN, NORTH), (TOWN, SOUTH), (TOWN, NORTH, STREET)]),
        device=st.one_of(st.none(), st.integers(1, 4)),
        place=st.one_of(st.none(), st.tuples(st.just(31.0), st.integers(0, 30).map(lambda n: -10 + n * NEAR))),
        ended=st.one_of(st.none(), st.integers(2000, 2100)),
    ),
    max_size=40,
    unique_by=lambda each: each.id,
)


@given(HEADS, st.randoms())
def test_any_order_gives_the_same_incidents(heads: list[Head], order: object) -> None:
    found = gather(heads)
    shuffled = heads[:]
    order.shuffle(shuffled)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  # a random.Random
    assert gather(shuffled) == found


@given(HEADS)
def test_nothing_grows_beyond_its_bounds(heads: list[Head]) -> None:
    known = {each.id: each for each in heads}
    for number, founder in gather(heads).items():
        assert known[number].opened_at - known[founder].opened_at <= DEFAULT_NEARNESS.longest
        assert known[founder].order <= known[number].order


@given(HEADS, st.integers(0, 40))
def test_what_comes_later_moves_nothing_that_was_there(heads: list[Head], count: int) -> None:
    early = sorted(heads, key=lambda each: each.order)[:count]
    assert gather(early).items() <= gather(heads).items()
    known = {each.id: each for each in heads}
    settled = {number: known[founder] for number, founder in gather(early).items()}
    assert gather(heads, settled=settled) == gather(heads)
