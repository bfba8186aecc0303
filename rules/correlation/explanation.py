"""Explanation: the silence that another alert or a planned interruption explains, and what waits for telling it."""

from collections.abc import Sequence
from datetime import datetime

from veldwatch.model.explanation import Patience
from veldwatch.model.identifiers import AlertId
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection
from veldwatch.storage.explanations import explain_alerts


def explain_changed(
    connection: Connection, changed: Sequence[AlertId], patience: Patience, now: datetime
) -> Sequence[AlertId]:
    """Explain alerts that changed and what they explain; whatever waits for any of them is looked at again at once."""
    explained = [AlertId(identity) for identity in explain_alerts(connection, changed, patience, now)]
    outbox.release(connection, [*changed, *explained], now)
    return explained
