"""Wall-clock times of files."""

from datetime import UTC, datetime

import pytest

from ingest.imports.local_times import FileClock
from veldwatch.errors import ConfigurationInvalid, MessageRejected


def test_the_hour_that_a_clock_change_repeats_is_told_apart_by_file_order() -> None:
    clock = FileClock("Europe/Madrid")
    written = ["01:30", "02:10", "02:50", "02:10", "02:50", "03:10"]
    read = [clock.read("m", f"2016-10-30T{time}:00") for time in written]
    assert [moment.hour * 100 + moment.minute for moment in read] == [2330, 10, 50, 110, 150, 210]
    assert read == sorted(read)


def test_each_device_has_its_own_order() -> None:
    clock = FileClock("Europe/Madrid")
    clock.read("a", "2016-10-30T02:50:00")
    assert clock.read("b", "2016-10-30T02:10:00") == datetime(2016, 10, 30, 0, 10, tzinfo=UTC)


def test_an_offset_needs_no_zone_and_a_time_without_either_is_refused() -> None:
    clock = FileClock("")
    assert clock.read("m", "2016-10-30T02:10:00+02:00") == datetime(2016, 10, 30, 0, 10, tzinfo=UTC)
    assert clock.read("m", "1477786200") == datetime(2016, 10, 30, 0, 10, tzinfo=UTC)
    for text in ("2016-10-30T02:10:00", "yesterday", ""):
        with pytest.raises(MessageRejected):
            clock.read("m", text)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid):
        FileClock("Mars/Olympus")
