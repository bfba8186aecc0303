"""Marks on paper (SVG), each a piece of text: the same picture is the same bytes wherever it is drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

INK, FAINT, GRID, CARD, GROUND, LINK = "#24292e", "#66707c", "#e3e7ec", "#ffffff", "#f4f5f7", "#1f60c4"
_WIDE = frozenset("mwMW@%—")
_NARROW = frozenset("iljtfr.,:;'|!()[] -1I")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A place on paper, in pixels from the left upper corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Give the right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Give the lower edge."""
        return self.y + self.height

    def inside(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> "Box":
        """Give what is left of it within margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


def sheet(width: float, height: float, title: str, marks: Iterable[str]) -> str:
    """Put marks on paper, as the text of an SVG file."""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    font = 'font-family="Inter, Helvetica, Arial, sans-serif"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title>", *marks, "</svg>", ""])


def short(value: float) -> str:
    """Write a place to a tenth, without what says nothing."""
    return f"{value:.1f}".removesuffix(".0")


def width_of(words: str, size: float) -> float:
    """Estimate how wide words are: fonts differ, so this is generous."""
    units = sum(0.95 if each in _WIDE else 0.38 if each in _NARROW else 0.62 for each in words)
    return units * size


def cut(words: str, size: float, room: float) -> str:
    """Cut words to what fits, with three dots where something is missing."""
    if width_of(words, size) <= room:
        return words
    while words and width_of(words + "…", size) > room:
        words = words[:-1]
    return words.rstrip() + "…" if words else ""


def text(at: Point, words: str, *, ink: str = INK, size: float = 11, anchor: str = "start", bold: bool = False) -> str:
    """Write words on a line through a point."""
    more = ("" if anchor == "start" else f' text-anchor="{anchor}"') + (' font-weight="600"' if bold else "")
    place = f'x="{short(at[0])}" y="{short(at[1])}" font-size="{short(size)}"'
    return f'<text {place} fill="{ink}"{more}>{escape(words)}</text>'


def box(place: Box, fill: str, *, line: str | None = None, radius: float = 0, opacity: float = 1) -> str:
    """Fill a box."""
    size = f'x="{short(place.x)}" y="{short(place.y)}" width="{short(place.width)}" height="{short(place.height)}"'
    more = (f' stroke="{line}"' if line else "") + (f' rx="{short(radius)}"' if radius else "")
    return f'<rect {size} fill="{fill}"{more}{_opacity(opacity)}/>'


def boxes(places: Iterable[Box], fill: str, opacity: float = 1) -> str:
    """Fill many boxes of one colour, as one mark."""
    path = "".join(f"M{short(p.x)} {short(p.y)}h{short(p.width)}v{short(p.height)}h{short(-p.width)}z" for p in places)
    return f'<path d="{path}" fill="{fill}"{_opacity(opacity)}/>' if path else ""


def line(points: Sequence[Point], ink: str, *, width: float = 1, dashes: str = "", opacity: float = 1) -> str:
    """Join points."""
    return lines([points], ink, width=width, dashes=dashes, opacity=opacity)


def lines(runs: Iterable[Sequence[Point]], ink: str, *, width: float = 1, dashes: str = "", opacity: float = 1) -> str:
    """Join the points of each run, as one mark; a run of one point is a dot."""
    path = "".join(_run(run) for run in runs if run)
    if not path:
        return ""
    more = f' stroke-dasharray="{dashes}"' if dashes else ""
    style = f'fill="none" stroke="{ink}" stroke-width="{short(width)}" stroke-linejoin="round" stroke-linecap="round"'
    return f'<path d="{path}" {style}{more}{_opacity(opacity)}/>'


def area(points: Sequence[Point], fill: str, opacity: float) -> str:
    """Fill what points surround."""
    return f'<path d="{_run(points)}z" fill="{fill}"{_opacity(opacity)}/>' if len(points) > 2 else ""


def dots(places: Iterable[Point], fill: str, radius: float, opacity: float = 1) -> str:
    """Set dots of one colour, as one mark: strokes of no length with round ends."""
    path = "".join(f"M{short(x)} {short(y)}h0" for x, y in places)
    style = f'stroke="{fill}" stroke-width="{short(2 * radius)}" stroke-linecap="round"'
    return f'<path d="{path}" {style}{_opacity(opacity)}/>' if path else ""


def _run(points: Sequence[Point]) -> str:
    # relative to the point before, in tenths: half the bytes
    tenths = [(round(x * 10), round(y * 10)) for x, y in points]
    path = f"M{short(tenths[0][0] / 10)} {short(tenths[0][1] / 10)}"
    if len(tenths) == 1:
        return path + "h0"
    steps = [f"{short((b[0] - a[0]) / 10)} {short((b[1] - a[1]) / 10)}" for a, b in pairwise(tenths)]
    return path + "l" + " ".join(steps)


def _opacity(opacity: float) -> str:
    return "" if opacity >= 1 else f' opacity="{opacity:g}"'
