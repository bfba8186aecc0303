"""Incidents: alerts near in time, place and topology, gathered into one thing to work on.

The method is `veldwatch.model.incident`: the calendar of planned interruptions needs it too, so it is in the kernel.
"""

from collections.abc import Sequence
from datetime import datetime

from veldwatch.model.explanation import Patience
from veldwatch.model.identifiers import AlertId
from veldwatch.storage.connection import Connection
from veldwatch.storage.incident_gathering import gather_alerts


def gather_changed(
    connection: Connection, changed: Sequence[AlertId], patience: Patience, now: datetime
) -> Sequence[AlertId]:
    """Put alerts that changed into their incidents, and tell who follows these."""
    del patience
    return [AlertId(identity) for identity in gather_alerts(connection, changed, now)]
