"""Documents of conditions that learn what is usual."""

from datetime import timedelta
from typing import Any, TypedDict

from veldwatch.model.conditions.usual import BY_SEASON, Baseline, JointBaseline, Season, Side
from veldwatch.wire.conditions.shapes import DURATION, TEXT, check_zone, kind_of
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.durations import format_duration

_LONGEST_GAP = timedelta(hours=6)


class _Learning(TypedDict):
    season: Season
    time_zone: str
    window: timedelta | None
    learn_for: timedelta | None
    over: timedelta
    relearn_after: timedelta | None
    max_gap: timedelta


def read_baseline(part: DocumentPart) -> Baseline:
    """Read a baseline of one series."""
    return Baseline(
        metric=part.text("metric"),
        limit=part.number_or("limit", 3.0, lowest=1.0),
        side=part.choice("side", Side, Side.BOTH),
        min_deviation=part.number_or("min_deviation", 0.0, lowest=0.0),
        **_learning(part),
    )


def read_joint_baseline(part: DocumentPart) -> JointBaseline:
    """Read a baseline of several series."""
    metrics = part.texts("metrics")
    if len(set(metrics)) < 2 or len(set(metrics)) < len(metrics):
        raise part.wrong("metrics", list(metrics), "expected two metrics or more, each once")
    return JointBaseline(
        metrics=metrics,
        strongest=part.whole_or("strongest", min(3, len(metrics)), lowest=1, highest=len(metrics)),
        limit=part.number_or("limit", 2.5, lowest=1.0, highest=5.0),
        **_learning(part),
    )


def baseline_schemas() -> list[dict[str, Any]]:
    """Describe a baseline of one series."""
    properties: dict[str, Any] = {
        "metric": TEXT,
        "limit": {"type": "number", "minimum": 1},
        "side": {"enum": [side.value for side in Side]},
        "min_deviation": {"type": "number", "minimum": 0},
        **_LEARNING,
    }
    return [kind_of("baseline", properties, ["metric"])]


def joint_baseline_schemas() -> list[dict[str, Any]]:
    """Describe a baseline of several series."""
    properties: dict[str, Any] = {
        "metrics": {"type": "array", "items": TEXT, "minItems": 2, "uniqueItems": True},
        "strongest": {"type": "integer", "minimum": 1},
        "limit": {"type": "number", "minimum": 1, "maximum": 5},
        **_LEARNING,
    }
    return [kind_of("joint_baseline", properties, ["metrics"])]


_LEARNING: dict[str, Any] = {
    "season": {"enum": [season.value for season in Season]},
    "time_zone": TEXT,
    "window": DURATION,
    "learn_for": DURATION,
    "over": DURATION,
    "relearn_after": DURATION,
    "max_gap": DURATION,
}


def _learning(part: DocumentPart) -> _Learning:
    season = part.choice("season", Season, Season.NONE)
    window = part.duration("window") if part.has("window") else None
    learn_for = part.duration("learn_for") if part.has("learn_for") else None
    longest = window or BY_SEASON[season].window
    if (learn_for or BY_SEASON[season].learn_for) > longest:
        raise part.wrong("learn_for", learn_for, f"expected no more than the window, {format_duration(longest)}")
    return {
        "season": season,
        "time_zone": part.text_or_none("time_zone", check_zone) or "UTC",
        "window": window,
        "learn_for": learn_for,
        "over": part.duration_or("over", timedelta(0)),
        "relearn_after": part.duration("relearn_after") if part.has("relearn_after") else None,
        "max_gap": part.duration_or("max_gap", _LONGEST_GAP, positive=True),
    }
