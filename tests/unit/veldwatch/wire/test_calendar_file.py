from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.calendar_file import call_off, merge, occurrences, read_calendar, write_calendar

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n"
SINCE, UNTIL = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC)
SHEDDING = """\
UID:stage-2
SEQUENCE:1
DTSTAMP:20261101T000000Z
SUMMARY:Stage 2
LOCATION:Beacon line
DTSTART;TZID=Africa/Johannesburg:20261124T100000
DTEND;TZID=Africa/Johannesburg:20261124T123000
RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=6
EXDATE;TZID=Africa/Johannesburg:20261126T100000
"""
MOVED = """\
UID:stage-2
SEQUENCE:2
DTSTAMP:20261102T000000Z
RECURRENCE-ID;TZID=Africa/Johannesburg:20261201T100000
SUMMARY:Stage 4
DTSTART;TZID=Africa/Johannesburg:20261201T140000
DURATION:PT4H
"""
CALLED_OFF = """\
UID:stage-2
SEQUENCE:2
DTSTAMP:20261102T000000Z
RECURRENCE-ID;TZID=Africa/Johannesburg:20261203T100000
STATUS:CANCELLED
DTSTART;TZID=Africa/Johannesburg:20261203T100000
DURATION:PT2H
"""


def calendar(*events: str, method: str = "") -> str:
    inner = "".join(f"BEGIN:VEVENT\r\n{event.replace(chr(10), chr(13) + chr(10))}END:VEVENT\r\n" for event in events)
    return HEAD + (f"METHOD:{method}\r\n" if method else "") + inner + "END:VCALENDAR\r\n"


def begins(content: str) -> list[str]:
    return [
        f"{one.begins_at:%m-%d %H:%M}{' off' if one.cancelled else ''}"
        for one in occurrences(content, SINCE, UNTIL, UTC)
    ]


def test_repetitions_exceptions_and_time_zones_are_followed() -> None:
    (event,) = read_calendar(calendar(SHEDDING, MOVED, CALLED_OFF)).events
    assert (event.uid, event.sequence, event.is_whole, event.cancelled) == ("stage-2", 2, True, False)
    assert "Beacon line" in event.words
    assert begins(event.content) == ["11-24 08:00", "12-01 12:00", "12-03 08:00 off", "12-08 08:00", "12-10 08:00"]
    found = {one.key: one for one in occurrences(event.content, SINCE, UNTIL, UTC)}
    moved = found["2026-12-01T08:00:00+00:00"]
    assert (moved.title, moved.ends_at - moved.begins_at) == ("Stage 4", timedelta(hours=4))


def test_exceptions_that_come_by_themselves_are_put_into_what_is_known() -> None:
    (known,) = read_calendar(calendar(SHEDDING)).events
    (change,) = read_calendar(calendar(MOVED, CALLED_OFF)).events
    assert not change.is_whole
    both = merge(known.content, change.content)
    (whole,) = read_calendar(calendar(SHEDDING, MOVED, CALLED_OFF)).events
    assert begins(both) == begins(whole.content)
    assert begins(merge(both, change.content)) == begins(both)


def test_a_change_of_the_clocks_moves_what_is_planned_in_local_time() -> None:
    (event,) = read_calendar(
        calendar(
            "UID:a\nDTSTAMP:20261001T000000Z\nDTSTART;TZID=Europe/London:20261024T100000\n"
            "DURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\n"
        )
    ).events
    found = occurrences(event.content, datetime(2026, 10, 1, tzinfo=UTC), UNTIL, UTC)
    assert [one.begins_at.hour for one in found] == [9, 10]


def test_times_without_a_zone_and_whole_days_are_of_the_zone_that_was_said() -> None:
    file = read_calendar(
        calendar("UID:a\nDTSTART:20261124T100000\nDURATION:PT1H\n", "UID:b\nDTSTART;VALUE=DATE:20261124\n")
    )
    zone = ZoneInfo("Africa/Johannesburg")
    (floating,), (day,) = (occurrences(event.content, SINCE, UNTIL, zone) for event in file.events)
    assert (floating.key, floating.begins_at) == ("", datetime(2026, 11, 24, 8, tzinfo=UTC))
    assert day.ends_at - day.begins_at == timedelta(days=1)
    assert day.begins_at == datetime(2026, 11, 23, 22, tzinfo=UTC)


def test_a_cancelled_calendar_cancels_its_events() -> None:
    (event,) = read_calendar(calendar("UID:a\nDTSTART:20261124T100000Z\nDURATION:PT1H\n", method="CANCEL")).events
    assert event.cancelled
    assert begins(event.content) == ["11-24 10:00 off"]


# Source: RFC 5546, section 3.2.5: what CANCEL must have of an event.
@pytest.mark.parametrize("method", ["CANCEL", ""])
def test_a_cancellation_need_not_say_when_it_was_to_be(method: str) -> None:
    status = "" if method else "STATUS:CANCELLED\n"
    file = read_calendar(calendar(f"UID:stage-2\nSEQUENCE:3\nDTSTAMP:20261102T000000Z\n{status}", method=method))
    assert file.skipped == []
    assert file.events[0].cancelled
    (known,) = read_calendar(calendar(SHEDDING)).events
    assert begins(call_off(known.content)) == [
        f"{day} 08:00 off" for day in ("11-24", "12-01", "12-03", "12-08", "12-10")
    ]


def test_a_cancellation_of_one_repetition_need_only_name_it() -> None:
    (known,) = read_calendar(calendar(SHEDDING)).events
    one = "UID:stage-2\nSEQUENCE:2\nDTSTAMP:20261102T000000Z\nRECURRENCE-ID;TZID=Africa/Johannesburg:20261203T100000\n"
    (change,) = read_calendar(calendar(one, method="CANCEL")).events
    assert (change.is_whole, change.cancelled) == (False, False)
    assert begins(merge(known.content, change.content)) == [
        "11-24 08:00",
        "12-01 08:00",
        "12-03 08:00 off",
        "12-08 08:00",
        "12-10 08:00",
    ]


def test_events_that_cannot_be_taken_are_named_and_the_others_taken() -> None:
    file = read_calendar(
        calendar(
            "UID:good\nDTSTART:20261124T100000Z\nDURATION:PT1H\n",
            "SUMMARY:nameless\nDTSTART:20261124T100000Z\n",
            "UID:timeless\n",
            "UID:restless\nDTSTART:20261124T100000Z\nRRULE:FREQ=SECONDLY\n",
            "UID:wrong\nDTSTART:soon\n",
        )
    )
    assert [event.uid for event in file.events] == ["good"]
    assert {uid: reason.split()[0] for uid, reason in file.skipped} == {
        "(none)": "no",
        "timeless": "no",
        "restless": "it",
        "wrong": "bad",
    }


def test_places_may_be_named_as_such() -> None:
    (event,) = read_calendar(
        calendar("UID:a\nDTSTART:20261124T100000Z\nX-VELDWATCH-SITES:north\\,south\nCATEGORIES:outage,works\n")
    ).events
    assert event.sites == ("north", "south")
    assert set(event.words) >= {"outage", "works"}


def test_a_schedule_in_json_is_all_that_is_to_come() -> None:
    file = read_calendar(
        '{"events": [{"start": "2026-11-24T10:00:00+02:00", "end": "2026-11-24T12:30:00+02:00", "note": "Stage 2"}],'
        ' "info": {"name": "Beacon Hill (5)"}}'
    )
    assert file.is_complete
    (one,) = occurrences(file.events[0].content, SINCE, UNTIL, UTC)
    assert (one.begins_at, one.title) == (datetime(2026, 11, 24, 8, tzinfo=UTC), "Stage 2")


@pytest.mark.parametrize("text", ["", "hello", "{}", '{"events": [{}]}', '{"events": 3}', "BEGIN:VEVENT\nEND:VEVENT\n"])
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"bad (calendar|schedule)"):
        read_calendar(text)


_TEXT = (
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)


@given(
    _TEXT,
    _TEXT,
    st.integers(1, 360 * 86400).map(lambda seconds: SINCE + timedelta(seconds=seconds)),
    st.integers(1, 1200).map(lambda minutes: timedelta(minutes=minutes)),
)
def test_what_is_written_is_read_again(title: str, reason: str, begins_at: datetime, lasts: timedelta) -> None:
    row = {
        "uid": "a@b",
        "title": title,
        "reason": reason,
        "begins_at": begins_at,
        "ends_at": begins_at + lasts,
        "sites": ["north", "south"],
        "devices": ["m-1"],
    }
    (event,) = read_calendar(write_calendar([row], "x")).events
    assert (event.sites, event.devices) == (("north", "south"), ("m-1",))
    (one,) = occurrences(event.content, SINCE, UNTIL, UTC)
    assert (one.title, one.reason, one.begins_at, one.ends_at) == (title, reason, begins_at, begins_at + lasts)
