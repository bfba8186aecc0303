"""What is kept of a scorecard, how it is shown, and whether a new one is worse.

All of it is a function of scenario, packs and code: a new scorecard of the same code has the same figures to the last
digit. `rules.scorecard.comparison` states how much worse is no drop.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from launch.scorecard.cases import Case
from rules.scorecard import comparison
from rules.scorecard.report import Report

Document = Mapping[str, Any]

# Lists of thousands; `veldwatch score --json` gives them.
_LEFT_OUT = frozenset({"misses", "false_alarms", "baseline"})


def document_of(case: Case, report: Report) -> dict[str, Any]:
    """Give what is kept of a case: its report, without every single miss and false alarm."""
    found = {name: value for name, value in report.document().items() if name not in _LEFT_OUT}
    return {"scenario": case.scenario, "packs": list(case.packs), **found}


def drops(kept: Document, fresh: Document) -> Iterator[str]:
    """Tell where a fresh document of a case is worse than what is kept, or cannot be compared; none: it is as good."""
    case = f"{fresh['scenario']}, {fresh['days']:g} days"
    before, now = ({kind["kind"]: kind["injected"] for kind in one["kinds"]} for one in (kept, fresh))
    for kind in sorted(before.keys() | now.keys()):
        if before.get(kind, 0) != now.get(kind, 0):
            yield f"{case}, {kind}: {now.get(kind, 0)} injected, kept are {before.get(kind, 0)} (write it anew)"
    for complaint in comparison.drops(kept, fresh):
        yield f"{case}, {complaint}"


def table(documents: Sequence[Document]) -> str:
    """Write cases as one table in Markdown."""
    return "\n".join([*_HEAD, *(row for document in documents for row in _rows(document))]) + "\n"


_HEAD = (
    "| scenario | fault | injected | found | recall | delay, median | 95 % | precision | false / device-week |",
    "|---|---|--:|--:|--:|--:|--:|--:|--:|",
)


def _rows(document: Document) -> Iterator[str]:
    case = f"{document['scenario']}, {document['days']:g} d"
    for kind in document["kinds"]:
        if kind["counts"]:
            delays = [_duration(kind[f"delay_{name}_seconds"]) for name in ("median", "p95")]
            rate = _figure(kind["false_alarms_per_device_week"], 3) if kind["rules"] else "no rule"
            shares = [_figure(kind["recall"]), *delays, _figure(kind["precision"]), rate]
            yield _row(case, kind["title"], kind["injected"], kind["detected"], *shares)
        else:
            provoked = f"{kind['false_alarms_provoked']} provoked"
            if kind.get("alerts_explained"):
                provoked += f", {kind['alerts_explained']} explained"
            yield _row(case, f"*{kind['title']}*", kind["injected"], *["–"] * 5, provoked)
    every = document["overall"]
    rate = _figure(every["false_alarms_per_device_week"], 3)
    shares = [_figure(every["recall"]), "–", "–", _figure(every["precision"]), rate]
    yield _row(case, "**all faults**", every["injected"], every["detected"], *shares)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _figure(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d}" if hours else f"{minutes} min"
