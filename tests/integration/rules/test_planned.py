"""Load shedding that is known beforehand, or becomes known late: what a calendar explains."""

from datetime import UTC, datetime

import pytest

from tests.integration.rules.town import MINUTE, NOON, Town, power_cut
from veldwatch.model.explanation import DEFAULT_PATIENCE
from veldwatch.storage.calendars import CalendarImport, ImportReport, import_calendar
from veldwatch.storage.interruptions import Place
from veldwatch.wire.calendar_file import read_calendar

SHEDDING = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
BEGIN:VEVENT
UID:stage-2
SEQUENCE:{sequence}
DTSTAMP:20261101T000000Z
SUMMARY:Stage 2
LOCATION:north
DTSTART:20261122T{begins}00Z
DTEND:20261122T{ends}00Z
RRULE:FREQ=DAILY
END:VEVENT
END:VCALENDAR
"""


def shed(town: Town, begins: str, ends: str, now: datetime, sequence: int = 0, **more: bool) -> ImportReport:
    return take_in(town, SHEDDING.format(begins=begins, ends=ends, sequence=sequence), now, **more)


def take_in(town: Town, text: str, now: datetime, **more: bool) -> ImportReport:
    asked = CalendarImport(
        organisation="town",
        slug="shedding",
        kind="load_shedding",
        file=read_calendar(text),
        place=Place(),
        zone=UTC,
        **more,
    )
    return import_calendar(town.connection, asked, author="Ada", scope=None, now=now, patience=DEFAULT_PATIENCE)


def planned(town: Town) -> set[str]:
    """Give the devices whose alerts a planned interruption explains."""
    rows = town.connection.execute(
        b"SELECT d.external_id FROM alert a JOIN device d ON d.id = a.device_id"
        b" WHERE a.explained_by_interruption IS NOT NULL AND a.state <> 'retracted'"
    ).fetchall()
    town.connection.commit()
    return {row[0] for row in rows}


def test_load_shedding_that_is_known_beforehand_tells_nobody_but_of_what_is_outside_or_no_silence(town: Town) -> None:
    power_cut(town)
    report = shed(town, "1200", "1400", NOON - 60 * MINUTE)
    assert (report.events, report.skipped) == (1, [])
    assert report.changed > 390
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    for minute in (0, 12, 30, 119):
        town.pass_until(NOON + minute * MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + 119 * MINUTE, 5000.0)])
    town.pass_until(NOON + 119 * MINUTE)
    assert planned(town) == {"feeder"}
    assert town.explained() == {"n1": "feeder", "n2": "feeder", "n3": "feeder", "s1": None}
    assert sorted(town.subjects) == ["[CRITICAL] Burst: main", "[MINOR] Meter silent: s1"]
    town.feed.readings("line_voltage", [("feeder", NOON + 121 * MINUTE, 11000.0)])
    town.feed.contacts([(name, NOON + 122 * MINUTE) for name in ("n1", "n2")])
    town.pass_until(NOON + 125 * MINUTE)
    town.pass_until(NOON + 142 * MINUTE)
    assert town.subjects[2:] == ["[MINOR] Still: Meter silent: n3"]


def test_a_calendar_that_comes_late_explains_what_was_recorded_and_one_that_is_withdrawn_does_not(town: Town) -> None:
    power_cut(town)
    town.engineer.settle(NOON + 15 * MINUTE)
    report = shed(town, "1200", "1400", NOON + 15 * MINUTE)
    assert report.explained == 3
    assert planned(town) == {"n1", "n2", "n3"}
    assert shed(town, "1200", "1400", NOON + 15 * MINUTE).changed == 0, "the same file changes nothing"
    assert shed(town, "1500", "1700", NOON + 15 * MINUTE, sequence=1).explained == 3
    assert planned(town) == set()
    assert shed(town, "1200", "1400", NOON + 15 * MINUTE).older == 1
    assert planned(town) == set()


CANCELLATION = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//tests//EN
METHOD:CANCEL
BEGIN:VEVENT
UID:stage-2
SEQUENCE:1
DTSTAMP:20261101T010000Z
{said}END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize(
    "said", ["", "DTSTART:20261122T120000Z\n", "DTSTART:20261122T120000Z\nLOCATION:north\n", "LOCATION:elsewhere\n"]
)
def test_a_cancellation_that_says_neither_when_nor_where_calls_off_what_is_known(town: Town, said: str) -> None:
    power_cut(town)
    town.engineer.settle(NOON + 15 * MINUTE)
    shed(town, "1200", "1400", NOON + 15 * MINUTE)
    assert planned(town) == {"n1", "n2", "n3"}
    report = take_in(town, CANCELLATION.format(said=said), NOON + 16 * MINUTE)
    assert (report.skipped, report.explained) == ([], 3)
    assert report.cancelled > 390
    assert planned(town) == set()
    again = take_in(town, CANCELLATION.format(said=said), NOON + 16 * MINUTE)
    assert (again.cancelled, again.skipped) == (0, [])
    assert shed(town, "1200", "1400", NOON + 16 * MINUTE, sequence=2).changed > 390
    assert planned(town) == {"n1", "n2", "n3"}


def test_a_cancellation_of_one_day_calls_off_that_day(town: Town) -> None:
    power_cut(town)
    town.engineer.settle(NOON + 15 * MINUTE)
    shed(town, "1200", "1400", NOON + 15 * MINUTE)
    report = take_in(town, CANCELLATION.format(said="RECURRENCE-ID:20261122T120000Z\n"), NOON + 16 * MINUTE)
    assert (report.skipped, report.cancelled, report.explained) == ([], 1, 3)
    assert planned(town) == set()


def test_a_cancellation_that_comes_before_what_it_calls_off_holds(town: Town) -> None:
    power_cut(town)
    town.engineer.settle(NOON + 15 * MINUTE)
    report = take_in(town, CANCELLATION.format(said=""), NOON + 15 * MINUTE)
    assert (report.events, report.skipped) == (1, [])
    assert shed(town, "1200", "1400", NOON + 15 * MINUTE).older == 1
    assert planned(town) == set()
