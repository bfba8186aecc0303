"""A scorecard as it is given out: one JSON object, or lines for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from rules.scorecard.baseline import PARAMETERS
from rules.scorecard.figures import Figures, KindFigures
from rules.scorecard.tally import Tally, quantile
from veldwatch.storage.scorecard import Evidence
from veldwatch.wire.durations import format_duration

_MOST_LISTED = 20
_NOTHING = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A scorecard with what it rests on.

    Attributes:
        alerts_from: `recorded` or `backtest`.
        truth_from: `simulated`, or names of files.
        registered: devices that could be watched.
        evidence: what those gave in the stretch.
        refused: rules that could not be carried out, and why.
        unknown: devices that labels name and nobody has registered; what is said of them is left out.
        baseline: what the detector for comparison does on the same series; None: it was not asked for.
    """

    figures: Figures
    alerts_from: str
    truth_from: Sequence[str]
    registered: int
    evidence: Evidence
    refused: Mapping[str, str]
    unknown: Sequence[str] = ()
    baseline: Figures | None = None

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        stretch = self.figures.stretch
        baseline = None
        if self.baseline is not None:
            figures = self.baseline.document()
            baseline = {
                "name": self.baseline.rules[0][0].name,
                "parameters": dict(PARAMETERS),
                "devices": self.baseline.devices,
                "overall": figures["overall"],
                "kinds": figures["kinds"],
            }
        return {
            "from": stretch.since.isoformat(),
            "to": stretch.until.isoformat(),
            "days": round(stretch.days, 4),
            "grace_seconds": stretch.grace.total_seconds(),
            "alerts_from": self.alerts_from,
            "truth_from": list(self.truth_from),
            "devices": self.registered,
            "devices_watched": self.figures.devices,
            "readings": self.evidence.readings,
            "positions": self.evidence.positions,
            "contacts": self.evidence.contacts,
            **self.figures.document(),
            "rules_refused": dict(self.refused),
            "devices_unknown": list(self.unknown),
            "baseline": baseline,
        }


def lines(report: Report) -> Iterator[str]:
    """Write it for a person at a terminal."""
    figures = report.figures
    yield from _basis(report)
    yield ""
    yield from _columns(_KIND_HEADINGS, _kind_rows(figures))
    if any(not kind.counts for kind in figures.kinds):
        yield _MARKED
    yield ""
    yield from _columns(_RULE_HEADINGS, _rule_rows(report))
    yield from _comparison(report)
    yield from _misses(figures)
    yield from _false_alarms(figures)
    if report.unknown:
        yield f"labels left out, of devices that are not registered: {', '.join(report.unknown)}"
    for rule, reason in report.refused.items():
        yield f"not carried out: {rule}: {reason}"


def markdown(report: Report) -> Iterator[str]:
    """Write its tables for a document."""
    figures = report.figures
    yield from (f"{line}  " for line in _basis(report))
    yield ""
    yield from _piped(_KIND_HEADINGS, _kind_rows(figures))
    if any(not kind.counts for kind in figures.kinds):
        yield ""
        yield _MARKED
    yield ""
    yield from _piped(_RULE_HEADINGS, _rule_rows(report))
    for line in _comparison(report):
        yield ""
        yield line


_MARKED = "† there to cause no alert: the false alarms are those that came at its place and time"
_KIND_HEADINGS = ("fault", "injected", "found", "recall", "delay", "p95", "precision", "false", "/device-week", "rules")
_RULE_HEADINGS = ("rule", "devices", "alerts", "true", "repeated", "explained", "false", "precision", "/device-week")


def _basis(report: Report) -> Iterator[str]:
    stretch = report.figures.stretch
    edges = (edge.astimezone(UTC).strftime("%Y-%m-%d %H:%M") for edge in (stretch.since, stretch.until))
    yield f"Scorecard from {' to '.join(edges)} UTC, {_duration(stretch.until - stretch.since)}"
    yield (
        f"{report.alerts_from} alerts against {', '.join(report.truth_from)} truth, grace {_duration(stretch.grace)}; "
        f"{report.figures.devices} of {report.registered} devices watched, {report.evidence.readings:,} readings, "
        f"{report.evidence.positions:,} fixes, {report.evidence.contacts:,} contacts"
    )


def _comparison(report: Report) -> Iterator[str]:
    if report.baseline is not None:
        ours, its = ((one.recall, one.f1) for one in (report.figures, report.baseline))
        yield f"all rules: recall {_share(ours[0])}, F1 {_share(ours[1])}; baseline: {_share(its[0])}, {_share(its[1])}"


def _kind_rows(figures: Figures) -> list[tuple[str, ...]]:
    return [*(_kind_row(kind) for kind in figures.kinds), _overall_row(figures)]


def _rule_rows(report: Report) -> list[tuple[str, ...]]:
    figures = report.figures
    rows = [_rule_row(rule.name, len(rule.watched), tally, alerts) for rule, tally, alerts in figures.rules]
    rows.append(_rule_row("all rules", figures.devices, figures.overall, figures.overall.alerts + figures.unscored))
    return rows if report.baseline is None else [*rows, _baseline_row(report.baseline)]


def _kind_row(kind: KindFigures) -> tuple[str, ...]:
    if not kind.counts:
        return (f"{kind.title} †", str(kind.injected), *[_NOTHING] * 5, str(kind.provoked), _NOTHING, "")
    return (
        kind.title,
        str(kind.injected),
        str(len(kind.delays)),
        _share(kind.recall),
        *_delays(kind.delays),
        _share(kind.tally.precision),
        str(kind.tally.false),
        _rate(kind.tally.false_per_device_week),
        ", ".join(kind.rules) or "no rule",
    )


def _overall_row(figures: Figures) -> tuple[str, ...]:
    delays = sorted(delay for kind in figures.kinds if kind.counts for delay in kind.delays)
    return (
        "all faults",
        str(figures.injected),
        str(figures.detected),
        _share(figures.recall),
        *_delays(delays),
        _share(figures.overall.precision),
        str(figures.overall.false),
        _rate(figures.overall.false_per_device_week),
        f"F1 {_share(figures.f1)}",
    )


def _rule_row(name: str, devices: int, tally: Tally | None, alerts: int) -> tuple[str, ...]:
    if tally is None:
        return (name, str(devices), str(alerts), *[_NOTHING] * 6)
    return (
        name,
        str(devices),
        str(alerts),
        str(tally.true),
        str(tally.repeated),
        str(tally.explained),
        str(tally.false),
        _share(tally.precision),
        _rate(tally.false_per_device_week),
    )


def _baseline_row(figures: Figures) -> tuple[str, ...]:
    return _rule_row(f"baseline {figures.rules[0][0].name}", figures.devices, figures.overall, figures.overall.alerts)


def _misses(figures: Figures) -> Iterator[str]:
    if figures.misses:
        yield ""
        yield f"{len(figures.misses)} missed"
    for miss in figures.misses[:_MOST_LISTED]:
        one = miss.occurrence
        end = "no end" if one.ends_at is None else f"{one.ends_at:%Y-%m-%d %H:%M}"
        size = "" if one.size is None else f", {one.size:g} {one.unit if one.unit != '1' else ''}".rstrip()
        yield f"  {one.kind} at {one.place}{size}, {one.begins_at:%Y-%m-%d %H:%M} to {end}: {miss.reason}"
    yield from _rest(len(figures.misses))


def _false_alarms(figures: Figures) -> Iterator[str]:
    alarms = figures.false_alarms
    if alarms:
        yield ""
        yield f"{len(alarms)} false"
    for one in alarms[:_MOST_LISTED]:
        spot = one.firing.spot
        place = spot.device or (spot.sites[-1] if spot.sites else spot.organisation)
        cause = f", provoked by {one.occurrence.kind}" if one.occurrence else ""
        yield f"  {one.firing.rule} at {place}, {one.firing.fired_at:%Y-%m-%d %H:%M}{cause}"
    yield from _rest(len(alarms))


def _rest(count: int) -> Iterator[str]:
    if count > _MOST_LISTED:
        yield f"  and {count - _MOST_LISTED} more (--json lists all)"


def _columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write rows in columns: texts to the left, numbers to the right."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    left = {0, len(headings) - 1} if headings[-1] == "rules" else {0}
    for row in [headings, *rows]:
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _piped(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Write a table of Markdown."""
    yield f"| {' | '.join(headings)} |"
    yield f"|---|{'---:|' * (len(headings) - 2)}{'---|' if headings[-1] == 'rules' else '---:|'}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _delays(ordered: Sequence[float]) -> tuple[str, str]:
    if not ordered:
        return _NOTHING, _NOTHING
    median, late = quantile(ordered, 0.5), quantile(ordered, 0.95)
    return _duration(timedelta(seconds=median or 0.0)), _duration(timedelta(seconds=late or 0.0))


def _duration(duration: timedelta) -> str:
    """Write a duration to two parts at most: nobody reads the seconds of a day."""
    seconds = round(duration.total_seconds())
    if seconds >= 7200:
        seconds = round(seconds / 60) * 60
    return format_duration(timedelta(seconds=seconds))


def _share(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _rate(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.3f}"
