"""A scorecard as a picture (SVG): a lane for each kind of fault and for each rule with false alarms, time to the right.

Colours are of the palette of Okabe and Ito, which people with any colour vision tell apart; what was found or missed,
true or false, differs in shape too.
Source: Okabe and Ito, Color Universal Design, 2002.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from rules.scorecard.figures import Figures, KindFigures
from rules.scorecard.matching import Judged, Verdict
from rules.scorecard.occurrences import Firing, Occurrence
from rules.scorecard.tally import quantile
from veldwatch.wire.durations import format_duration

_BLUE, _GREEN, _VERMILLION, _GREY = "#0072b2", "#009e73", "#d55e00", "#8a94a3"
_INK, _FAINT, _GRID, _PAPER = "#1f2933", "#5f6b7a", "#dde3ea", "#ffffff"
_LEFT, _PLOT, _RIGHT, _TOP, _LANE, _FOOT = 250, 1000, 170, 104, 46, 60
_WIDTH = _LEFT + _PLOT + _RIGHT
_LEAST_BAR = 3.0
"""Pixels: a fault of minutes in a year is to be seen."""
_BAR = 13.0
_MOST_ROWS = 3
"""Of faults at the same time in a lane; of more, the later ones are drawn over others."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_MOST_TICKS = 9
_STEPS = (
    *(timedelta(minutes=number) for number in (1, 2, 5, 10, 30)),
    *(timedelta(hours=number) for number in (1, 3, 6, 12)),
    *(timedelta(days=number) for number in (1, 2, 7, 14)),
)
_MONTH = timedelta(days=30)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def draw(figures: Figures) -> str:
    """Give the picture as text."""
    false = _false_by_rule(figures)
    bottom = _TOP + max(len(figures.kinds) + len(false), 1) * _LANE
    height = bottom + _FOOT
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" fill="{_INK}" role="img">',
        f"<title>{escape(_headline(figures))}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="{_PAPER}"/>',
        _text(24, 36, "Alerts and the faults that were", size=20, weight=600),
        _text(24, 60, _headline(figures), colour=_FAINT),
        *_axis(figures, bottom),
    ]
    for lane, kind in enumerate(figures.kinds):
        parts += _kind_lane(figures, kind, _TOP + lane * _LANE)
    for lane, (rule, judged) in enumerate(false.items(), start=len(figures.kinds)):
        parts += _false_lane(figures, rule, judged, _TOP + lane * _LANE)
    return "\n".join([*parts, *_legend(bottom + 38), "</svg>", ""])


def _headline(figures: Figures) -> str:
    stretch = figures.stretch
    precision, recall = figures.overall.precision, figures.recall
    return (
        f"{stretch.since:%Y-%m-%d} to {stretch.until:%Y-%m-%d}: {figures.detected} of {figures.injected} faults found"
        f" (recall {_share(recall)}), {figures.overall.false} false alarms (precision {_share(precision)}),"
        f" {figures.devices} device{'' if figures.devices == 1 else 's'}"
    )


def _axis(figures: Figures, bottom: int) -> Iterator[str]:
    for at, label in _ticks(figures.stretch.since, figures.stretch.until):
        x = _x(figures, at)
        yield f'<path d="M{x:.1f} {_TOP - 8}V{bottom}" stroke="{_GRID}"/>'
        yield _text(x, _TOP - 14, label, colour=_FAINT, anchor="middle", size=12)


def _ticks(since: datetime, until: datetime) -> Iterator[tuple[datetime, str]]:
    """Give round moments of a stretch, at most `_MOST_TICKS` or so, with what to write there."""
    step = next((step for step in _STEPS if (until - since) / step <= _MOST_TICKS), None)
    if step is None:
        stride = int((until - since) / _MONTH / _MOST_TICKS) + 1
        months = range(since.year * 12 + since.month, until.year * 12 + until.month + 1)
        firsts = (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months if month % stride == 0)
        yield from ((at, f"{at:%b %Y}") for at in firsts if since <= at < until)
        return
    at = _MONDAY + -((_MONDAY - since) // step) * step
    while at < until:
        yield at, f"{at:%d %b}" if step >= timedelta(days=1) else f"{at:%d %b %H:%M}"
        at += step


def _kind_lane(figures: Figures, kind: KindFigures, top: int) -> Iterator[str]:
    found = f"{len(kind.delays)} of {kind.injected} found" if kind.counts else f"{kind.injected}, to cause no alert"
    yield from _lane(top, kind.title, found if kind.rules or not kind.counts else f"{found}: no rule")
    middle = top + _LANE / 2
    matching = figures.matching
    own = {position: one for position, one in enumerate(matching.injected) if one.kind == kind.kind}
    rows = _rows(list(own.values()))
    height = _BAR / (max(rows, default=0) + 1)
    for (position, one), row in zip(own.items(), rows, strict=True):
        y = middle - 9 + row * height
        yield _bar(figures, one, matching.found.get(position), (y, height), counts=kind.counts)
    for position, firing in matching.found.items():
        if matching.injected[position].kind == kind.kind:
            yield _triangle(
                _x(figures, firing.fired_at), middle + 5, f"{firing.rule}, {firing.fired_at:%Y-%m-%d %H:%M}"
            )
    if kind.delays:
        delay = timedelta(seconds=round((quantile(kind.delays, 0.5) or 0) / 60) * 60)
        yield _text(_LEFT + _PLOT + 16, middle, f"recall {_share(kind.recall)}", weight=600)
        yield _text(_LEFT + _PLOT + 16, middle + 16, f"after {format_duration(delay)}", colour=_FAINT, size=12)
    elif kind.counts:
        yield _text(_LEFT + _PLOT + 16, middle, f"recall {_share(kind.recall)}", weight=600)


def _rows(occurrences: Sequence[Occurrence]) -> list[int]:
    """Give each fault, by their begin, a row in which it hides no other, as long as there are rows."""
    ends: list[datetime] = []
    rows: list[int] = []
    for one in occurrences:
        row = next((row for row, end in enumerate(ends) if end <= one.begins_at), len(ends))
        row = min(row, _MOST_ROWS - 1)
        ends[row : row + 1] = [one.ends_at or _NEVER]
        rows.append(row)
    return rows


def _bar(figures: Figures, one: Occurrence, found: Firing | None, place: tuple[float, float], *, counts: bool) -> str:
    y, height = place
    if not counts:
        paint, what = f'fill="{_GREY}" fill-opacity="0.55"', ""
    elif found is not None:
        paint, what = f'fill="{_BLUE}" fill-opacity="0.75"', f": found by {found.rule}"
    else:
        paint, what = f'fill="{_PAPER}" stroke="{_VERMILLION}" stroke-width="1.2"', ": missed"
    x = _x(figures, one.begins_at)
    width = max(_x(figures, one.ends_at or figures.stretch.until) - x, _LEAST_BAR)
    told = escape(f"{one.kind} at {one.place}, {one.begins_at:%Y-%m-%d %H:%M}{what}")
    box = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height - 1, 2):.1f}"'
    return f'<rect {box} rx="1.5" {paint}><title>{told}</title></rect>'


def _false_lane(figures: Figures, rule: str, judged: Sequence[Judged], top: int) -> Iterator[str]:
    yield from _lane(top, rule, f"{len(judged)} false")
    middle = top + _LANE / 2
    for one in judged:
        cause = f", provoked by {one.occurrence.kind}" if one.occurrence else ""
        told = f"{one.firing.spot.device or rule}, {one.firing.fired_at:%Y-%m-%d %H:%M}{cause}"
        yield _cross(_x(figures, one.firing.fired_at), middle, told)


def _false_by_rule(figures: Figures) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = {}
    for one in figures.matching.judged:
        if one.verdict is Verdict.FALSE:
            found.setdefault(one.firing.rule, []).append(one)
    return dict(sorted(found.items(), key=lambda pair: -len(pair[1])))


def _lane(top: int, title: str, below: str) -> Iterator[str]:
    yield f'<path d="M24 {top + _LANE}H{_WIDTH - 24}" stroke="{_GRID}"/>'
    yield _text(24, top + _LANE / 2, title, weight=600)
    yield _text(24, top + _LANE / 2 + 16, below, colour=_FAINT, size=12)


def _legend(y: int) -> Iterator[str]:
    yield f'<rect x="24" y="{y - 10}" width="26" height="11" rx="2" fill="{_BLUE}" fill-opacity="0.75"/>'
    yield _text(58, y, "fault that was found", size=12)
    yield (
        f'<rect x="214" y="{y - 10}" width="26" height="11" rx="2" fill="{_PAPER}" stroke="{_VERMILLION}" '
        'stroke-width="1.5"/>'
    )
    yield _text(248, y, "fault that was missed", size=12)
    yield f'<rect x="412" y="{y - 10}" width="26" height="11" rx="2" fill="{_GREY}" fill-opacity="0.55"/>'
    yield _text(446, y, "there to cause no alert", size=12)
    yield _triangle(628, y - 9, "")
    yield _text(644, y, "alert that found it", size=12)
    yield _cross(790, y - 5, "")
    yield _text(806, y, "false alarm, by rule", size=12)


def _triangle(x: float, y: float, told: str) -> str:
    return (
        f'<path d="M{x:.1f} {y:.1f}l5 9h-10z" fill="{_GREEN}" stroke="{_PAPER}" stroke-width="0.8">'
        f"<title>{escape(told)}</title></path>"
    )


def _cross(x: float, y: float, told: str) -> str:
    return (
        f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" stroke="{_VERMILLION}" stroke-width="2" fill="none">'
        f"<title>{escape(told)}</title></path>"
    )


def _text(  # what a text of a picture has
    x: float, y: float, text: str, *, colour: str = _INK, size: int = 13, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def _x(figures: Figures, at: datetime) -> float:
    """Give a moment's place; what lies outside the stretch is at its edge."""
    stretch = figures.stretch
    share = (at - stretch.since) / (stretch.until - stretch.since)
    return _LEFT + _PLOT * min(max(share, 0.0), 1.0)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
