"""How the cost of a reading grows: with rules, with devices, and with the share of readings that change an alert.

One of them is varied at a time, around 1,000 rules on 10,000 devices of one series each. Every point has a database of
its own. What is told is the time that the engine took to read the log to its end, and beside it the time that saving
every fold took, which a live engine does every ten minutes.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from benchmarks.rules import RulesResult, World, measure_on
from benchmarks.services import several_databases

READINGS = 200_000
_FEWER = 30_000
"""Where every tenth reading changes an alert, and each alert is written with its history."""
_BASE = World(rules=1000, series=10_000)
_VARIED: dict[str, tuple[World, ...]] = {
    "rules": tuple(World(rules=rules, series=10_000) for rules in (10, 100, 10_000)),
    "devices": tuple(World(rules=1000, series=series) for series in (100, 1000, 100_000)),
    "share beyond a limit": tuple(World(rules=1000, series=10_000, beyond=share) for share in (0.001, 0.01, 0.1)),
}
_INK, _FAINT, _GRID, _PAPER, _LINE, _SAVING = "#1f2933", "#5f6b7a", "#dde3ea", "#ffffff", "#0072b2", "#d55e00"
_LEFT, _TOP, _WIDTH, _HEIGHT, _BETWEEN = 70, 84, 240, 220, 70
_LEAST, _MOST = 0.01, 1000.0
"""Microseconds: the axis upwards."""


class Point(NamedTuple):
    """One measurement: what was varied, and what came out."""

    varied: str
    result: RulesResult

    @property
    def value(self) -> float:
        """Give what was varied as a number."""
        result = self.result
        return {"rules": result.rules, "devices": result.series}.get(self.varied, result.beyond)

    @property
    def microseconds(self) -> float:
        """Tell what a reading cost, without saving folds."""
        return 1e6 * (self.result.seconds - self.result.saving_seconds) / self.result.readings


def measure_growth(readings: int = READINGS) -> list[Point]:
    """Measure every point, each in the order of its value; call it from the main thread."""
    with several_databases() as database:
        base = measure_on(database(), readings, _BASE)
        found = [Point(varied, base) for varied in _VARIED]
        for varied, worlds in _VARIED.items():
            for world in worlds:
                # Two rounds at least: of each series, one that makes its fold and one that is measured.
                wanted = _FEWER if world.beyond >= 0.01 else max(readings, 3 * world.series)
                found.append(Point(varied, measure_on(database(), wanted, world)))
    order = list(_VARIED)
    return sorted(found, key=lambda point: (order.index(point.varied), point.value))


def markdown(found: Sequence[Point]) -> Iterator[str]:
    """Write a table, and below it what it was measured on."""
    yield "| varied | rules | devices | beyond | readings | alerts | µs a reading | readings/s | saving a fold |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for point in found:
        one = point.result
        yield (
            f"| {point.varied} | {one.rules:,} | {one.series:,} | {one.beyond:.3%} | {one.readings:,}"
            f" | {one.alerts:,} of {one.alerts_expected:,} | {point.microseconds:.2f}"
            f" | {1e6 / point.microseconds:,.0f} | {1e6 * one.saving_seconds / one.series:.0f} µs |"
        )
    one = found[0].result
    yield ""
    yield (
        f"{one.processor}, {one.cores} cores, {one.database} on them as well; NumPy alone compares"
        f" {one.limit_per_second / 1e6:,.0f} million readings/s with their limits."
    )


def drawn(found: Sequence[Point]) -> str:
    """Draw a panel for each thing that was varied: cost upwards, both axes logarithmic."""
    panels = list(_VARIED)
    width = _LEFT + len(panels) * (_WIDTH + _BETWEEN)
    height = _TOP + _HEIGHT + 70
    one = found[0].result
    title = f"What a reading costs the rules engine ({one.processor}, {one.cores} cores)"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f' font-family="system-ui, sans-serif" font-size="12" fill="{_INK}" role="img">'
        ),
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
        f'<text x="20" y="30" font-size="18" font-weight="600">{escape(title)}</text>',
        (
            f'<text x="20" y="52" fill="{_FAINT}">microseconds a reading, from the log to committed alerts;'
            f" dashed: NumPy alone compares it with its limit</text>"
        ),
    ]
    for number, varied in enumerate(panels):
        left = _LEFT + number * (_WIDTH + _BETWEEN)
        parts += _panel([point for point in found if point.varied == varied], left)
    return "\n".join([*parts, "</svg>", ""])


def _panel(points: Sequence[Point], left: float) -> Iterator[str]:
    lowest, highest = points[0].value, points[-1].value
    bottom = _TOP + _HEIGHT
    for power in range(int(math.log10(_LEAST)), int(math.log10(_MOST)) + 1):
        y = _up(10.0**power)
        yield f'<path d="M{left} {y:.1f}h{_WIDTH}" stroke="{_GRID}"/>'
        yield f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{_FAINT}">{10.0**power:g}</text>'
    limit = _up(1e6 / points[0].result.limit_per_second)
    yield f'<path d="M{left} {limit:.1f}h{_WIDTH}" stroke="{_SAVING}" stroke-dasharray="5 4"/>'
    places = [(_along(point.value, lowest, highest, left), _up(point.microseconds)) for point in points]
    way = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    yield f'<path d="M{way}" fill="none" stroke="{_LINE}" stroke-width="2"/>'
    for point, (x, y) in zip(points, places, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_LINE}"/>'
        yield f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{point.microseconds:.3g}</text>'
        label = f"{point.value:,.0f}" if point.value >= 1 else f"{point.value:.3g}"
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle" fill="{_FAINT}">{label}</text>'
    yield f'<text x="{left + _WIDTH / 2}" y="{bottom + 46}" text-anchor="middle">{escape(points[0].varied)}</text>'


def _along(value: float, lowest: float, highest: float, left: float) -> float:
    return left + _WIDTH * math.log(value / lowest) / math.log(highest / lowest)


def _up(microseconds: float) -> float:
    inside = min(max(microseconds, _LEAST), _MOST)
    return _TOP + _HEIGHT * (1 - math.log(inside / _LEAST) / math.log(_MOST / _LEAST))
