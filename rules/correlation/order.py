"""What is worked out of alerts that changed, in the transaction that recorded them, in this order.

Contract: each step is a function of what is stored and may be done again; none changes what the fold recorded.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from rules.correlation.explanation import explain_changed
from rules.correlation.impact import estimate_changed
from rules.correlation.incidents import gather_changed
from veldwatch.model.explanation import Patience
from veldwatch.model.identifiers import AlertId
from veldwatch.storage.connection import Connection

Step = Callable[[Connection, Sequence[AlertId], Patience, datetime], Sequence[AlertId]]
"""Gives the alerts that it changed besides those that it was given."""

STEPS: tuple[Step, ...] = (explain_changed, estimate_changed, gather_changed)


def correlate(
    connection: Connection, changed: Sequence[AlertId], patience: Patience, now: datetime
) -> tuple[AlertId, ...]:
    """Work out all that follows from a change of alerts.

    Returns:
        Every alert that changed, each once: the given ones and what the steps changed.
    """
    known = dict.fromkeys(changed)
    for step in STEPS:
        known.update(dict.fromkeys(step(connection, tuple(known), patience, now)))
    return tuple(known)
