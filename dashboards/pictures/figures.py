"""Single numbers: large figures with their colour and course, bars for the values of rows."""

from dataclasses import dataclass

from dashboards.pictures import paper, written
from dashboards.pictures.answers import Answer, Panel, colour_of, defaults, number, overrides, series_of, step_colour
from dashboards.pictures.graphs import Setting, nothing
from dashboards.pictures.paper import Box
from dashboards.pictures.scales import Scale, around

_BARS_AT_MOST = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figure:
    name: str
    value: float | None


def stat(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Show one large number for each field."""
    answer = next(iter(answers.values()))
    figures = _figures(panel, answer)
    if not figures:
        return nothing(panel, setting.place)
    drawn = _course(panel, answer, setting) if panel["options"].get("graphMode") == "area" else []
    width = setting.place.width / len(figures)
    for place, figure in enumerate(figures):
        part = Box(setting.place.x + place * width, setting.place.y, width, setting.place.height)
        drawn += _one(panel, figure, part, named=panel["options"].get("textMode") == "value_and_name")
    return drawn


def _figures(panel: Panel, answer: Answer) -> list[_Figure]:
    if panel.get("transformations"):
        return [_Figure(name=str(row[0]), value=number(row[1])) for row in answer.rows]
    if not answer.rows:
        return []
    values = [number(row[-1]) for row in answer.rows]
    if panel["options"]["reduceOptions"]["calcs"] == ["lastNotNull"]:
        values = [value for value in values if value is not None] or [None]
    return [_Figure(name=answer.columns[-1], value=values[-1])]


def _one(panel: Panel, figure: _Figure, place: Box, *, named: bool) -> list[str]:
    settings = defaults(panel)
    words = written.value(figure.value, str(settings.get("unit", "none")), settings.get("decimals"))
    words = words or str(settings.get("noValue", ""))
    colour = str(overrides(panel, figure.name).get("color", {}).get("fixedColor") or "") or _colour(panel, figure.value)
    size = min(place.height * (0.42 if named else 0.5), 0.86 * place.width / max(paper.width_of(words, 1), 1), 44)
    middle = place.x + place.width / 2
    y = place.y + place.height * (0.62 if named else 0.5) + size * 0.36
    drawn = [paper.text((middle, y), words, ink=colour, size=size, anchor="middle", bold=True)]
    if named:
        drawn.append(paper.text((middle, place.y + place.height * 0.24), figure.name, size=13, anchor="middle"))
    return drawn


def _colour(panel: Panel, value: float | None) -> str:
    if defaults(panel).get("color", {}).get("mode") == "fixed":
        return colour_of(panel, "", 0)
    return step_colour(defaults(panel), value) or paper.FAINT


def _course(panel: Panel, answer: Answer, setting: Setting) -> list[str]:
    (series, *_) = series_of(answer)
    values = series.values()
    if len(values) < 2:  # a course has a beginning and an end
        return []
    low = setting.place.inside(top=setting.place.height * 0.55)
    across = Scale(low=setting.since.timestamp(), high=setting.until.timestamp(), start=low.x, end=low.right)
    up = around(values, low.bottom, low.y)
    points = [(across.place(at.timestamp()), up.place(value)) for at, value in series.points if value is not None]
    colour = colour_of(panel, series.name, 0)
    closed = [*points, (points[-1][0], low.bottom), (points[0][0], low.bottom)]
    return [paper.area(closed, colour, 0.12), paper.line(points, colour, width=1.2, opacity=0.5)]


def bars(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Draw one lying bar for each row, named by its text, as long as its number."""
    answer = next(iter(answers.values()))
    rows = [_Figure(name=str(row[0]), value=number(row[-1])) for row in answer.rows[:_BARS_AT_MOST]]
    if not rows:
        return nothing(panel, setting.place)
    settings, unit = defaults(panel), str(defaults(panel).get("unit", "none"))
    full = float(settings.get("max") or max((row.value or 0 for row in rows), default=1) or 1)
    names = min(max(paper.width_of(row.name, 11) for row in rows) + 8, setting.place.width * 0.42)
    words = [written.value(row.value, unit, settings.get("decimals")) for row in rows]
    inner = setting.place.inside(left=names, right=max(paper.width_of(each, 11) for each in words) + 10)
    height = min(inner.height / len(rows), 40)
    drawn: list[str] = []
    for place, row in enumerate(rows):
        y, thick = inner.y + place * height, height * 0.66
        length = inner.width * min(max((row.value or 0) / full, 0), 1)
        if panel["type"] == "bargauge":
            drawn.append(paper.box(Box(inner.x, y, inner.width, thick), paper.GRID, opacity=0.6))
        drawn.append(paper.box(Box(inner.x, y, length, thick), _colour(panel, row.value)))
        middle = y + thick / 2 + 4
        drawn.append(paper.text((inner.x - 6, middle), paper.cut(row.name, 11, names), size=11, anchor="end"))
        drawn.append(paper.text((inner.x + length + 6, middle), words[place], size=11))
    return drawn
