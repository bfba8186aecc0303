"""Parts of a message put together."""

from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Quality
from veldwatch.wire.codec_objects import Place
from veldwatch.wire.collected import Collected, read_each, together

WHEN = (datetime(2026, 3, 1, 12, tzinfo=UTC), 0)


def test_a_part_that_is_wrong_costs_only_itself() -> None:
    parts = Collected("d", WHEN)
    parts.reading("good", "1.5", "V")
    parts.reading("text", "open")
    parts.reading("huge", 10**300)
    parts.reading("", 1)
    parts.place(Place(0, 0))
    parts.event("", {})
    found = parts.decoded()
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [("good", 1.5, "V")]
    assert [r.reason for r in found.rejections] == [
        Reason.BAD_VALUE, Reason.MALFORMED_PAYLOAD, Reason.BAD_POSITION, Reason.MALFORMED_PAYLOAD
    ]  # fmt: skip
    assert (found.positions, found.events, found.heard) == ((), (), ("d",))


def test_of_two_values_of_one_metric_at_one_time_the_first_stays() -> None:
    parts = Collected("d", WHEN)
    parts.reading("t", 1)
    parts.reading("t", 2)
    parts.reading("t", 3, when=(WHEN[0] + timedelta(seconds=1), 0))
    assert [r.value for r in parts.decoded().readings] == [1, 3]


def test_a_doubtful_value_keeps_what_else_is_known_of_it() -> None:
    parts = Collected("d", (WHEN[0], int(Quality.TIME_OF_ARRIVAL)))
    parts.reading("DS18B20", -127, "Cel")
    assert parts.decoded().readings[0].quality == Quality.TIME_OF_ARRIVAL | Quality.IMPLAUSIBLE


def test_items_are_read_each_by_itself() -> None:
    def read(item: object) -> Decoded:
        if item == "bad":
            raise MessageRejected(Reason.BAD_TIME, "no")
        return Collected(str(item), WHEN).decoded()

    assert read_each(["a", "bad", "b", "a"], read).heard == ("a", "b")
    assert [r.reason for r in read_each(["a", "bad"], read).rejections] == [Reason.BAD_TIME]
    with pytest.raises(MessageRejected):
        read_each(["bad"], read)


def test_nothing_together_is_nothing() -> None:
    assert together([]) == Decoded(None)


def test_a_place_that_the_receiver_did_not_find_now_is_doubtful() -> None:
    parts = Collected("d", WHEN)
    parts.places({"latitude": -32, "longitude": 116, "fixFailed": True})
    assert [p.quality for p in parts.decoded().positions] == [Quality.IMPLAUSIBLE]


def test_of_two_ways_to_say_a_place_the_outer_one_is_stored() -> None:
    parts = Collected("d", WHEN)
    parts.places({"wifi": {"lat": 3, "lon": 4}, "gps": {"lat": 1, "lon": 2, "inner": {"lat": 5, "lon": 6}}})
    found = parts.decoded()
    assert [(p.latitude, p.longitude) for p in found.positions] == [(3, 4)]
    assert found.rejections == ()


def test_places_of_a_list_whose_times_nothing_tells_are_rejected_together() -> None:
    parts = Collected("d", WHEN)
    parts.places({"lat": 1, "lon": 2, "earlier": [{"lat": 3, "lon": 4}, {"lat": 5, "lon": 6}]})
    found = parts.decoded()
    assert [(p.latitude, p.longitude) for p in found.positions] == [(1, 2)]
    assert [(r.reason, r.detail[:12]) for r in found.rejections] == [(Reason.BAD_POSITION, "2 more place")]
