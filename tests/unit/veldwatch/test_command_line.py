"""What people type: moments, stretches, durations, zones; and who they are."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.command_line import duration_of, moment_of, operator, stretch_of, zone_of
from veldwatch.errors import ConfigurationInvalid

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_moment_without_an_offset_is_in_utc() -> None:
    assert moment_of("--from", "2026-11-22T12:00") == NOON
    assert moment_of("--from", "2026-11-22T14:00+02:00") == NOON


def test_a_stretch_takes_some_time() -> None:
    assert stretch_of(NOON, NOON + timedelta(hours=1)) == (NOON, NOON + timedelta(hours=1))
    with pytest.raises(ConfigurationInvalid, match="bad --to: 2026-11-22T12:00"):
        stretch_of(NOON, NOON)


def test_what_cannot_be_read_is_told_with_its_option() -> None:
    with pytest.raises(ConfigurationInvalid, match="bad --from: 'noon'"):
        moment_of("--from", "noon")
    with pytest.raises(ConfigurationInvalid, match="bad --for"):
        duration_of("--for", "soon")
    with pytest.raises(ConfigurationInvalid, match="bad --timezone: 'Mars/Olympus'"):
        zone_of("--timezone", "Mars/Olympus")


def test_an_account_without_a_name_is_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert operator() == "command line"
    monkeypatch.setenv("LOGNAME", "thandi")
    assert operator() == "thandi (command line)"
