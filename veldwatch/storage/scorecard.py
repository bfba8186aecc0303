"""What a scorecard is made of besides the truth: alerts that fired, and how much there was to see.

Read only; devices are named by their ids, so that what is counted is what is judged.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from veldwatch.model.identifiers import DeviceId
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("scorecard")


class FiredAlert(NamedTuple):
    """An alert that fired.

    Attributes:
        rule: slug.
        organisation: slug.
        device: external id; None: it is about a site.
        sites: slugs of its site and of those above, outermost first.
        explained: something explains it, until `explained_until` (None: as long as it lasts).
        resolved_at: None: it holds.
    """

    rule: str
    fired_at: datetime
    organisation: str
    device: str | None
    sites: tuple[str, ...]
    explained: bool = False
    explained_until: datetime | None = None
    resolved_at: datetime | None = None


class Evidence(NamedTuple):
    """How much was observed.

    Attributes:
        contacts: how often devices were heard, by the time of arrival: what rules of silence look at.
    """

    readings: int
    positions: int
    contacts: int


def fired_alerts(connection: Connection, since: datetime, until: datetime) -> list[FiredAlert]:
    """List the alerts that fired in a stretch and stand, oldest first."""
    with translated_errors():
        rows = connection.execute(_QUERIES["fired"], {"since": since, "until": until}).fetchall()
    return [
        FiredAlert(rule, at, organisation, device, tuple(sites or ()), *quiet)
        for rule, at, organisation, device, sites, *quiet in rows
    ]


def extent(connection: Connection, devices: Collection[DeviceId]) -> tuple[datetime, datetime] | None:
    """Give the first and the last time of what devices observed; None: they observed nothing."""
    with translated_errors():
        row = connection.execute(_QUERIES["extent"], {"devices": list(devices)}).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def observed_moments(
    connection: Connection, device_id: int, after: datetime | None, until: datetime, limit: int
) -> list[int]:
    """Read a page of the moments at which a device observed anything, each once, in their order.

    Args:
        after: the last of the page before; None: from the first on.
        until: the first moment that is not wanted.

    Returns:
        Microseconds since 1970.
    """
    values = {"device": device_id, "after": after, "until": until, "limit": limit}
    with translated_errors():
        return [moment for (moment,) in connection.execute(_QUERIES["observed_moments"], values).fetchall()]


def evidence(connection: Connection, devices: Collection[DeviceId], since: datetime, until: datetime) -> Evidence:
    """Count what devices observed in a stretch."""
    values = {"devices": list(devices), "since": since, "until": until}
    with translated_errors():
        row = connection.execute(_QUERIES["evidence"], values).fetchone()
    return Evidence(0, 0, 0) if row is None else Evidence(*row)
