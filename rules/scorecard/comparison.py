"""A scorecard held against one that was kept: what has become worse, so that a drop stops a change.

Compared are recall, precision and false alarms per device-week of all rules, and recall, precision and median delay of
each kind. What the kept one did not have cannot become worse; a kind that is no longer injected is worse than any.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from veldwatch.errors import ConfigurationInvalid

SLACK = 0.01
"""Of shares: a different day of a scenario's weather is no drop."""
LATER = 1.1
"""Of delays: a tenth."""

Document = Mapping[str, Any]


def read_kept(path: Path) -> Document:
    """Read what `veldwatch score --json` printed.

    Raises:
        ConfigurationInvalid: it is something else.
    """
    try:
        kept = cast("object", json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigurationInvalid(f"bad --against: {str(path)!r} ({error})") from error
    if not isinstance(kept, dict) or not {"overall", "kinds"} <= kept.keys():
        raise ConfigurationInvalid(f"bad --against: {str(path)!r} (expected what `veldwatch score --json` printed)")
    return cast("Document", kept)


def drops(kept: Document, now: Document) -> Iterator[str]:
    """Name what has become worse, a line each.

    Args:
        kept: a scorecard as JSON.
        now: the one of today.
    """
    yield from _worse("all faults", kept["overall"], now["overall"])
    kinds = {kind["kind"]: kind for kind in now["kinds"]}
    for kind in kept["kinds"]:
        if not kind["counts"]:
            continue
        name = str(kind["title"])
        if kind["kind"] not in kinds:
            yield f"{name}: {kind['injected']} were injected, now none"
        else:
            yield from _worse(name, kind, kinds[kind["kind"]])


def _worse(name: str, kept: Document, now: Document) -> Iterator[str]:
    for figure in ("recall", "precision"):
        before, after = kept.get(figure), now.get(figure)
        if before is not None and (after or 0.0) < before - SLACK:
            yield f"{name}: {figure} fell from {before:.2f} to {after or 0.0:.2f}"
    before, after = kept.get("false_alarms_per_device_week"), now.get("false_alarms_per_device_week")
    if "injected" in now and "kind" not in now and before is not None and (after or 0.0) > before + SLACK:
        yield f"{name}: false alarms per device-week rose from {before:.3f} to {after:.3f}"
    before, after = kept.get("delay_median_seconds"), now.get("delay_median_seconds")
    if before is not None and after is not None and after > max(before * LATER, before + 1.0):
        yield f"{name}: found after {after:.0f} s in the median, before after {before:.0f} s"
