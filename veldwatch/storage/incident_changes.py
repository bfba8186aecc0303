"""What people change about which alerts are one incident: merge two, take that back, take an alert out, put it back.

What they say is kept as facts about alerts, so that it holds whatever late data does to incidents, and follows
alerts that late data moves. `scope` is the one organisation that the asker may see; each change is one transaction of
the caller, written beside the incident and in the alert's history.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from veldwatch.errors import Conflict, NotFound
from veldwatch.storage.alert_history import take_turn
from veldwatch.storage.alerts import Deed
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.incident_merging import By
from veldwatch.storage.incidents import IncidentDeed, get_incident
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("incident_changes")


def merge_incident(connection: Connection, deed: IncidentDeed, other: UUID) -> UUID:
    """Make one incident of two; two that are one already stay so.

    Returns:
        The one that stands for both: the one that was founded first.

    Raises:
        NotFound: one of them is not there, or nothing of it is the asker's.
        Conflict: both have alerts of an organisation that the asker may not see.
    """
    take_turn(connection)
    ids = [get_incident(connection, deed.scope, number)["id"] for number in (deed.incident_id, other)]
    if ids[0] == ids[1]:
        return ids[0]
    if deed.scope is not None and fetch_row(
        connection, _QUERIES["strangers"], {"id": ids[0], "other": ids[1], "scope": deed.scope}
    ):
        raise Conflict("both have alerts of another organisation (whoever may see all organisations can merge them)")
    pair = sorted(_spoken_for(connection, number) for number in ids)
    said = {**deed.parameters(), "alert_id": pair[0], "other_id": pair[1]}
    with translated_errors():
        connection.execute(_QUERIES["merge"], said)
    _gather(connection, pair, deed.author, deed.scope, deed.now)
    return get_incident(connection, deed.scope, ids[0])["id"]


def split_incident(connection: Connection, deed: IncidentDeed) -> None:
    """Take back that people made one incident of several: they are again what they are by themselves.

    Raises:
        NotFound: there is no such incident, or nothing of it is the asker's.
        Conflict: nobody merged it by hand.
    """
    take_turn(connection)
    found = get_incident(connection, deed.scope, deed.incident_id)["id"]
    ended = fetch_rows(connection, _QUERIES["split"], replace(deed, incident_id=found).parameters())
    if not ended:
        raise Conflict(
            "nobody merged this incident by hand (what belongs together by itself is not split; take alerts out)"
        )
    alerts = {number for row in ended for number in (row["alert_id"], row["other_id"])}
    _gather(connection, sorted(alerts), deed.author, deed.scope, deed.now)


def take_out(connection: Connection, deed: Deed) -> None:
    """Give an alert, with what it explains, an incident of its own; one that has it stays so.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
        Conflict: it is in no incident, or in one by itself.
    """
    deed, alert = _alert(connection, deed)
    if alert["is_apart"]:
        return
    if alert["incident_id"] is None:
        raise Conflict("the alert is in no incident (it has not fired, or never was)")
    asked = {"id": deed.alert_id, "incident": alert["incident_id"], "base": alert["incident_base"]}
    stays = fetch_row(connection, _QUERIES["stays"], asked)
    if stays is None:
        raise Conflict("the alert has its incident to itself (there is nothing to take it out of)")
    said = {**deed.parameters(), "stayed": stays["id"]}
    with translated_errors():
        connection.execute(_QUERIES["take_out"], said)
        connection.execute(_QUERIES["hand_over"], said)
    _gather(connection, [deed.alert_id, stays["id"]], deed.author, deed.scope, deed.now)
    _write_down(connection, deed, "taken_out", _incident_of(connection, stays["id"]))


def put_back(connection: Connection, deed: Deed) -> None:
    """Let an alert be where it belongs by itself; one that was not taken out stays where it is.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    deed, alert = _alert(connection, deed)
    if not alert["is_apart"]:
        return
    with translated_errors():
        connection.execute(_QUERIES["put_back"], deed.parameters())
    _gather(connection, [deed.alert_id], deed.author, deed.scope, deed.now)
    _write_down(connection, deed, "put_back", _incident_of(connection, deed.alert_id), came_from=alert["incident_id"])


def _alert(connection: Connection, deed: Deed) -> tuple[Deed, Row]:
    """Give what is done to the alert that stands in the place of the one that was meant, and its row."""
    take_turn(connection)
    row = fetch_row(connection, _QUERIES["alert"], deed.parameters())
    if row is None:
        raise NotFound(f"no alert {str(deed.alert_id)!r} (list them with GET /v1/alerts)")
    return replace(deed, alert_id=row["id"]), row


def _spoken_for(connection: Connection, incident: UUID) -> UUID:
    row = fetch_row(connection, _QUERIES["spoken_for"], {"id": incident})
    assert row is not None  # noqa: S101  # it was read in this turn
    return row["alert_id"]


def _incident_of(connection: Connection, alert: UUID) -> UUID | None:
    row = fetch_row(connection, _QUERIES["alert"], {"id": alert, "scope": None})
    return None if row is None else row["incident_id"]


def _gather(connection: Connection, alerts: list[UUID], author: str, scope: int | None, now: datetime) -> None:
    moved = gather_alerts(connection, alerts, now, by=By(author=author, part=scope))
    with translated_errors():
        connection.execute(_QUERIES["wake"], {"ids": moved})


def _write_down(
    connection: Connection, deed: Deed, kind: str, incident: UUID | None, came_from: UUID | None = None
) -> None:
    """Write beside the incident that an alert left or came back to, and in the alert's history.

    Args:
        incident: None: late data left the alert in none.
        came_from: the one that it had to itself; None: where it is now.
    """
    other = came_from or _incident_of(connection, deed.alert_id)
    values = {**deed.parameters(), "kind": kind, "incident": incident, "other": other}
    with translated_errors():
        if incident is not None:
            connection.execute(_QUERIES["add_entry"], values)
        connection.execute(_QUERIES["transition"], values)
