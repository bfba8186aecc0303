"""Statistics of a rule as lines for a person."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from veldwatch.wire.durations import format_duration


def statistics_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    """Write what `rule_statistics` found."""
    yield f"{figures['rule']} from {figures['since'].isoformat()} to {figures['until'].isoformat()}"
    yield (
        f"{figures['alerts']} alerts at {figures['places']} places, {figures['per_week']} a week;"
        f" {figures['still_firing']} firing, {figures['raised']} raised, {figures['late']} late,"
        f" {figures['retracted']} retracted"
    )
    yield f"held {_time(figures['median_seconds'])} (median), {_time(figures['longest_seconds'])} at most"
    yield (
        f"{figures['acknowledged']} acknowledged ({_share(figures['share_acknowledged'])}),"
        f" after {_time(figures['median_seconds_to_acknowledge'])} (median)"
    )
    verdicts = ", ".join(f"{count} {reason}" for reason, count in figures["resolutions"].items()) or "no verdicts"
    yield (
        f"{figures['resolved_by_hand']} resolved by hand, after"
        f" {_time(figures['median_seconds_to_resolve_by_hand'])} (median): {verdicts};"
        f" {_share(figures['share_false'])} false alarms"
    )
    yield f"{figures['at_night']} at night ({_share(figures['share_at_night'])}, {figures['time_zone']})"
    for place in figures["top"]:
        name = place["device"] or place["site"]
        yield f"  {place['alerts']:>5}  {place['organisation']}/{name}  {place['name']}"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else format_duration(timedelta(seconds=round(seconds)))


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
