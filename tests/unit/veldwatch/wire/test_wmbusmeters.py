"""wmbusmeters: units by field name, text that is no reading, statuses."""

from datetime import UTC, datetime

import msgspec
import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Quality
from veldwatch.wire.wmbusmeters import decode, unit_of

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TELEGRAM: dict[str, object] = {
    "_": "telegram", "media": "water", "meter": "iperl", "name": "Cellar", "id": "00112233",
    "total_m3": 7.5, "device_datetime": "2019-03-20 12:57", "set_date": "2018-12-31",
    "status": "OK", "timestamp": "2026-03-01T12:00:00Z",
}  # fmt: skip


def telegram(**fields: object) -> Decoded:
    return decode("wmbusmeters/Cellar", msgspec.json.encode(TELEGRAM | fields), NOW)


@pytest.mark.parametrize(
    ("field", "unit"),
    [
        ("total_m3", "m3"), ("max_flow_m3h", "m3/h"), ("flow_lh", "L/h"), ("total_energy_consumption_kwh", "kWh"),
        ("reactive_kvarh", "kvarh"), ("flow_temperature_c", "Cel"), ("external_temperature_f", "[degF]"),
        ("voltage_at_phase_1_v", "V"), ("current_a", "A"), ("frequency_hz", "Hz"), ("pressure_bar", "bar"),
        ("battery_y", "a"), ("remaining_month", "mo"), ("operating_time_h", "h"), ("uptime_s", "s"),
        ("wait_min", "min"),
        ("humidity_rh", "%RH"), ("current_consumption_hca", "HCA"), ("a_counter", "1"), ("rssi_dbm", "dBm"),
        ("forward_energy_m3c", "m3.Cel"), ("power_m3ch", "m3.Cel/h"), ("angle_deg", "deg"), ("energy_gj", "GJ"),
    ],
)  # fmt: skip
def test_the_names_last_part_is_the_unit(field: str, unit: str) -> None:
    assert unit_of(field) == unit


def test_numbers_are_readings_and_text_is_not() -> None:
    found = telegram(serial=123, note="7.5", none=None, flag=True)
    assert {(r.metric, r.value, r.unit) for r in found.readings} == {("total_m3", 7.5, "m3"), ("serial", 123.0, None)}
    assert found.events == ()


def test_a_status_that_is_not_ok_is_an_event() -> None:
    (event,) = telegram(status="PERMANENT_ERROR", current_status="DRY").events
    assert (event.kind, event.device) == ("status", "00112233")
    assert '"current_status":"DRY"' in event.attributes


def test_without_a_time_arrival_stands_for_it() -> None:
    document = {name: value for name, value in TELEGRAM.items() if name != "timestamp"}
    (reading,) = decode("x", msgspec.json.encode(document), NOW).readings
    assert (reading.observed_at, reading.quality) == (NOW, Quality.TIME_OF_ARRIVAL)


def test_the_clock_of_an_old_recording_is_refused() -> None:
    with pytest.raises(MessageRejected) as caught:
        telegram(timestamp="1111-11-11T11:11:11Z")
    assert caught.value.reason is Reason.BAD_TIME


@pytest.mark.parametrize("payload", [b"[]", b"{}", b'{"temperature":1}', b'{"meter":"x","id":""}', b'{"meter":"x"}'])
def test_what_is_no_telegram_is_refused(payload: bytes) -> None:
    with pytest.raises(MessageRejected):
        decode("wmbusmeters/x", payload, NOW)


def test_a_value_that_cannot_be_costs_only_itself() -> None:
    found = telegram(broken_m3=10**300)
    assert [r.metric for r in found.readings] == ["total_m3"]
    assert [r.reason for r in found.rejections] == [Reason.BAD_VALUE]
