"""Times as devices write them, in UTC."""

from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality
from veldwatch.wire.mapping.options import Time
from veldwatch.wire.mapping.paths import Here
from veldwatch.wire.mapping.times import compile_time

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def read(option: str | Time, value: object, received_at: datetime = NOW) -> tuple[datetime, int]:
    document = value if isinstance(value, dict) else {"t": value}  # pyright: ignore[reportUnknownVariableType]  # JSON
    return compile_time(option)(Here("t", ["t"], document), received_at)  # pyright: ignore[reportUnknownArgumentType]  # JSON


@pytest.mark.parametrize(
    ("told", "value", "expected"),
    [
        ("$.t", "2026-11-22T09:00:00Z", "2026-11-22T09:00:00"),
        ("$.t", 1795338000, "2026-11-22T09:00:00"),
        ("$.t", "1795338000123", "2026-11-22T09:00:00.123"),
        (Time(path="$.t", format="s"), 1795338000.5, "2026-11-22T09:00:00.5"),
        (Time(path="$.t", format="ms"), "1795338000123", "2026-11-22T09:00:00.123"),
        (Time(path="$.t", format="us"), 1795338000123456, "2026-11-22T09:00:00.123456"),
        (Time(path="$.t", format="ns"), 1795338000123456789, "2026-11-22T09:00:00.123456"),
        (Time(path="$.t", format="ns"), "1795338000123456789", "2026-11-22T09:00:00.123456"),
        (Time(path="$.t", format="iso", zone="Africa/Lusaka"), "2026-11-22 11:00:00", "2026-11-22T09:00:00"),
        (Time(path="$.t", format="iso", zone="Africa/Lusaka"), "2026-11-22T09:00:00Z", "2026-11-22T09:00:00"),
        (Time(path="$.t", zone="+02:00"), "2026-11-22T11:00", "2026-11-22T09:00:00"),
        (Time(path="$.t", zone="+02:00"), 1795338000, "2026-11-22T09:00:00"),
        (Time(path="$.t", format="%d.%m.%Y %H:%M", zone="UTC"), "22.11.2026 09:00", "2026-11-22T09:00:00"),
        (Time(path="$.t", format="%d/%b/%Y %I:%M %p %z"), "22/Nov/2026 11:00 AM +0200", "2026-11-22T09:00:00"),
        (Time(path="$.t", format="%y%m%d%H%M", zone="UTC"), 2611220900, "2026-11-22T09:00:00"),
        (
            Time(path="{$.d}T{$.c}", format="iso", zone="UTC"),
            {"d": "2026-11-22", "c": "09:00"},
            "2026-11-22T09:00:00",
        ),
    ],
)
def test_a_time_is_read_as_it_was_told(told: str | Time, value: object, expected: str) -> None:
    assert read(told, value) == (datetime.fromisoformat(expected).replace(tzinfo=UTC), 0)


@pytest.mark.parametrize(
    ("told", "value", "reason"),
    [
        ("$.t", None, Reason.MISSING_TIME),
        ("$.t", "", Reason.MISSING_TIME),
        ("$.t", "2026-11-22T09:00:00", Reason.BAD_TIME),
        ("$.t", "0001-01-01T00:00:00Z", Reason.BAD_TIME),
        ("$.t", "2026-11-24T09:00:00Z", Reason.FUTURE_TIME),
        (Time(path="$.t", format="iso"), "2026-11-22T09:00:00", Reason.BAD_TIME),
        (Time(path="$.t", format="iso"), 1795338000, Reason.BAD_TIME),
        (Time(path="$.t", format="ms"), 1795338000, Reason.BAD_TIME),
        (Time(path="$.t", format="s"), 1795338000000000000000, Reason.BAD_TIME),
        (Time(path="$.t", format="s"), "soon", Reason.BAD_TIME),
        (Time(path="$.t", format="s"), "9" * 400, Reason.BAD_TIME),
        (Time(path="$.t", format="ns"), 10**400, Reason.BAD_TIME),
        (Time(path="$.t", format="s"), True, Reason.BAD_TIME),
        (Time(path="$.t", format="%d.%m.%Y %H:%M", zone="UTC"), "11/22/2026", Reason.BAD_TIME),
        (Time(path="$.t", format="iso", zone="UTC"), "9" * 100, Reason.BAD_TIME),
        (Time(path="$.t", format="iso", zone="+02:00"), "0001-01-01T00:00:00", Reason.BAD_TIME),
    ],
)
def test_what_is_no_time_is_refused_with_its_path(told: str | Time, value: object, reason: Reason) -> None:
    with pytest.raises(MessageRejected, match=r"\$\.t") as caught:
        read(told, value)
    assert caught.value.reason is reason


def test_arrival_stands_for_a_time_where_that_is_said() -> None:
    assert read("arrival", None) == (NOW, Quality.TIME_OF_ARRIVAL)
    assert read(Time(path="$.t", missing="arrival"), None) == (NOW, Quality.TIME_OF_ARRIVAL)
    assert read(Time(path="$.t", missing="arrival"), "2026-11-22T09:00:00Z")[1] == 0


@pytest.mark.parametrize(
    ("told", "value"),
    [
        (Time(path="$.t", missing="arrival"), "0001-01-01T00:00:00Z"),
        (Time(path="$.t", missing="arrival"), 0),
        (Time(path="$.t", missing="arrival", format="ms"), 1000),
        (Time(path="$.t", missing="arrival", format="iso", zone="+02:00"), "0001-01-01T00:00:00"),
        (Time(path="$.t", missing="arrival", format="%d.%m.%Y %H:%M", zone="UTC"), "01.01.1970 00:00"),
    ],
)
def test_arrival_stands_for_a_clock_that_was_never_set_too(told: Time, value: object) -> None:
    assert read(told, value) == (NOW, Quality.TIME_OF_ARRIVAL)


def test_of_an_hour_that_a_clock_change_repeats_who_sends_at_once_means_now() -> None:
    told = Time(path="$.t", format="iso", zone="Europe/Madrid")
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert read(told, "2026-10-25T02:30:00", first + timedelta(seconds=3))[0] == first
    assert read(told, "2026-10-25T02:30:00", second + timedelta(seconds=3))[0] == second
    assert read(told, "2026-10-25T02:30:00", second + timedelta(days=3))[0] == first


@pytest.mark.parametrize(
    "told",
    [
        Time(path="$.t", format="%H:%M"),
        Time(path="$.t", format="%d.%m.%Y %H:%M"),
        Time(path="$.t", format="%d.%m.%Y %Q", zone="UTC"),
        Time(path="$.t", format="yyyy-mm-dd"),
        Time(path="$.t", zone="Atlantis"),
        Time(path="$.t", zone="../etc/passwd"),
        Time(path="$["),
        "{$.t",
    ],
)
def test_a_time_that_could_never_be_read_is_refused_at_once(told: str | Time) -> None:
    with pytest.raises(ConfigurationInvalid, match=r"^time"):
        compile_time(told)
