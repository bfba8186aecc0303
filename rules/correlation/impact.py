"""Impact: about how much water, energy, money and how many people the alerts are about that changed."""

from collections.abc import Sequence
from datetime import datetime

from veldwatch.model.explanation import Patience
from veldwatch.model.identifiers import AlertId
from veldwatch.storage.connection import Connection
from veldwatch.storage.impacts import estimate_alerts


def estimate_changed(
    connection: Connection, changed: Sequence[AlertId], patience: Patience, now: datetime
) -> Sequence[AlertId]:
    """Estimate what alerts that changed are about."""
    del patience
    return [AlertId(identity) for identity in estimate_alerts(connection, changed, now)]
