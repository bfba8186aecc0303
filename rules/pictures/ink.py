"""Marks on paper (SVG): texts, lines and boxes, in colours for light and dark screens.

Places are in pixels and written to a tenth, so that the same picture is the same text wherever it is drawn. Colours are
of the palette of Okabe and Ito, which people with any colour vision tell apart, lightened for dark screens.
Source: Okabe and Ito, Color Universal Design, 2002.
"""

from collections.abc import Iterable, Sequence
from html import escape

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2933",
    "faint": "#5f6b7a",
    "grid": "#dde3ea",
    "seen": "#0072b2",
    "alarm": "#d55e00",
    "over": "#007a5a",
}
_DARK = {
    "paper": "#12181f",
    "ink": "#e6ebf0",
    "faint": "#9aa6b4",
    "grid": "#2d3844",
    "seen": "#56b4e9",
    "alarm": "#ff8f52",
    "over": "#35c79c",
}


def sheet(width: int, height: int, title: str, marks: Iterable[str]) -> str:
    """Put marks on paper, as the text of an SVG file.

    Args:
        title: what a screen reader says.
    """
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" role="img">',
        f"<title>{escape(title)}</title>",
        "<style>",
        *_rules(_LIGHT),
        "@media (prefers-color-scheme: dark) {",
        *_rules(_DARK),
        "}",
        "</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
        *marks,
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def text(place: tuple[float, float], words: str, *, ink: str = "ink", size: int = 12, anchor: str = "start") -> str:
    """Write words, with a rim of paper that keeps them legible on lines."""
    weight = ' font-weight="600"' if size > 12 else ""
    where = f'x="{place[0]:.1f}" y="{place[1]:.1f}" font-size="{size}"{weight} text-anchor="{anchor}"'
    return f'<text class="{ink} rim" {where}>{escape(words)}</text>'


def line(points: Sequence[tuple[float, float]], *, ink: str, width: float = 1.0, dashes: str = "") -> str:
    """Join points, one or more."""
    first, *rest = points
    path = f"M{first[0]:.1f} {first[1]:.1f}" + "".join(f"L{x:.1f} {y:.1f}" for x, y in rest)
    return f'<path class="{ink}-line" d="{path}" stroke-width="{width:g}"{_dashed(dashes)}/>'


def area(rings: Iterable[Sequence[tuple[float, float]]], *, ink: str, dashes: str = "", opacity: float = 0.0) -> str:
    """Outline an area, holes and all, and fill it lightly."""
    path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + "Z" for ring in rings)
    fill = f'class="{ink} {ink}-line" fill-rule="evenodd" fill-opacity="{opacity:g}"'
    return f'<path {fill} d="{path}"{_dashed(dashes)}/>'


def box(corner: tuple[float, float], size: tuple[float, float], *, ink: str, opacity: float = 1.0) -> str:
    """Fill a box."""
    where = f'x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"'
    return f'<rect class="{ink}" {where} fill-opacity="{opacity:g}"/>'


def dot(place: tuple[float, float], *, ink: str, radius: float = 2.4) -> str:
    """Set a dot."""
    return f'<circle class="{ink}" cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:g}"/>'


def ring(place: tuple[float, float], *, ink: str, radius: float) -> str:
    """Draw a circle."""
    where = f'cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="{radius:.1f}"'
    return f'<circle class="{ink}-line" {where} stroke-width="1.5"/>'


def triangle(place: tuple[float, float], *, ink: str) -> str:
    """Set a triangle that stands on a place's line."""
    return f'<path class="{ink}" d="M{place[0]:.1f} {place[1] - 6:.1f}l6 11h-12z"/>'


def square(place: tuple[float, float], *, ink: str) -> str:
    """Set a square around a place."""
    return box((place[0] - 4.5, place[1] - 4.5), (9, 9), ink=ink)


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _rules(colours: dict[str, str]) -> list[str]:
    paint = [
        f".{name} {{ fill: {colour} }} .{name}-line {{ stroke: {colour}; fill: none }}"
        for name, colour in colours.items()
    ]
    filled = [f".{name}.{name}-line {{ fill: {colour} }}" for name, colour in colours.items()]
    return [*paint, *filled, f".rim {{ paint-order: stroke; stroke: {colours['paper']}; stroke-width: 3px }}"]
