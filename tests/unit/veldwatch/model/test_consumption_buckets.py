"""Increments in buckets: nothing is lost or made, whatever the edges and the clock."""

import itertools
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.model.register_readings import Readings, readings, registers
from veldwatch.model.consumption import Code, Increment, judge
from veldwatch.model.consumption_buckets import spread
from veldwatch.model.local_buckets import Interval, edges, find_zone, from_instant, to_instant
from veldwatch.model.register_steps import HOUR, Register

MADRID, LORD_HOWE, KOLKATA = (find_zone(name) for name in ("Europe/Madrid", "Australia/Lord_Howe", "Asia/Kolkata"))


def increment(begin: int, end: int, amount: int, codes: int = 0) -> Increment:
    return Increment(begin, end, amount, 0, codes, amount, end)


def test_an_amount_that_spans_buckets_is_shared_out_by_time_and_marked() -> None:
    parts = spread([increment(HOUR // 2, 3 * HOUR, 10, Code.GAP)], [0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR])
    assert [(part.amount, Code(part.codes), part.readings) for part in parts] == [
        (2, Code.GAP | Code.ESTIMATED, 0),
        (4, Code.GAP | Code.ESTIMATED, 0),
        (4, Code.GAP | Code.ESTIMATED, 1),
    ]


def test_a_reading_on_the_edge_ends_the_bucket_before() -> None:
    parts = spread([increment(0, HOUR, 5), increment(HOUR, 2 * HOUR, 7)], [0, HOUR, 2 * HOUR])
    assert [(part.amount, part.codes, part.readings) for part in parts] == [(5, 0, 1), (7, 0, 1)]


def test_of_what_no_reading_tells_there_is_no_bucket() -> None:
    parts = spread([increment(0, HOUR, 5), increment(2 * HOUR, 3 * HOUR, 7)], [0, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR])
    assert [part.begin for part in parts] == [0, 2 * HOUR]


@given(readings(), registers(), st.lists(st.integers(0, 800 * HOUR), max_size=30))
def test_buckets_hold_exactly_what_was_counted(found: Readings, register: Register, cuts: list[int]) -> None:
    times, counts = found
    increments = judge(times, counts, register)
    limits = sorted({*cuts, times[0], times[-1] + 1})
    buckets = spread(increments, [limit for limit in limits if times[0] <= limit <= times[-1] + 1])
    assert sum(bucket.amount for bucket in buckets) == sum(increment.amount for increment in increments)
    assert sum(bucket.excess for bucket in buckets) == sum(increment.excess for increment in increments)
    assert sum(bucket.readings for bucket in buckets) == len(increments)
    assert all(bucket.amount >= 0 and bucket.excess >= 0 for bucket in buckets)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (datetime(2016, 10, 30), MADRID, [25]),  # noqa: DTZ001  # a date of that zone
        (datetime(2016, 3, 27), MADRID, [23]),  # noqa: DTZ001
        (datetime(2016, 6, 1), MADRID, [24]),  # noqa: DTZ001
        (datetime(2026, 4, 5), LORD_HOWE, [24.5]),  # noqa: DTZ001
        (datetime(2026, 6, 1), KOLKATA, [24]),  # noqa: DTZ001
    ],
)
def test_days_have_the_hours_that_the_clock_gives_them(day: datetime, zone: object, hours: list[float]) -> None:
    assert isinstance(zone, type(MADRID))
    noon = (day + timedelta(hours=12)).replace(tzinfo=zone).astimezone(UTC)
    found = edges(noon, noon + timedelta(minutes=1), Interval.DAY, zone)
    assert [(end - begin) / timedelta(hours=1) for begin, end in itertools.pairwise(found)] == hours
    hourly = edges(found[0], found[1], Interval.HOUR, zone)
    assert hourly[0] == found[0]
    assert hourly[-1] == found[1]
    assert len(hourly) - 1 == math.ceil(hours[0])


def test_the_hour_that_a_clock_change_repeats_is_two() -> None:
    before = datetime(2016, 10, 29, 23, 30, tzinfo=UTC)
    found = edges(before, before + timedelta(hours=3), Interval.HOUR, MADRID)
    assert [edge.astimezone(MADRID).hour for edge in found] == [1, 2, 2, 3, 4]


def test_months_begin_at_local_midnight() -> None:
    found = edges(datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC), Interval.MONTH, MADRID)
    assert [edge.isoformat() for edge in found] == [
        "2026-01-31T23:00:00+00:00",
        "2026-02-28T23:00:00+00:00",
        "2026-03-31T22:00:00+00:00",
        "2026-04-30T22:00:00+00:00",
    ]


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001  # made aware below
    st.sampled_from(
        ["Europe/Madrid", "Pacific/Apia", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
    ),
    st.sampled_from(list(Interval)),
)
def test_edges_ascend_and_hold_the_time(at: datetime, name: str, interval: Interval) -> None:
    since = at.replace(tzinfo=UTC)
    found = edges(since, since + timedelta(days=3), interval, find_zone(name))
    assert found[0] <= since
    assert found[-1] >= since + timedelta(days=3)
    assert all(begin < end for begin, end in itertools.pairwise(found))


def test_instants_are_exact() -> None:
    at = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)
    assert from_instant(to_instant(at)) == at


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "/etc/passwd", "../UTC", "localtime", "posixrules", "right/UTC"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="bad time zone"):
        find_zone(name)
