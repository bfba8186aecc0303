"""Balance: what goes into a site and is not metered there.

It judges stretches of (inflow, outflow, metered, share of meters known); see `rules.grids.flows`.
"""

from typing import Any

from rules.conditions.span import Instant
from rules.conditions.stretches import UNKNOWN, StretchCondition, Verdict
from rules.instants import to_span
from veldwatch.model.conditions.area import Balance


def compile_balance(balance: Balance, hold_for: Instant) -> StretchCondition:
    """Make the condition of a definition; the value is the loss in a stretch."""

    def judge(values: tuple[Any, ...], holds: bool) -> Verdict:  # noqa: ARG001  # ends where it begins
        inflow, outflow, metered, known = values
        if inflow is None or outflow is None or metered is None or known < balance.coverage:
            return UNKNOWN
        into = inflow - outflow
        loss = into - metered
        beyond = balance.above is None or loss > balance.above
        large = balance.share is None or (into > 0 and loss > balance.share * into)
        return Verdict(beyond and large, round(loss, 6))

    return StretchCondition(judge=judge, every=to_span(balance.every), wait=to_span(balance.wait), hold_for=hold_for)
