"""Values in pictures are written as Grafana writes them."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.pictures import written

NOW = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "unit", "decimals", "text"),
    [
        (None, "bytes", None, ""),
        (12.345, "suffix: m³/h", 1, "12.3 m³/h"),
        (0.5, "percentunit", None, "50.0%"),
        (97.0, "percent", 1, "97.0%"),
        (-3.25, "celsius", 1, "−3.2 °C"),
        (-0.001, "none", 1, "0.0"),
        (1536, "bytes", 1, "1.5 KiB"),
        (2500, "kwatth", 1, "2.5 MWh"),
        (1_250_000, "short", 2, "1.25 Mil"),
        (45, "s", 0, "45 s"),
        (5400, "dtdurations", None, "1 hour, 30 minutes"),
        (0, "dtdurations", None, "0 s"),
    ],
)
def test_a_number_has_its_unit(number: float | None, unit: str, decimals: int | None, text: str) -> None:
    assert written.value(number, unit, decimals) == text


def test_a_time_is_written_as_such_or_as_how_long_ago() -> None:
    assert written.moment(NOW, "dateTimeAsIso", NOW) == "2026-02-02 16:30:00"
    assert written.moment(NOW - timedelta(hours=5, minutes=9), "dateTimeFromNow", NOW) == "5 hours ago"
    assert written.moment(NOW, "dateTimeFromNow", NOW) == "just now"
