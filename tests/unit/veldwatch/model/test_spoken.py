"""Units, durations and metrics as people read them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.model.spoken import (
    duration_text,
    limit_text,
    metric_text,
    number_text,
    quantity_text,
    unit_text,
)


@pytest.mark.parametrize(
    ("code", "text"), [("m3/h", "m³/h"), ("Cel", "°C"), ("1", ""), ("bar", "bar"), ("{pulses}", "pulses"), ("", "")]
)
def test_a_unit_is_written_as_people_do(code: str, text: str) -> None:
    assert unit_text(code) == text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [(21.3, "m3/h", "21.3 m³/h"), (0.1 + 0.2, "bar", "0.3 bar"), (3, "{count}", "3"), (-4.0, "Cel", "-4 °C")],
)
def test_a_quantity_has_its_unit(value: float, code: str, text: str) -> None:
    assert quantity_text(value, code) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (748.8054 - 748.8, "0.0054"),
        (0.000012345678, "0.0000123457"),
        (-12.3456789, "-12.3457"),
        (999.99999, "1000"),
        (1234.5678, "1234.57"),
        (100000.4, "100000.4"),
        (1234567.8, "1234567.8"),
        (-1234567890, "-1234567890"),
        (999_999_999_999_999.0, "999999999999999"),
        (1e15, "1e+15"),
        (1.2345678e-12, "1.23457e-12"),
        (1.005, "1.005"),
        (1000.005, "1000.01"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_has_six_digits_that_count_and_all_whole_ones(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (100000.4, 100000, "100000.4"),
        (100000.0004, 100000, "100000.0004"),
        (99999.9999, 100000, "99999.9999"),
        (549.9999, 550, "549.9999"),
        (550.0, 550, "550"),
        (0.1234562, 0.1234561, "0.1234562"),
        (21.3456789, 20, "21.3457"),
    ],
)
def test_a_value_is_told_on_its_side_of_the_limit(value: float, limit: float, text: str) -> None:
    assert number_text(value, [limit]) == text


@given(st.floats(-1e14, 1e14), st.floats(-1e14, 1e14))
def test_what_is_written_of_value_and_limit_compares_as_they_do(value: float, limit: float) -> None:
    said, beside = float(number_text(value, [limit])), float(limit_text(limit))
    assert beside == limit or abs(limit) < 1e-9
    assert abs(value) < 1e-9 or (said > beside, said < beside) == (value > beside, value < beside)
    assert "e" not in number_text(value, [limit]) or abs(value) < 1e-9


@pytest.mark.parametrize(
    ("limit", "text"), [(0.3333333, "0.3333333"), (-0.0, "0"), (1234567.8, "1234567.8"), (50, "50"), (1e-5, "0.00001")]
)
def test_a_limit_keeps_every_digit_that_was_entered(limit: float, text: str) -> None:
    assert limit_text(limit) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=90), "90 s"),
        (timedelta(minutes=15), "15 min"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(hours=24), "24 h"),
        (timedelta(hours=48), "48 h"),
        (timedelta(days=7), "7 days"),
        (timedelta(days=2, hours=3), "2 days 3 h"),
        (timedelta(seconds=125), "2 min 5 s"),
    ],
)
def test_a_duration_leaves_nothing_over(duration: timedelta, text: str) -> None:
    assert duration_text(duration) == text


def test_a_metric_reads_as_words() -> None:
    assert metric_text("line_voltage") == "line voltage"
