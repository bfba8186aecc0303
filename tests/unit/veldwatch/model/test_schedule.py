"""When people are told: hours of local time, over midnight and where clocks change."""

from datetime import UTC, datetime

import pytest

from veldwatch.errors import RuleInvalid
from veldwatch.model.schedule import opens_at
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id
from veldwatch.wire.schedule import read_schedule, write_schedule

OFFICE = {"time_zone": "Africa/Lusaka", "hours": [{"days": ["mon", "fri"], "from": "07:00", "to": "17:00"}]}
NIGHT = {"time_zone": "Africa/Lusaka", "hours": [{"days": ["fri"], "from": "22:00", "to": "06:00"}]}
ALWAYS = {"time_zone": "UTC", "hours": [{"from": "00:00", "to": "00:00"}]}
# Clocks went forward at 01:00 UTC on Sunday, 29 March 2026.
GAP = {"time_zone": "Europe/Berlin", "hours": [{"days": ["sun"], "from": "02:30", "to": "04:00"}]}


@pytest.mark.parametrize(
    ("document", "now", "opens"),
    [
        (OFFICE, "2026-11-23T05:00", None),  # Monday, 07:00 in Lusaka
        (OFFICE, "2026-11-23T04:59", "2026-11-23T05:00"),
        (OFFICE, "2026-11-23T15:00", "2026-11-27T05:00"),
        (OFFICE, "2026-11-28T12:00", "2026-11-30T05:00"),
        (NIGHT, "2026-11-28T03:59", None),  # Saturday morning is Friday's night
        (NIGHT, "2026-11-28T04:00", "2026-12-04T20:00"),
        (ALWAYS, "2026-11-28T00:00", None),
        (GAP, "2026-03-29T01:45", None),
        (GAP, "2026-03-29T02:00", "2026-04-05T00:30"),
    ],
)
def test_it_tells_when_people_may_be_told_next(document: object, now: str, opens: str | None) -> None:
    found = opens_at(read_schedule(DocumentPart(document)), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (None if opens is None else datetime.fromisoformat(opens).replace(tzinfo=UTC))


def test_it_is_written_as_it_was_read_and_is_no_part_of_the_version() -> None:
    rule = {"id": "r", "title": "R", "severity": "minor", "condition": {"kind": "absence", "silent_for": "1h"}}
    scheduled = parse_rule({**rule, "schedule": OFFICE, "reason": "Why", "source": "Where"})
    document = rule_to_document(scheduled)
    assert (document["schedule"], document["reason"], document["source"]) == (OFFICE, "Why", "Where")
    assert write_schedule(read_schedule(DocumentPart(document["schedule"]))) == OFFICE
    assert version_id(scheduled) == version_id(parse_rule(rule))


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"time_zone": "Mars/Olympus", "hours": []}, "expected a name like Africa/Nairobi"),
        ({"time_zone": "UTC"}, "missing hours"),
        ({"time_zone": "UTC", "hours": [{"from": "7:00", "to": "17:00"}]}, "expected a time of day such as"),
        ({"time_zone": "UTC", "hours": [{"from": "07:00", "to": "24:00"}]}, "expected a time of day such as"),
        ({"time_zone": "UTC", "hours": [{"days": ["Monday"], "from": "07:00", "to": "17:00"}]}, "expected some of mon"),
    ],
)
def test_one_that_is_wrong_is_refused(document: object, complaint: str) -> None:
    with pytest.raises(RuleInvalid, match=complaint):
        read_schedule(DocumentPart(document))
