"""What a condition makes of readings: a short form for tables of cases."""

import json
from collections.abc import Sequence
from typing import Any

from rules.conditions.compile import AnyCondition
from rules.conditions.span import Observation, Reading
from tests.unit.rules.worlds import minute

_ = None
"""A reading that is missing."""
Times = tuple[float, float | None, float | None]


def readings(values: Sequence[float | None], every: float = 1) -> list[Reading]:
    """Make readings so many minutes apart, the first at minute 0; None: missing."""
    return [Reading(minute(n * every), float(value)) for n, value in enumerate(values) if value is not None]


def times(condition: AnyCondition, seen: Sequence[Observation], *, now: float = 100_000) -> list[Times]:
    """Fold readings; give (opened, reached, ended) of each span that counts or is open at a minute, in minutes.

    States go through JSON on the way, as they do in storage.
    """
    state: Any = condition.initial(truncated=False)
    spans: list[Any] = []
    for reading in seen:
        state, span = condition.step(state, reading)
        state = condition.load(json.loads(json.dumps(state)))
        spans += [span] if span is not None and span.counts else []
    last = condition.open_span(state, minute(now))
    spans += [last] if last is not None else []
    return [(_minutes(span.opened_at), _minutes(span.reached_at), _minutes(span.ended_at)) for span in spans]


def _minutes(at: int | None) -> Any:  # noqa: ANN401  # a number, or None
    return None if at is None else (at - minute(0)) / 60e6
