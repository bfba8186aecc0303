"""Maps: the layers of a geomap panel in its order, all of it in view, without any map beneath."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.pictures import paper
from dashboards.pictures.answers import Answer, Panel, defaults, number, word_of
from dashboards.pictures.graphs import Setting, nothing
from dashboards.pictures.paper import Box
from dashboards.pictures.scales import nice

_KILOMETRES_A_DEGREE = 111.195
"""Source: IUGG mean radius 6371.0088 km, times pi / 180."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A flat map around a middle: degrees to pixels, east and west drawn together as the latitude asks."""

    west: float
    north: float
    pixels_a_degree: float
    squeeze: float
    place: Box

    def at(self, longitude: float, latitude: float) -> paper.Point:
        return (
            self.place.x + (longitude - self.west) * self.squeeze * self.pixels_a_degree,
            self.place.y + (self.north - latitude) * self.pixels_a_degree,
        )


def chart(panel: Panel, answers: dict[str, Answer], setting: Setting) -> list[str]:
    """Draw every layer that has a place in it."""
    layers = [(layer, _places(answers[layer["filterData"]["options"]])) for layer in panel["options"]["layers"]]
    known = [place for _, places in layers for place in places]
    if not known:
        return nothing(panel, setting.place)
    view = _view([(x, y) for x, y, _ in known], setting.place)
    drawn = [paper.box(setting.place, "#eef2f5")]
    legend: dict[str, str] = {}
    for layer, places in layers:
        style = layer["config"]["style"]
        points = [(view.at(x, y), record) for x, y, record in places]
        if layer["type"] == "route":
            drawn.append(
                paper.line([at for at, _ in points], style["color"]["fixed"], width=1.4, opacity=0.75) if points else ""
            )
            continue
        drawn += _markers(panel, style, points, legend)
    return [mark for mark in drawn if mark] + _key(legend, setting.place) + _ruler(view)


def _markers(
    panel: Panel,
    style: dict[str, dict[str, object]],
    points: Sequence[tuple[paper.Point, dict[str, object]]],
    legend: dict[str, str],
) -> list[str]:
    radius = max(float(str(style["size"]["fixed"])) * 0.62, 1.0)
    by_colour: dict[str, list[paper.Point]] = {}
    field = style["color"].get("field")
    for at, record in points:
        found = word_of(defaults(panel), record.get(str(field))) if field else None
        colour = found[1] if found else str(style["color"]["fixed"])
        if found:
            legend.setdefault(found[0], colour)
        by_colour.setdefault(colour, []).append(at)
    rim = radius > 3  # small dots need no rim to be told from what is below
    rims = [paper.dots(places, "#ffffff", radius + 1.2) for places in by_colour.values()] if rim else []
    return [*rims, *(paper.dots(places, colour, radius, 0.9) for colour, places in by_colour.items())]


def _places(answer: Answer) -> list[tuple[float, float, dict[str, object]]]:
    found: list[tuple[float, float, dict[str, object]]] = []
    for record in answer.records():
        x, y = number(record["longitude"]), number(record["latitude"])
        if x is not None and y is not None:
            found.append((x, y, record))
    return found


def _view(points: Iterable[paper.Point], place: Box) -> _View:
    listed = list(points)
    west, east = min(x for x, _ in listed), max(x for x, _ in listed)
    south, north = min(y for _, y in listed), max(y for _, y in listed)
    squeeze = math.cos(math.radians((north + south) / 2))
    room = place.inside(left=22, top=22, right=22, bottom=26)
    scale = min(room.width / max((east - west) * squeeze, 1e-3), room.height / max(north - south, 1e-3))
    centre_x, centre_y = (west + east) / 2, (north + south) / 2
    return _View(
        west=centre_x - place.width / 2 / scale / squeeze,
        north=centre_y + place.height / 2 / scale,
        pixels_a_degree=scale,
        squeeze=squeeze,
        place=place,
    )


def _key(legend: dict[str, str], place: Box) -> list[str]:
    if not legend:
        return []
    height = 16 * len(legend) + 8
    width = max(paper.width_of(word, 10.5) for word in legend) + 30
    ground = Box(place.right - width - 8, place.bottom - height - 8, width, height)
    drawn = [paper.box(ground, "#ffffff", radius=3, opacity=0.88)]
    for row, (word, colour) in enumerate(legend.items()):
        y = ground.y + 12 + 16 * row
        drawn += [paper.dots([(ground.x + 12, y)], colour, 4), paper.text((ground.x + 22, y + 4), word, size=10.5)]
    return drawn


def _ruler(view: _View) -> list[str]:
    length = nice(120 / view.pixels_a_degree * _KILOMETRES_A_DEGREE / 2)
    pixels = length / _KILOMETRES_A_DEGREE * view.pixels_a_degree
    x, y = view.place.x + 12, view.place.bottom - 12
    words = f"{length:g} km" if length >= 1 else f"{1000 * length:g} m"
    return [
        paper.line([(x, y - 5), (x, y), (x + pixels, y), (x + pixels, y - 5)], paper.FAINT),
        paper.text((x + pixels + 6, y + 1), words, ink=paper.FAINT, size=10),
    ]
