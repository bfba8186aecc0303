"""SenseCAP's measurements, behind either network server."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.unit.veldwatch.wire.golden import RECEIVED_AT
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.sources import find_decoder

EUI = "2cf7f1c0443003a1"
EARLIER = 1_790_000_000_000


def _chirpstack(content: dict[str, object]) -> Decoded:
    said = {"deviceInfo": {"devEui": EUI}, "time": RECEIVED_AT.isoformat(), "object": content}
    return find_decoder("chirpstack", {})(
        f"application/1/device/{EUI}/event/up", json.dumps(said).encode(), RECEIVED_AT
    )


def _things_stack(content: dict[str, object]) -> Decoded:
    uplink = {"received_at": RECEIVED_AT.isoformat(), "decoded_payload": content}
    said = {"end_device_ids": {"device_id": EUI}, "uplink_message": uplink}
    return find_decoder("things_stack", {})(f"v3/a@ttn/devices/{EUI}/up", json.dumps(said).encode(), RECEIVED_AT)


@pytest.mark.parametrize("decode", [_chirpstack, _things_stack])
def test_a_sensor_tells_what_it_measures_by_a_number(decode: Callable[[dict[str, object]], Decoded]) -> None:
    found = decode(
        {
            "err": 0,
            "payload": "010610",
            "valid": True,
            "messages": [
                {"type": "upload_battery", "battery": 92},
                {"type": "report_telemetry", "measurementId": 4103, "measurementValue": 31.5},
                {"type": "report_telemetry", "measurementId": 4102, "measurementValue": "18.2"},
                {"type": "report_telemetry", "measurementId": 4999, "measurementValue": 7},
                {"type": "upload_version", "hardwareVersion": "1.2", "softwareVersion": "2.0"},
            ],
        }
    )
    assert [(r.metric, r.value, r.unit) for r in found.readings] == [
        ("battery", 92, None),
        ("soil_moisture", 31.5, "%"),
        ("soil_temperature", 18.2, "Cel"),
        ("measurement_4999", 7, None),
        ("err", 0, None),
        ("valid", 1, None),
    ]
    assert found.rejections == ()


def test_a_measurement_keeps_its_name_wherever_it_stands_in_the_list() -> None:
    moisture = {"type": "report_telemetry", "measurementId": "4103", "measurementValue": 31.5}
    other = {"type": "report_telemetry", "measurementId": "4102", "measurementValue": 18}
    first, second = _chirpstack({"messages": [moisture]}), _chirpstack({"messages": [other, moisture]})
    assert first.readings[0] == second.readings[1]


def test_a_tracker_sends_later_where_it_was_and_what_happened() -> None:
    def said(identity: str, word: str, value: object) -> dict[str, object]:
        common = {"timestamp": EARLIER, "motionId": 3}
        return {"measurementId": identity, "type": word, "measurementValue": value} | common

    found = _things_stack(
        {
            "valid": True,
            "messages": [
                [
                    said("4200", "Event Status", [{"id": 7, "eventName": "SOS event."}]),
                    said("4197", "Longitude", 36.8172),
                    said("4198", "Latitude", -1.2864),
                    said("4097", "Air Temperature", "24.5"),
                    said("4199", "Light", None),
                    said("3000", "Battery", 81),
                ],
                [{"measurementId": "3940", "type": "Work Mode", "measurementValue": 1}],
            ],
        }
    )
    then = datetime.fromtimestamp(EARLIER / 1000, UTC)
    assert [(p.observed_at, p.longitude, p.latitude) for p in found.positions] == [(then, 36.8172, -1.2864)]
    assert [(e.observed_at, e.kind) for e in found.events] == [(then, "sos_event")]
    assert [(r.metric, r.value, r.unit, r.observed_at == then) for r in found.readings] == [
        ("air_temperature", 24.5, "Cel", True),
        ("battery", 81, "%", True),
        ("work_mode", 1, None, False),
        ("valid", 1, None, False),
    ]


def test_a_fix_of_which_a_half_is_missing_is_none() -> None:
    found = _chirpstack({"messages": [{"measurementId": "4197", "type": "Longitude", "measurementValue": 36.8}]})
    assert (found.positions, found.readings, found.rejections) == ((), (), ())


def test_a_measurement_at_no_time_that_can_be_costs_only_itself() -> None:
    bad = {"measurementId": "4097", "measurementValue": 21, "timestamp": "yesterday"}
    good = {"measurementId": "4098", "measurementValue": 40}
    found = _chirpstack({"messages": [bad, good]})
    assert [r.metric for r in found.readings] == ["air_humidity"]
    assert [r.reason for r in found.rejections] == [Reason.BAD_TIME]


def test_messages_of_other_codecs_are_values_as_any() -> None:
    found = _chirpstack({"messages": [{"temperature": 21}], "x": 1})
    assert [r.metric for r in found.readings] == ["messages.0.temperature", "x"]
