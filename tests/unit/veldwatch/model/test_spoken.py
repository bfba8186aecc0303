"""Units, durations and metrics as people read them."""

from datetime import timedelta

import pytest

from veldwatch.model.spoken import duration_text, metric_text, quantity_text, unit_text


@pytest.mark.parametrize(
    ("code", "text"), [("m3/h", "m³/h"), ("Cel", "°C"), ("1", ""), ("bar", "bar"), ("{pulses}", "pulses"), ("", "")]
)
def test_a_unit_is_written_as_people_do(code: str, text: str) -> None:
    assert unit_text(code) == text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [(21.3, "m3/h", "21.3 m³/h"), (0.1 + 0.2, "bar", "0.3 bar"), (3, "{count}", "3"), (-4.0, "Cel", "-4 °C")],
)
def test_a_quantity_has_six_digits_at_most(value: float, code: str, text: str) -> None:
    assert quantity_text(value, code) == text


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
