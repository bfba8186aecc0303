"""Alerts counted by their verdicts, and the numbers that shares and delays are told by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many alerts there were of each verdict, over how much watching.

    Attributes:
        device_weeks: devices that are watched, times the weeks of the stretch.
    """

    alerts: int
    true: int
    false: int
    repeated: int
    device_weeks: float
    explained: int = 0

    @property
    def precision(self) -> float | None:
        """Give the share of true ones among those that are true or false."""
        return share(self.true, self.true + self.false)

    @property
    def false_per_device_week(self) -> float | None:
        """Give how many false ones a device brings in a week."""
        return self.false / self.device_weeks if self.device_weeks > 0 else None

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "alerts": self.alerts,
            "true": self.true,
            "false": self.false,
            "repeated": self.repeated,
            "explained": self.explained,
            "precision": rounded(self.precision),
            "false_alarms_per_device_week": rounded(self.false_per_device_week),
        }


def share(part: int, whole: int) -> float | None:
    """Give a share; None: of nothing."""
    return part / whole if whole else None


def quantile(ordered: Sequence[float], at: float) -> float | None:
    """Give the smallest of some numbers that at least this share of them does not exceed (nearest rank)."""
    return ordered[max(math.ceil(at * len(ordered)), 1) - 1] if ordered else None


def rounded(value: float | None) -> float | None:
    """Round for reading."""
    return None if value is None else round(value, 4)
