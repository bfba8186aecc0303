"""Units: which are known, and what converts into what."""

import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.units import canonical, conversion, is_known, spoken


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "converted"),
    [
        (1000.0, "L", "m3", 1.0),
        (2.5, "m3/h", "L/h", 2500.0),
        (100.0, "Cel", "K", 373.15),
        (1.0, "kWh", "MJ", 3.6),
        (36.0, "km/h", "m/s", 10.0),
        (1.0, "bar", "kPa", 100.0),
        (1.0, "uS/cm", "S/m", 0.0001),
        (50.0, "%", "1", 0.5),
        (7.0, "%RH", "%RH", 7.0),
        (1.0, "kW.h", "kWh", 1.0),
        (3.0, "{count}", "1", 3.0),
    ],
)
def test_a_value_is_converted_within_a_dimension(value: float, unit: str, wanted: str, converted: float) -> None:
    assert conversion(unit, wanted).apply(value) == converted


@pytest.mark.parametrize(
    ("unit", "wanted"), [("L", "kWh"), ("HCA", "1"), ("kvarh", "kWh"), ("bananas", "m3"), ("dBm", "W")]
)
def test_another_dimension_is_a_mismatch(unit: str, wanted: str) -> None:
    with pytest.raises(MessageRejected) as caught:
        conversion(unit, wanted)
    assert caught.value.reason is Reason.UNIT_MISMATCH


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("°C", "Cel"),
        ("m³/h", "m3/h"),
        ("µS⋅cm⁻¹", "uS/cm"),
        ("mS·cm⁻¹", "mS/cm"),
        ("µmol⋅m⁻²⋅s⁻¹", "umol/m2/s"),
        ("µg⋅m⁻³", "ug/m3"),
        ("μSv/h", "uSv/h"),
        ("m³/s", "m3/s"),
        ("l⋅min⁻¹", "L/min"),
        ("mg/m³", "mg/m3"),
        ("kΩ", "kOhm"),
        ("°/s", "deg/s"),
        ("mmHg", "mm[Hg]"),
        ("l", "L"),
        ("kWh", "kWh"),
        ("kVArh", "kvarh"),
        ("KW", "kW"),
        ("%RH", "%RH"),
        (" V ", "V"),
    ],
)
def test_units_as_people_write_them_are_read(written: str, code: str) -> None:
    assert canonical(written) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("C", "Cel"),
        ("F", "[degF]"),
        ("°C", "Cel"),
        ("kph", "km/h"),
        ("mph", "[mi_i]/h"),
        ("knots", "[kn_i]"),
        ("V", "V"),
    ],
)
def test_beside_a_value_of_others_a_c_is_no_coulomb(written: str, code: str) -> None:
    assert spoken(written) == code
    assert is_known(code)


@pytest.mark.parametrize(
    "text", ["", "bananas", "²", "µ", "⋅", "🍌³", "/", "m//s", "a" * 100, "1;DROP", "((((", "m[", "\0"]
)
def test_what_is_no_unit_is_unknown(text: str) -> None:
    assert canonical(text) is None
    assert not is_known(text)
