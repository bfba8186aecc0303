"""OwnTracks: every type of message."""

from datetime import UTC, datetime

import msgspec
import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.owntracks import decode

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PLACE: dict[str, object] = {"tst": 1772366400, "lat": -24.9, "lon": 31.5}
TIME = datetime(2026, 3, 1, 12, tzinfo=UTC)


def message(kind: str, **fields: object) -> Decoded:
    return decode("owntracks/ranger/phone", msgspec.json.encode({"_type": kind} | fields), NOW)


def test_a_location_is_a_fix_and_readings() -> None:
    found = message("location", **PLACE, tid="5t", batt=46, vel=36, acc=15, alt=440, cog=270, t="u", conn="w", vac=2)
    (position,) = found.positions
    assert (position.device, position.observed_at, position.longitude, position.latitude) == ("5t", TIME, 31.5, -24.9)
    assert (position.altitude, position.accuracy, position.speed, position.heading) == (440, 15, 10, 270)
    units = {r.metric: (r.value, r.unit) for r in found.readings}
    assert units["batt"] == (46, "%")
    assert units["vel"] == (36, "km/h")
    assert not {"lat", "lon", "tst"} & units.keys()


def test_the_first_apps_sent_text() -> None:
    found = message("location", tst="1772366400", lat="-24.9", lon="31.5", acc="10", batt="86", SSID="12345")
    assert found.positions[0].longitude == 31.5
    assert {r.metric for r in found.readings} == {"acc", "batt"}


@pytest.mark.parametrize("topic", ["owntracks/ranger/phone", "owntracks/ranger/phone/event"])
def test_without_a_tracker_id_the_topic_names_the_device(topic: str) -> None:
    payload = msgspec.json.encode({"_type": "location"} | PLACE)
    assert decode(topic, payload, NOW).positions[0].device == "phone"


def test_a_transition_is_an_event_at_a_place() -> None:
    found = message("transition", **PLACE, tid="JJ", event="enter", desc="Gate", wtst=1700000000, acc=5)
    assert found.events[0].kind == "transition"
    assert '"event":"enter"' in found.events[0].attributes
    assert found.positions[0].accuracy == 5


def test_a_waypoint_is_no_fix() -> None:
    found = message("waypoint", **PLACE, desc="Camp", rad=50)
    assert (len(found.events), found.positions) == (1, ())
    listed = message("waypoints", waypoints=[{"_type": "waypoint", **PLACE, "desc": "a"}, {"desc": "no time"}, 7])
    assert len(listed.events) == 1
    assert [r.reason for r in listed.rejections] == [Reason.MISSING_TIME, Reason.MALFORMED_PAYLOAD]


def test_a_last_will_is_offline() -> None:
    found = message("lwt", tst=1772366400)
    assert (found.online, found.events[0].kind, found.events[0].observed_at) == (False, "lwt", NOW)


def test_steps_are_readings() -> None:
    found = message("steps", tst=1772366400, steps=1234, **{"from": 1772360000, "to": 1772366400})
    assert [(r.metric, r.value) for r in found.readings] == [("steps", 1234)]


@pytest.mark.parametrize("kind", ["card", "status"])
def test_a_card_proves_life_only(kind: str) -> None:
    assert message(kind, name="Jane", tid="JJ") == Decoded(None, heard=("JJ",))


def test_a_receiver_without_a_fix_still_tells_its_battery() -> None:
    found = message("location", tst=1772366400, lat=0, lon=0, batt=40)
    assert ([r.metric for r in found.readings], found.positions) == (["batt"], ())
    assert [r.reason for r in found.rejections] == [Reason.BAD_POSITION]


@pytest.mark.parametrize("kind", ["encrypted", "cmd", "configuration", "", 5, None])
def test_what_cannot_be_read_is_refused(kind: object) -> None:
    with pytest.raises(MessageRejected) as caught:
        decode("owntracks/a/b", msgspec.json.encode({"_type": kind, "data": "x"}), NOW)
    assert caught.value.reason is Reason.UNKNOWN_MESSAGE_TYPE


def test_a_location_without_a_time_is_refused() -> None:
    with pytest.raises(MessageRejected) as caught:
        message("location", lat=1, lon=2)
    assert caught.value.reason is Reason.MISSING_TIME
