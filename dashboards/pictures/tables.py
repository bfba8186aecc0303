"""Tables and logs: as many rows as fit, with words on their colours, bars in cells, and links in their colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards.pictures import paper, written
from dashboards.pictures.answers import Answer, Panel, defaults, number, overrides, step_colour, word_of
from dashboards.pictures.graphs import Setting, nothing
from dashboards.pictures.paper import Box

_HEAD, _ROW, _SIZE = 24.0, 22.0, 11.0
_LEVELS = {"critical": "#c4162a", "error": "#ff9830", "warning": "#f2cc0c", "info": "#5794f2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    name: str
    title: str
    settings: Mapping[str, Any]
    is_number: bool
    width: float = 0


def table(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Draw the head and as many rows as fit; below, how many there are more."""
    answer = next(iter(answers.values()))
    if not answer.rows:
        return nothing({"fieldConfig": {"defaults": {"noValue": "no rows"}}}, setting.place)
    columns = _placed(_columns(panel, answer), setting.place.width)
    records = answer.records()
    room = int((setting.place.height - _HEAD) / _ROW)
    shown = records if len(records) <= room else records[: room - 1]
    drawn: list[str] = []
    x = setting.place.x
    for column in columns:
        at = (x + column.width - 6, setting.place.y + 15) if column.is_number else (x + 6, setting.place.y + 15)
        anchor = "end" if column.is_number else "start"
        drawn.append(
            paper.text(
                at,
                paper.cut(column.title, _SIZE, column.width - 8),
                ink=paper.LINK,
                size=_SIZE,
                anchor=anchor,
                bold=True,
            )
        )
        x += column.width
    for place, record in enumerate(shown):
        y = setting.place.y + _HEAD + place * _ROW
        drawn.append(paper.line([(setting.place.x, y), (setting.place.right, y)], paper.GRID))
        x = setting.place.x
        for column in columns:
            drawn += _cell(column, record[column.name], Box(x, y, column.width, _ROW), setting.until)
            x += column.width
    if len(shown) < len(records):
        at = (setting.place.x + 6, setting.place.y + _HEAD + len(shown) * _ROW + 15)
        drawn.append(paper.text(at, f"and {len(records) - len(shown)} more rows", ink=paper.FAINT, size=_SIZE))
    return drawn


def _columns(panel: Panel, answer: Answer) -> list[_Column]:
    records, found = answer.records(), list[_Column]()
    for name in answer.columns:
        settings = {"unit": defaults(panel).get("unit"), **overrides(panel, name)}
        if settings.get("custom.hidden"):
            continue
        is_number = any(number(record[name]) is not None for record in records)
        title = str(settings.get("displayName", name)).strip()
        found.append(_Column(name=name, title=title, settings=settings, is_number=is_number and not _has_bar(settings)))
    return found


def _placed(columns: Sequence[_Column], width: float) -> list[_Column]:
    """Give columns their widths; those that name none share the rest."""
    fixed = sum(float(column.settings.get("custom.width", 0)) for column in columns)
    free = [column for column in columns if "custom.width" not in column.settings]
    share = max((width - fixed) / len(free), 90) if free else 0
    total = fixed + share * len(free)
    scale = width / total if total > width or not free else 1.0
    return [
        _Column(
            name=column.name,
            title=column.title,
            settings=column.settings,
            is_number=column.is_number,
            width=float(column.settings.get("custom.width", share)) * scale,
        )
        for column in columns
    ]


def _has_bar(settings: Mapping[str, Any]) -> bool:
    return settings.get("custom.cellOptions", {}).get("type") == "gauge"


def _cell(column: _Column, value: object, place: Box, now: datetime) -> list[str]:
    if value is None or value == "":
        return []
    settings, baseline = column.settings, place.y + 15
    mapped = word_of({"mappings": settings.get("mappings", [])}, value)
    if mapped is not None and mapped[1] != "":
        ground = place.inside(left=2, top=2, right=2, bottom=2)
        ink = "#ffffff" if _is_dark(mapped[1]) else paper.INK
        return [
            paper.box(ground, mapped[1], radius=2),
            paper.text((place.x + 8, baseline), paper.cut(mapped[0], _SIZE, place.width - 10), ink=ink, size=_SIZE),
        ]
    words = _words(value, settings, now) if mapped is None else mapped[0]
    figure = number(value)
    if figure is not None and _has_bar(settings):
        return _bar(figure, words, settings, place)
    ink = paper.LINK if settings.get("links") else paper.INK
    if figure is not None:
        colour = step_colour(settings, figure)
        ink = ink if colour in (None, "text") else str(colour)
        return [
            paper.text(
                (place.right - 6, baseline), paper.cut(words, _SIZE, place.width - 8), ink=ink, size=_SIZE, anchor="end"
            )
        ]
    return [paper.text((place.x + 6, baseline), paper.cut(words, _SIZE, place.width - 8), ink=ink, size=_SIZE)]


def _bar(figure: float, words: str, settings: Mapping[str, Any], place: Box) -> list[str]:
    room = place.inside(left=6, top=5, right=52, bottom=5)
    length = room.width * min(max(figure / float(settings.get("max", 100)), 0), 1)
    return [
        paper.box(room, paper.GRID, opacity=0.7),
        paper.box(Box(room.x, room.y, length, room.height), "#56b4e9"),
        paper.text((place.right - 6, place.y + 15), words, size=_SIZE, anchor="end"),
    ]


def _words(value: object, settings: Mapping[str, Any], now: datetime) -> str:
    unit = str(settings.get("unit") or "none")
    if isinstance(value, datetime):
        return written.moment(value, unit, now)
    if isinstance(value, bool):
        return "true" if value else "false"
    figure = number(value)
    return str(value) if figure is None else written.value(figure, unit, settings.get("decimals"))


def _is_dark(colour: str) -> bool:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 150  # ITU-R BT.601 luma: white on it reads better


def log(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Write the newest lines, each with its level's colour before it."""
    answer = next(iter(answers.values()))
    if not answer.rows:
        return nothing(panel, setting.place)
    drawn: list[str] = []
    for place, record in enumerate(answer.records()[: int(setting.place.height / 18)]):
        y = setting.place.y + place * 18
        drawn.append(paper.box(Box(setting.place.x, y + 2, 3, 14), _LEVELS.get(str(record["level"]), paper.FAINT)))
        at = record["time"]
        stamp = written.moment(at, "", setting.until) if isinstance(at, datetime) else ""
        drawn.append(paper.text((setting.place.x + 10, y + 13), stamp, ink=paper.FAINT, size=10.5))
        words = paper.cut(str(record["body"]), 11, setting.place.width - 150)
        drawn.append(paper.text((setting.place.x + 138, y + 13), words, size=11))
    return drawn
