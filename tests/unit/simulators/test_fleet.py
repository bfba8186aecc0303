import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from simulators.fleet import Message, Name, build_fleet
from simulators.scenario import load_scenario
from veldwatch.wire.veldwatch_json import decode

DEMO = load_scenario("demo")
NOON = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
METER, COLLAR = Name("demo-water", "wm-1001"), Name("demo-wildlife", "collar-01")


def told(seed: int, *moments: datetime) -> list[Message]:
    fleet = build_fleet(DEMO, seed)
    return [message for until in moments for message in fleet.messages(moments[0] - timedelta(hours=2), until)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert told(3, NOON) == told(3, NOON)


def test_another_seed_gives_others() -> None:
    assert told(3, NOON) != told(4, NOON)


def test_live_bytes_do_not_depend_on_how_often_one_looks() -> None:
    minutes = [NOON + timedelta(seconds=seconds) for seconds in (0, 60, 61, 62, 180)]
    assert told(1, *minutes) == told(1, NOON, minutes[-1])


def test_messages_come_in_the_order_of_what_they_tell() -> None:
    moments = [message.observed_at for message in told(1, NOON)]
    assert moments == sorted(moments)


def test_every_message_is_decoded_without_a_complaint() -> None:
    for message in told(1, NOON):
        decoded = decode(message.topic, message.payload, message.observed_at)
        assert not decoded.rejections
        assert decoded.readings or decoded.positions or decoded.heard


def test_every_metric_and_unit_is_what_the_profile_says() -> None:
    units = {
        (device.id, metric.metric): metric.unit
        for device in DEMO.devices
        for profile in DEMO.profiles
        if profile.slug == device.profile
        for metric in profile.metrics
    }
    seen = {
        (reading.device, reading.metric): reading.unit
        for message in told(1, NOON)
        for reading in decode(message.topic, message.payload, message.observed_at).readings
    }
    assert seen == units


def test_counters_never_fall_through_faults_and_restarts() -> None:
    fleet = build_fleet(DEMO, 1)
    messages = [*fleet.messages(NOON - timedelta(hours=1), NOON)]
    fleet.begin_fault(METER, "leak", {})
    messages += fleet.messages(NOON, NOON + timedelta(minutes=5))
    restarted = build_fleet(DEMO, 1)
    restarted.restore(json.loads(json.dumps(fleet.state())))
    messages += restarted.messages(NOON, NOON + timedelta(minutes=30))
    restarted.end_fault(METER, "leak")
    messages += restarted.messages(NOON, NOON + timedelta(minutes=40))
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for message in messages:
        for reading in decode(message.topic, message.payload, message.observed_at).readings:
            values[reading.device, reading.metric].append(reading.value)
    for (_, metric), series in values.items():
        if metric in ("volume", "energy", "rain"):
            assert series == sorted(series)


def test_a_restart_tells_nothing_twice_and_goes_on_with_the_same_bytes() -> None:
    steady = build_fleet(DEMO, 1)
    list(steady.messages(NOON - timedelta(hours=1), NOON))
    restarted = build_fleet(DEMO, 1)
    restarted.restore(json.loads(json.dumps(steady.state())))
    later = NOON + timedelta(minutes=3)
    assert [*restarted.messages(NOON, later)] == [*steady.messages(NOON, later)]


def test_a_fault_changes_one_device_alone() -> None:
    clean, faulty = build_fleet(DEMO, 1), build_fleet(DEMO, 1)
    faulty.begin_fault(COLLAR, "fence_crossing", {})
    faulty.begin_fault(METER, "leak", {})
    until = NOON + timedelta(minutes=5)
    pairs = zip(clean.messages(NOON, until), faulty.messages(NOON, until), strict=True)
    changed = {one.topic.split("/")[3] for one, other in pairs if one != other}
    assert changed == {"wm-1001", "collar-01"}


def test_a_device_without_state_goes_on_from_what_is_stored() -> None:
    fleet = build_fleet(DEMO, 1)
    fleet.resume(METER, NOON, {"volume": 5000.0, "flow_rate": 3.0})
    first = next(
        decode(message.topic, message.payload, message.observed_at).readings[0]
        for message in fleet.messages(NOON - timedelta(hours=1), NOON + timedelta(minutes=1))
        if "/wm-1001/" in message.topic
    )
    assert first.observed_at > NOON
    assert 5000.0 <= first.value < 5000.1


def test_what_suits_a_device_is_known() -> None:
    fleet = build_fleet(DEMO, 1)
    assert set(fleet.faults_of(METER)) == {"leak", "outage"}
    assert set(fleet.faults_of(COLLAR)) == {"immobility", "fence_crossing", "outage"}
    assert fleet.faults_of(Name("demo-water", "unknown")) == {}
