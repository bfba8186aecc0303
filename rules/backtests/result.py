"""What a back-test came to, as the document that is kept: figures, changes, who is told, a bounded list of alerts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rules.backtest import BacktestReport, Finding
from rules.backtests.comparison import Difference, compare
from rules.backtests.telling import Surroundings
from rules.backtests.told import NOT_REGARDED, told
from veldwatch.storage.backtests import StoredReceiver

LISTED = 1000
"""Alerts in the list; of more, the first so many, with the total beside."""
_PLACES = 500
"""Devices in the count per device, those with most alerts first."""


def result_of(
    draft: BacktestReport,
    present: BacktestReport | None,
    receivers: Sequence[StoredReceiver],
    zone: ZoneInfo,
    around: Surroundings | None = None,
) -> dict[str, Any]:
    """Write what came of a back-test.

    Args:
        present: of the active version of the stored rule; None: there is none, or it is the same.
        zone: where night is night.
        around: what is stored that decides who is told; None: nothing does.
    """
    pairs = compare(draft.findings, () if present is None else present.findings, draft.stretch.until)
    differences = Counter(pair.difference for pair in pairs)
    return {
        "draft": _figures(draft, zone),
        "present": None if present is None else _figures(present, zone),
        "changes": None if present is None else {each.value: differences[each] for each in Difference},
        "told": told(receivers, draft, present, around),
        "not_regarded": list(NOT_REGARDED),
        "total": len(pairs),
        "listed": min(len(pairs), LISTED),
        "alerts": [
            {
                "difference": None if present is None else pair.difference.value,
                "draft": _document(pair.draft),
                "present": _document(pair.present),
            }
            for pair in pairs[:LISTED]
        ],
    }


def _figures(report: BacktestReport, zone: ZoneInfo) -> dict[str, Any]:
    figures = report.figures(zone)
    devices = list(figures["devices"].items())
    return {
        **figures,
        "devices": [{"name": name, "count": count} for name, count in devices[:_PLACES]],
        "devices_with_alerts": len(devices),
    }


def _document(finding: Finding | None) -> dict[str, Any] | None:
    return None if finding is None else finding.document()
