"""The load-shedding calendar of a site."""

from datetime import UTC, datetime, timedelta

import pytest

from simulators.moment import from_milliseconds
from simulators.report import Place
from simulators.systems.electricity.load_shedding import load_shedding
from tests.unit.simulators.systems.electricity.town import DAY, MONDAY, site
from veldwatch.errors import ConfigurationInvalid

HOUR = 3_600_000
SLOTS = [
    {"weekday": "monday", "from": "18:00", "lasts": "2h"},
    {"weekday": "thursday", "from": "23:30", "lasts": "2h30m"},
]


def _planned(
    begins_at: int, ends_at: int, utc_offset: int = 0, step: int = 300_000
) -> list[tuple[datetime, timedelta]]:
    faults = load_shedding(site("north", "feeder", None, load_shedding=SLOTS), begins_at, ends_at, utc_offset, step)
    return [(from_milliseconds(each.starts), timedelta(milliseconds=(each.ends or 0) - each.starts)) for each in faults]


def test_each_slot_comes_every_week() -> None:
    found = _planned(MONDAY, MONDAY + 14 * DAY)
    assert sorted(found) == [
        (datetime(2026, 1, 5, 18, tzinfo=UTC), timedelta(hours=2)),
        (datetime(2026, 1, 8, 23, 30, tzinfo=UTC), timedelta(hours=2, minutes=30)),
        (datetime(2026, 1, 12, 18, tzinfo=UTC), timedelta(hours=2)),
        (datetime(2026, 1, 15, 23, 30, tzinfo=UTC), timedelta(hours=2, minutes=30)),
    ]


def test_the_calendar_is_in_local_time() -> None:
    assert (datetime(2026, 1, 5, 16, tzinfo=UTC), timedelta(hours=2)) in _planned(MONDAY, MONDAY + DAY, 2 * HOUR)


def test_a_slot_that_the_run_begins_in_lasts_as_long_as_it_would() -> None:
    assert _planned(MONDAY + 19 * HOUR, MONDAY + DAY) == [(datetime(2026, 1, 5, 19, tzinfo=UTC), timedelta(hours=1))]


def test_slots_are_on_the_grid() -> None:
    assert sorted(_planned(MONDAY, MONDAY + 7 * DAY, step=HOUR))[1] == (
        datetime(2026, 1, 9, tzinfo=UTC),
        timedelta(hours=2),
    )


def test_each_is_a_planned_interruption_of_its_site_with_a_key_of_its_own() -> None:
    faults = list(
        load_shedding(site("north", "transformer", None, load_shedding=SLOTS), MONDAY, MONDAY + 30 * DAY, 0, 1)
    )
    assert {fault.kind for fault in faults} == {"planned_interruption"}
    assert {fault.place for fault in faults} == {Place(organisation="grid", site="north")}
    assert len({fault.key for fault in faults}) == len(faults)


def test_the_same_slot_has_the_same_key_whenever_the_run_begins() -> None:
    keys = [
        {
            fault.key
            for fault in load_shedding(site("n", "feeder", None, load_shedding=SLOTS), begins, MONDAY + 9 * DAY, 0, 1)
        }
        for begins in (MONDAY, MONDAY + 2 * DAY)
    ]
    assert keys[1] < keys[0]


def test_other_sites_have_no_calendar() -> None:
    assert list(load_shedding(site("zone", "zone", None, anything=1), MONDAY, MONDAY + DAY, 0, 1)) == []


@pytest.mark.parametrize("wrong", [{"weekday": "funday"}, {"from": "25:00"}, {"lasts": "long"}])
def test_a_wrong_slot_is_named(wrong: dict[str, str]) -> None:
    bad = site("north", "feeder", None, load_shedding=[{**SLOTS[0], **wrong}])
    with pytest.raises(ConfigurationInvalid, match=rf"site 'north'.*{next(iter(wrong))}"):
        list(load_shedding(bad, MONDAY, MONDAY + DAY, 0, 1))
