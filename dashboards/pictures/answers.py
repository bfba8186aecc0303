"""What a panel's queries answered, and which colours, units and names its settings give the parts of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

Panel = Mapping[str, Any]
"""A panel of a dashboard's JSON."""

PALETTE = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c564b", "#4d4d4d", "#9c6ade", "#b8860b",
    "#2f4b7c", "#a05195", "#f95d6a", "#6b8e23", "#17becf", "#7f7f7f", "#c4162a", "#1b9e77", "#e7298a", "#666666",
)  # fmt: skip  # one line each would be long to read past
"""Of series without a colour of their own, in the order of their names; Okabe and Ito's first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rows of one query, in order."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]

    def records(self) -> list[dict[str, object]]:
        """Give each row by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line or bar series: times with values, None where the line breaks."""

    name: str
    points: Sequence[tuple[datetime, float | None]]

    def values(self) -> list[float]:
        """Give the values that are there, oldest first."""
        return [value for _, value in self.points if value is not None]


def number(value: object) -> float | None:
    """Give a number of any of the database's types; None: it is none."""
    if isinstance(value, bool):
        return float(value)
    return float(value) if isinstance(value, int | float | Decimal) else None


def series_of(answer: Answer) -> list[Series]:
    """Make long rows wide, as Grafana does: a text column names the series, else each number column is one."""
    records = answer.records()
    others = [column for column in answer.columns if column != "time"]
    labels = [column for column in others if any(isinstance(record[column], str) for record in records)]
    if not labels:
        return [Series(name=name, points=_points(records, name)) for name in others]
    label, value = labels[0], next(column for column in reversed(others) if column not in labels)
    names = sorted({str(record[label]) for record in records if record[label] is not None})
    return [Series(name=name, points=_points([r for r in records if r[label] == name], value)) for name in names]


def _points(records: Sequence[Mapping[str, object]], column: str) -> list[tuple[datetime, float | None]]:
    return [(record["time"], number(record[column])) for record in records if isinstance(record["time"], datetime)]


def defaults(panel: Panel) -> dict[str, Any]:
    """Give the settings of a panel's fields."""
    return cast("dict[str, Any]", panel.get("fieldConfig", {}).get("defaults", {}))


def overrides(panel: Panel, field: str) -> dict[str, Any]:
    """Give the settings that a panel has for one field alone."""
    found: dict[str, Any] = {}
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        matcher = override["matcher"]
        pattern = str(matcher.get("options", ""))
        by_name = matcher["id"] == "byName" and pattern == field
        by_pattern = matcher["id"] == "byRegexp" and re.search(pattern.strip("/"), field) is not None
        if by_name or by_pattern:
            found |= {prop["id"]: prop["value"] for prop in override["properties"]}
    return found


def colour_of(panel: Panel, field: str, place: int) -> str:
    """Give the colour of a series: its own, the panel's, or the palette's at its place."""
    own = overrides(panel, field).get("color", {})
    if own.get("mode") == "fixed":
        return str(own["fixedColor"])
    general = defaults(panel).get("color", {})
    if general.get("mode") == "fixed":
        return str(general["fixedColor"])
    return PALETTE[place % len(PALETTE)]


def step_colour(settings: Mapping[str, Any], value: float | None) -> str | None:
    """Give the colour of the highest threshold that a value reaches; None: there are no thresholds."""
    steps: list[dict[str, Any]] = settings.get("thresholds", {}).get("steps", [])
    if not steps or value is None:
        return None
    reached = [step for step in steps if step.get("value") is None or value >= step["value"]]
    return str(reached[-1]["color"])


def word_of(settings: Mapping[str, Any], value: object) -> tuple[str, str] | None:
    """Give text and colour that value mappings give a value; None: it is not mapped."""
    for mapping in [*settings.get("mappings", [])]:
        found = mapping.get("options", {}).get(str(value))
        if mapping.get("type") == "value" and found is not None:
            return str(found.get("text", value)), str(found.get("color", ""))
    return None
