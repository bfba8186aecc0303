"""Graphs over time: lines, bands, bars, with limits and the time of alerts; strips of states."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from dashboards.pictures import paper, written
from dashboards.pictures.answers import Answer, Panel, Series, colour_of, defaults, overrides, series_of, word_of
from dashboards.pictures.paper import Box
from dashboards.pictures.scales import Scale, around, marks, time_marks

_AXIS, _FOOT = 52, 18
_LEGEND_ROW = 15
_FEW = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a panel is drawn in.

    Attributes:
        since: the beginning of what is asked, `until` its end and what every picture takes for now.
        alerts: from when to when alerts held that are shaded.
    """

    place: Box
    since: datetime
    until: datetime
    alerts: Sequence[tuple[datetime, datetime]] = ()


def graph(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Draw lines or bars."""
    series = [each for answer in answers.values() for each in series_of(answer)]
    if not any(each.values() for each in series):
        return nothing(panel, setting.place)
    legend, plot = _legend(panel, series, setting.place)
    return [*_Plot.of(panel, series, plot, setting).marks(), *legend]


def nothing(panel: Panel, place: Box) -> list[str]:
    """Say that there is nothing."""
    words = str(defaults(panel).get("noValue") or "no rows")
    at = (place.x + place.width / 2, place.y + place.height / 2)
    return [paper.text(at, words, ink=paper.FAINT, size=13, anchor="middle")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    panel: Panel
    series: Sequence[Series]
    place: Box
    setting: Setting
    across: Scale
    up: Scale

    @classmethod
    def of(cls, panel: Panel, series: Sequence[Series], place: Box, setting: Setting) -> "_Plot":
        inner = place.inside(left=_AXIS, top=6, right=6, bottom=_FOOT)
        values = [value for each in series for value in each.values()]
        values += [step for step in _limits(panel) if min(values) / 4 <= step <= max(values) * 2]
        is_bars = defaults(panel)["custom"].get("drawStyle") == "bars"
        return cls(
            panel=panel,
            series=series,
            place=inner,
            setting=setting,
            across=Scale(low=setting.since.timestamp(), high=setting.until.timestamp(), start=inner.x, end=inner.right),
            up=around(values, inner.bottom, inner.y, low=0.0 if is_bars else defaults(panel).get("min")),
        )

    def marks(self) -> list[str]:
        is_bars = defaults(self.panel)["custom"].get("drawStyle") == "bars"
        return [
            *self._shaded(),
            *self._alerts(),
            *self._axes(),
            *(self._bars() if is_bars else self._lines()),
            *self._limit_lines(),
        ]

    def _axes(self) -> list[str]:
        unit, drawn = str(defaults(self.panel).get("unit", "none")), list[str]()
        values = marks(self.up)
        step = values[1] - values[0] if len(values) > 1 else 1.0
        # times are written in their own units
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
        for value in values:
            y = self.up.place(value)
            drawn.append(paper.line([(self.place.x, y), (self.place.right, y)], paper.GRID))
            label = written.value(value, unit, decimals).split(", ")[0]
            label = label if paper.width_of(label, 10) <= _AXIS - 6 else written.plain(value, decimals)
            drawn.append(paper.text((self.place.x - 6, y + 3.5), label, ink=paper.FAINT, size=10, anchor="end"))
        return drawn + time_axis(self.across, self.place, self.setting, lines=True)

    def _lines(self) -> list[str]:
        bands: list[str] = []
        drawn: list[str] = []
        for place, each in enumerate(self.series):
            own = overrides(self.panel, each.name)
            colour = colour_of(self.panel, each.name, place)
            other = next((low for low in self.series if low.name == own.get("custom.fillBelowTo")), None)
            if other is not None:
                bands += self._band(each, other, colour)
            elif not own.get("custom.hideFrom", {}).get("viz"):
                runs = self._runs(each)
                drawn.append(paper.lines(runs, colour, width=1.3))
                if sum(len(run) for run in runs) <= _FEW:
                    drawn.append(paper.dots([point for run in runs for point in run], colour, 2.2))
        return bands + [mark for mark in drawn if mark]

    def _band(self, high: Series, low: Series, colour: str) -> list[str]:
        drawn: list[str] = []
        for above, below in zip(self._runs(high), self._runs(low), strict=False):
            drawn.append(paper.area([*above, *reversed(below)], colour, 0.22))
        return drawn

    def _runs(self, series: Series) -> list[list[paper.Point]]:
        longest = defaults(self.panel)["custom"].get("spanNulls") or 0
        runs: list[list[paper.Point]] = [[]]
        before: datetime | None = None
        for at, value in series.points:
            if value is None:
                continue
            if (
                before is not None
                and (at - before).total_seconds() * 1000 > longest
                and self._broken(series, before, at)
            ):
                runs.append([])
            runs[-1].append((self.across.place(at.timestamp()), self.up.place(value)))
            before = at
        return [run for run in runs if run]

    @staticmethod
    def _broken(series: Series, before: datetime, at: datetime) -> bool:
        return any(value is None and before < between < at for between, value in series.points)

    def _bars(self) -> list[str]:
        times = sorted({at for each in self.series for at, _ in each.points})
        gaps = [self.across.place(b.timestamp()) - self.across.place(a.timestamp()) for a, b in pairwise(times)]
        room = min([gap for gap in gaps if gap > 0], default=30.0) * 0.86
        width = max(room / len(self.series), 0.7)
        zero = self.up.place(max(self.up.low, 0.0))
        drawn: list[str] = []
        for place, each in enumerate(self.series):
            bars = [
                Box(
                    self.across.place(at.timestamp()) + place * width,
                    self.up.place(value),
                    width,
                    max(zero - self.up.place(value), 0),
                )
                for at, value in each.points
                if value
            ]
            drawn.append(paper.boxes(bars, colour_of(self.panel, each.name, place), 0.85))
        return [mark for mark in drawn if mark]

    def _limit_lines(self) -> list[str]:
        if defaults(self.panel)["custom"].get("thresholdsStyle", {}).get("mode") != "dashed":
            return []
        steps = [step for step in _steps(self.panel) if step["value"] is not None]
        inside = [step for step in steps if self.up.low <= step["value"] <= self.up.high]
        return [
            paper.line(
                [(self.place.x, self.up.place(step["value"])), (self.place.right, self.up.place(step["value"]))],
                str(step["color"]), width=1.4, dashes="6 4",
            )
            for step in inside
        ]  # fmt: skip  # one argument a line is long to read past

    def _shaded(self) -> list[str]:
        if defaults(self.panel)["custom"].get("thresholdsStyle", {}).get("mode") != "area":
            return []
        steps, drawn = _steps(self.panel), list[str]()
        for place, step in enumerate(steps):
            low = self.up.low if step["value"] is None else step["value"]
            high = steps[place + 1]["value"] if place + 1 < len(steps) else self.up.high
            top, bottom = self.up.place(high), self.up.place(low)
            if step["color"] != "transparent" and bottom > top:
                drawn.append(
                    paper.box(Box(self.place.x, top, self.place.width, bottom - top), str(step["color"]), opacity=0.14)
                )
        return drawn

    def _alerts(self) -> list[str]:
        marks: list[Box] = []
        for since, until in self.setting.alerts:
            x = self.across.place(since.timestamp())
            marks.append(Box(x, self.place.y, max(self.across.place(until.timestamp()) - x, 1.0), self.place.height))
        return [mark for mark in [paper.boxes(marks, "#ff9830", 0.07)] if mark]


def time_axis(across: Scale, place: Box, setting: Setting, *, lines: bool) -> list[str]:
    """Write round times below a plot, with lines upwards."""
    drawn: list[str] = []
    for at, words in time_marks(setting.since, setting.until, max(2, int(place.width / 75))):
        x = across.place(at.timestamp())
        if lines:
            drawn.append(paper.line([(x, place.y), (x, place.bottom)], paper.GRID))
        if place.x + 14 < x < place.right - 12:
            drawn.append(paper.text((x, place.bottom + 13), words, ink=paper.FAINT, size=10, anchor="middle"))
    return drawn


def _steps(panel: Panel) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = defaults(panel).get("thresholds", {}).get("steps", [])
    return [{"value": step.get("value"), "color": step["color"]} for step in steps]


def _limits(panel: Panel) -> list[float]:
    if defaults(panel)["custom"].get("thresholdsStyle", {}).get("mode", "off") == "off":
        return []
    return [step["value"] for step in _steps(panel) if step["value"] is not None]


_CALCULATIONS: dict[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
}


def _legend(panel: Panel, series: Sequence[Series], place: Box) -> tuple[list[str], Box]:
    """Draw the legend; what room is left for the plot."""
    shown = [
        (number, each)
        for number, each in enumerate(series)
        if each.values() and not overrides(panel, each.name).get("custom.hideFrom", {}).get("viz")
    ]
    settings = panel.get("options", {}).get("legend", {})
    if settings.get("placement") == "right":
        return _legend_table(panel, shown, place, [str(name) for name in settings.get("calcs", [])])
    entries = [(each.name.replace("_", " "), colour_of(panel, each.name, number)) for number, each in shown]
    return _legend_lines(entries, place)


def _legend_lines(entries: Sequence[tuple[str, str]], place: Box) -> tuple[list[str], Box]:
    """Write names one after the other, in as many lines as they take."""
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = place.x + _AXIS
    for name, colour in entries:
        width = 34 + paper.width_of(name, 10.5)
        if rows[-1] and x + width > place.right:
            rows.append([])
            x = place.x + _AXIS
        rows[-1].append((x, name, colour))
        x += width
    drawn: list[str] = []
    for row, names in enumerate(rows):
        y = place.bottom - _LEGEND_ROW * (len(rows) - 1 - row)
        for at, name, colour in names:
            drawn += [*_swatch((at, y - 4), colour), paper.text((at + 18, y), name, ink=paper.FAINT, size=10.5)]
    return drawn, place.inside(bottom=_LEGEND_ROW * len(rows) + 1)


def _legend_table(
    panel: Panel, shown: Sequence[tuple[int, Series]], place: Box, calculations: Sequence[str]
) -> tuple[list[str], Box]:
    unit, decimals = str(defaults(panel).get("unit", "none")), defaults(panel).get("decimals")
    column = 62.0
    names = max(paper.width_of(each.name, 10.5) for _, each in shown) + 24
    width = min(names + column * len(calculations), place.width * 0.46)
    left = place.right - width
    drawn: list[str] = []
    for number, name in enumerate(calculations):
        at = (place.right - column * (len(calculations) - 1 - number), place.y + 12)
        drawn.append(paper.text(at, name, ink=paper.LINK, size=10, anchor="end"))
    room = int((place.height - 14) / _LEGEND_ROW)
    for row, (number, each) in enumerate(shown[:room]):
        y = place.y + 14 + _LEGEND_ROW * (row + 1)
        drawn += _swatch((left, y - 4), colour_of(panel, each.name, number))
        free = width - 20 - column * len(calculations)
        drawn.append(paper.text((left + 18, y), paper.cut(each.name, 10.5, free), size=10.5))
        for place_of, name in enumerate(calculations):
            at = (place.right - column * (len(calculations) - 1 - place_of), y)
            words = written.value(_CALCULATIONS[name](each.values()), unit, decimals)
            drawn.append(paper.text(at, paper.cut(words, 10.5, column - 2), size=10.5, anchor="end"))
    return drawn, place.inside(right=width + 12)


def _swatch(at: paper.Point, colour: str) -> list[str]:
    return [paper.box(Box(at[0], at[1] - 1.5, 12, 3), colour)]


def strips(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Draw one strip per series in the colours of its states."""
    series = [each for answer in answers.values() for each in series_of(answer)]
    if not series:
        return nothing(panel, setting.place)
    settings = defaults(panel)
    names = min(max(paper.width_of(each.name, 10.5) for each in series) + 8, setting.place.width * 0.25)
    inner = setting.place.inside(left=names, right=6, bottom=_FOOT + 18)
    across = Scale(low=setting.since.timestamp(), high=setting.until.timestamp(), start=inner.x, end=inner.right)
    height = inner.height / len(series)
    by_colour: dict[str, list[Box]] = {}
    drawn: list[str] = []
    for row, each in enumerate(series):
        y = inner.y + row * height
        drawn.append(
            paper.text(
                (inner.x - 6, y + height * 0.5 + 3.5), paper.cut(each.name, 10.5, names), size=10.5, anchor="end"
            )
        )
        for since, until, state in _runs_of(each, setting.until):
            found = word_of(settings, state)
            if found is not None:
                x = across.place(since.timestamp())
                width = across.place(until.timestamp()) - x
                by_colour.setdefault(found[1], []).append(Box(x, y + height * 0.08, width, height * 0.84))
    drawn += [paper.boxes(places, colour, 0.9) for colour, places in by_colour.items()]
    drawn += time_axis(across, inner, setting, lines=False)
    x = inner.x
    for code in sorted({int(value) for each in series for value in each.values()}):
        found = word_of(settings, code)
        if found is not None:
            drawn += [
                *_swatch((x, setting.place.bottom - 5), found[1]),
                paper.text((x + 18, setting.place.bottom), found[0], ink=paper.FAINT, size=10.5),
            ]
            x += 34 + paper.width_of(found[0], 10.5)
    return drawn


def _runs_of(series: Series, until: datetime) -> list[tuple[datetime, datetime, int]]:
    runs: list[tuple[datetime, datetime, int]] = []
    points = [(at, int(value)) for at, value in series.points if value is not None]
    for number, (at, state) in enumerate(points):
        end = points[number + 1][0] if number + 1 < len(points) else until
        if runs and runs[-1][2] == state:
            runs[-1] = (runs[-1][0], end, state)
        else:
            runs.append((at, end, state))
    return runs
