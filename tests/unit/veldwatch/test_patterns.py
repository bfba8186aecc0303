"""Patterns that people give: whole texts, in a time that nobody can make long."""

import time

import pytest

from veldwatch.patterns import check_pattern, matches_whole


def test_a_pattern_matches_a_whole_text() -> None:
    assert matches_whole("logger-[0-9]+", "logger-17")
    assert not matches_whole("logger-[0-9]+", "logger-17b")
    assert matches_whole("", "")
    assert matches_whole("(?i)é.", "ÉÜ")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+$b", "(a*)*c", "a*a*a*a*a*a*a*a*b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    check_pattern(pattern)
    began = time.monotonic()
    assert not matches_whole(pattern, "a" * 10_000)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("pattern", ["[", "(?=a)b", r"(a)\1", "a{1001}", "(", "*"])
def test_what_is_none_is_refused_and_matches_nothing(pattern: str) -> None:
    with pytest.raises(ValueError, match="no regular expression: "):
        check_pattern(pattern)
    assert not matches_whole(pattern, "a")
