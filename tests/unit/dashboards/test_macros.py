"""The stand-in for Grafana's macros agrees with what was read of Grafana 12.4.3."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.macros import (
    UnknownMacro,
    Window,
    expand,
    expand_macros,
    interpolate,
    interval_text,
    time_text,
    without_comments,
)

SINCE = datetime(2026, 11, 22, 10, tzinfo=UTC)
PLAIN = Window(since=SINCE, until=SINCE + timedelta(hours=1), interval=timedelta(minutes=5))
TIMESCALE = Window(since=PLAIN.since, until=PLAIN.until, interval=PLAIN.interval, timescaledb=True)


@pytest.mark.parametrize(
    ("written", "expanded"),
    [
        ("$__time(at)", 'at AS "time"'),
        ("$__timeEpoch(at)", 'extract(epoch from at) as "time"'),
        ("$__timeFilter(at)", "at BETWEEN '2026-11-22T10:00:00Z' AND '2026-11-22T11:00:00Z'"),
        ("$__timeFrom() $__timeTo()", "'2026-11-22T10:00:00Z' '2026-11-22T11:00:00Z'"),
        ("$__timeGroup(at, 5m)", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup(at, '5m')", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup(at, 2w)", "floor(extract(epoch from at)/1.2096e+06)*1.2096e+06"),
        ("$__timeGroup(at, 5m), x", 'floor(extract(epoch from at)/300)*300 AS "time", x'),
        ("$__timeGroupAlias(at, 5m, NULL)", 'floor(extract(epoch from at)/300)*300 AS "time"'),
        ("$__unixEpochFilter(at)", "at >= 1795341600 AND at <= 1795345200"),
        ("$__unixEpochFrom() $__unixEpochTo()", "1795341600 1795345200"),
        ("$__unixEpochNanoFilter(at)", "at >= 1795341600000000000 AND at <= 1795345200000000000"),
        ("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1795341600000000000 1795345200000000000"),
        ("$__unixEpochGroup(at, 1h)", "floor((at)/3600)*3600"),
        ("'$__interval' $__interval_ms", "'5m' 300000"),
    ],
)
def test_a_macro_becomes_what_grafana_makes_of_it(written: str, expanded: str) -> None:
    assert expand_macros(written, PLAIN) == expanded


def test_with_timescaledb_groups_are_time_buckets() -> None:
    assert expand_macros("$__timeGroup(at, 5m)", TIMESCALE) == "time_bucket('300.000s',at)"


def test_an_unknown_macro_fails_the_whole_query() -> None:
    with pytest.raises(UnknownMacro, match="__timeShift"):
        expand_macros("SELECT $__timeShift(at)", PLAIN)


def test_a_macro_inside_a_comment_is_gone_and_one_inside_quotes_is_not() -> None:
    assert expand_macros("SELECT 1 -- $__nothing(x)\n", PLAIN) == "SELECT 1 \n"
    assert expand_macros("SELECT '$__timeFrom()'", PLAIN) == "SELECT ''2026-11-22T10:00:00Z''"


def test_what_looks_like_a_comment_inside_quotes_stays() -> None:
    text = """SELECT '--x', "/* y */", $$ -- z $$, $t$ /* w */ $t$"""
    assert without_comments(text + " -- gone") == text + " "


@pytest.mark.parametrize(
    ("seconds", "text"), [(90, "1m"), (3599, "59m"), (3600, "1h"), (90000, "1d"), (31536000, "1y"), (0.0001, "1ms")]
)
def test_an_interval_is_its_largest_unit_rounded_down(seconds: float, text: str) -> None:
    assert interval_text(timedelta(seconds=seconds)) == text


def test_a_time_has_a_fraction_only_where_there_is_one() -> None:
    assert time_text(SINCE.replace(microsecond=250000)) == "2026-11-22T10:00:00.25Z"


def test_variables_are_quoted_whatever_they_hold_and_none_leaves_an_empty_array() -> None:
    query = "x = ANY (ARRAY[${who:sqlstring}]::text[])"
    assert interpolate(query, PLAIN, {"who": ["a", "O'Brien"]}) == "x = ANY (ARRAY['a','O''Brien']::text[])"
    assert expand(query, PLAIN, {"who": []}) == "x = ANY (ARRAY[]::text[])"
