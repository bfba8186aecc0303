"""Numbers in place of a value, and honest values that look like them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.model.telemetry import LARGEST_VALUE, Quality
from veldwatch.wire.sentinels import doubt


@pytest.mark.parametrize(
    ("metric", "unit", "value"),
    [
        ("DS18B20.Temperature", "Cel", 85.0),
        ("DS18B20-2.Temperature", "Cel", -127.0),
        ("DS18B20.Temperature", "[degF]", 185.0),
        ("TempC_DS18B20", None, 85.0),
        ("soil.temperature", None, 327.67),
        ("temperature", "Cel", -327.68),
        ("temperature", "Cel", -300.0),
        ("air_temp", None, -9999.0),
        ("humidity", "%RH", 655.35),
        ("rh", None, 255.0),
        ("battery", "%", 255.0),
        ("batteryLevel", "%", -1.0),
        ("battery_level", "%", 101.0),
        ("distance", "mm", 65535.0),
        ("depth_cm", "cm", 6553.5),
        ("soil_moisture", "%", 3276.7),
        ("co2", "[ppm]", 65535.0),
        ("illuminance", "lx", -1.0),
        ("voltage", "V", 6553.5),
        ("pressure", "hPa", -3276.8),
    ],
)
def test_a_sentinel_is_doubted(metric: str, unit: str | None, value: float) -> None:
    assert doubt(metric, unit, value) == Quality.IMPLAUSIBLE


@pytest.mark.parametrize(
    ("metric", "unit", "value"),
    [
        ("humidity", "%RH", 85.0),
        ("boiler_temperature", "Cel", 85.0),
        ("BME280.Temperature", "Cel", 85.0),
        ("DS18B20.Temperature", "Cel", 84.9),
        ("temperature", "Cel", -1.0),
        ("temperature", "[degF]", -1.0),
        ("total_m3", "m3", 65535.0),
        ("waterConsumption", "L", 65535.0),
        ("Consumption", None, 65535.0),
        ("current_volume_m3", None, 6553.5),
        ("current_consumption_hca", "HCA", 127.0),
        ("flow_rate", "L/h", -1.0),
        ("power", "W", -1.0),
        ("current", "A", -1.0),
        ("rssi", "dBm", -127.0),
        ("pf", "1", -1.0),
        ("battery_voltage", "mV", 2995.0),
        ("battery_temperature", "Cel", 101.0),
        ("id", None, 65535.0),
    ],
)
def test_an_honest_value_is_not(metric: str, unit: str | None, value: float) -> None:
    assert doubt(metric, unit, value) == 0


@given(
    st.text(max_size=40), st.none() | st.sampled_from(["Cel", "%", "V", "m"]), st.floats(-LARGEST_VALUE, LARGEST_VALUE)
)
def test_any_name_can_be_asked_about(metric: str, unit: str | None, value: float) -> None:
    assert doubt(metric, unit, value) in {0, Quality.IMPLAUSIBLE}
