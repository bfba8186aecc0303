"""What the scorecard is made of: which scenario, for how long, watched by which packs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One scenario with the packs that somebody who runs such a place would apply; its seed is the scenario's own.

    Attributes:
        of: only every `of`-th root site is played and registered, from the first on; faults are those of the whole.
    """

    scenario: str
    days: int
    packs: Sequence[str]
    of: int = 1
    begins_at: datetime = datetime(2026, 1, 5, tzinfo=UTC)
    """A Monday."""

    @property
    def name(self) -> str:
        """Return what tells it apart from other cases."""
        return f"{self.scenario}-{self.days}d"

    @property
    def ends_at(self) -> datetime:
        """Return the end of the stretch that is scored."""
        return self.begins_at + timedelta(days=self.days)


_UTILITY, _RESERVE = ("water", "electricity"), ("conservation",)
_BOTH = ("environment", "platform")

CASES: Sequence[Case] = (
    Case(scenario="town", days=60, packs=(*_UTILITY, *_BOTH)),
    Case(scenario="reserve", days=30, packs=(*_RESERVE, *_BOTH)),
    Case(scenario="region", days=7, packs=(*_UTILITY, *_RESERVE, *_BOTH)),
    # One of its four districts, 25,003 meters: all four take four times as long and tell the same.
    Case(scenario="utility", days=3, packs=(*_UTILITY, *_BOTH), of=4),
)
SMALL = Case(scenario="region", days=3, packs=(*_UTILITY, *_RESERVE, *_BOTH))
"""For every run of the tests: some seconds."""
