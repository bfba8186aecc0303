"""A whole dashboard on paper: its title and question, then every panel at its place on Grafana's grid."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dashboards.pictures import paper
from dashboards.pictures.answers import Answer, Panel
from dashboards.pictures.figures import bars, stat
from dashboards.pictures.graphs import Setting, graph, strips
from dashboards.pictures.maps import chart
from dashboards.pictures.paper import Box
from dashboards.pictures.tables import log, table

_COLUMN, _GRID_ROW, _GAP, _HEAD = 60.0, 38.0, 8.0, 54.0
"""Grafana's row is 30 pixels and a gap of 8; 24 columns fill 1440 pixels."""
_GRAPHS = ("timeseries", "state-timeline")

Draw = Callable[[Panel, dict[str, Answer], Setting], list[str]]
_KINDS: Mapping[str, Draw] = {
    "timeseries": graph,
    "state-timeline": strips,
    "stat": stat,
    "bargauge": bars,
    "barchart": bars,
    "table": table,
    "logs": log,
    "geomap": chart,
}

Windows = Mapping[int, tuple[datetime, datetime]]
"""Of each panel, by its id: from when to when it shows."""


def draw(
    model: Mapping[str, Any],
    answers: Mapping[int, dict[str, Answer]],
    windows: Windows,
    alerts: Sequence[tuple[datetime, datetime]],
) -> str:
    """Draw a dashboard.

    Args:
        model: its JSON, with what is repeated written out.
        answers: of each panel, by its id, the answer of each query by its refId.
        alerts: from when to when alerts held, for the graphs.
    """
    panels: list[dict[str, Any]] = model["panels"]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = 24 * _COLUMN + _GAP, rows * _GRID_ROW + _HEAD + _GAP
    marks = [
        paper.box(Box(0, 0, width, height), paper.GROUND),
        paper.text((14, 24), str(model["title"]), size=18, bold=True),
        paper.text((14, 43), str(model["description"]), ink=paper.FAINT, size=12.5),
        *_window_of(windows, width),
    ]
    for panel in panels:
        marks += _panel(panel, answers.get(panel["id"], {}), windows.get(panel["id"]), alerts)
    return paper.sheet(width, height, f"{model['title']}: {model['description']}", marks)


def _window_of(windows: Windows, width: float) -> list[str]:
    if not windows:
        return []
    since, until = max(windows.values(), key=lambda window: window[0])
    words = f"{since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC, simulated"
    return [paper.text((width - 14, 24), words, ink=paper.FAINT, size=12, anchor="end")]


def _panel(
    panel: Panel,
    answers: dict[str, Answer],
    window: tuple[datetime, datetime] | None,
    alerts: Sequence[tuple[datetime, datetime]],
) -> list[str]:
    grid = panel["gridPos"]
    place = Box(
        grid["x"] * _COLUMN + _GAP,
        grid["y"] * _GRID_ROW + _HEAD,
        grid["w"] * _COLUMN - _GAP,
        grid["h"] * _GRID_ROW - _GAP,
    )
    if panel["type"] == "row" or window is None:
        return [paper.text((place.x + 6, place.y + 20), str(panel["title"]), size=14, bold=True)]
    card = [
        paper.box(place, paper.CARD, line=paper.GRID, radius=3),
        paper.text(
            (place.x + 10, place.y + 20), paper.cut(str(panel["title"]), 13, place.width - 20), size=13, bold=True
        ),
    ]
    shaded = alerts if panel["type"] in _GRAPHS else ()
    setting = Setting(
        place=place.inside(left=8, top=30, right=10, bottom=8), since=window[0], until=window[1], alerts=shaded
    )
    return [*card, *_KINDS[panel["type"]](panel, answers, setting)]
