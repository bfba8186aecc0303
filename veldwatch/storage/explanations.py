"""What explains which alert's silence, kept with the alerts.

Contract: a function of what is stored (`veldwatch.model.explanation`), so doing it again changes nothing. It runs in
the transaction of whoever changed something: the engine an alert, an operator the calendar. Only one does so at a time
up to its commit (`take_turn`), so that of a cause and a silence that are recorded at once the later sees the earlier.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from veldwatch.model.explanation import (
    LONGEST_TOLERANCE,
    SIGNS,
    Explanation,
    Happening,
    Interruption,
    Patience,
    Sign,
    explain,
)
from veldwatch.model.rule import Explains
from veldwatch.storage.alert_history import take_turn
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.durations import parse_duration

_QUERIES = load_queries("explanations")


class _Known(NamedTuple):
    happening: Happening
    retracted: bool
    explanation: Explanation | None


def explain_alerts(connection: Connection, changed: Sequence[UUID], patience: Patience, now: datetime) -> list[UUID]:
    """Explain alerts that changed, and all that they explained or may explain.

    Returns:
        The alerts whose explanation is another one now.
    """
    if not changed or _rows(connection, "concerns", {"ids": list(changed), "kinds": list(SIGNS)}) == [(False,)]:
        return []
    take_turn(connection)
    touched = _rows(connection, "touched", {"ids": list(changed), "reach": LONGEST_TOLERANCE})
    return _explain(connection, [identity for (identity,) in touched], patience, now)


def explain_within(
    connection: Connection, interruptions: Sequence[int], patience: Patience, now: datetime
) -> list[UUID]:
    """Explain again what planned interruptions explained or may explain, after they changed.

    Returns:
        The alerts whose explanation is another one now.
    """
    if not interruptions:
        return []
    take_turn(connection)
    touched = _rows(connection, "within", {"ids": list(interruptions), "reach": LONGEST_TOLERANCE})
    return _explain(connection, [identity for (identity,) in touched], patience, now)


def read_interruptions(
    connection: Connection, sites: Iterable[int], devices: Iterable[int], since: datetime, until: datetime
) -> list[Interruption]:
    """Read what is planned at some sites and devices within a stretch."""
    asked = {"sites": list(sites), "devices": list(devices), "since": since, "until": until}
    return [
        Interruption(
            id=number, begins_at=begins_at, ends_at=ends_at, sites=frozenset(at or ()), devices=frozenset(devices or ())
        )
        for number, begins_at, ends_at, at, devices in _rows(connection, "interruptions", asked)
    ]


class Hang(NamedTuple):
    """How a device hangs in the network: through which other it is heard, and how often it reports."""

    gateway: int | None
    interval: timedelta | None


def read_hangs(connection: Connection, devices: Iterable[int]) -> dict[int, Hang]:
    """Read how some devices hang in the network."""
    return {number: Hang(*hang) for number, *hang in _rows(connection, "hangs", {"devices": list(devices)})}


def read_paths(connection: Connection, sites: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """Read of some sites all above each and itself, outermost first."""
    return _paths(connection, sites)


def _explain(connection: Connection, ids: Sequence[UUID], patience: Patience, now: datetime) -> list[UUID]:
    rows = _rows(connection, "happenings", {"ids": list(ids), "kinds": list(SIGNS)})
    if not rows:
        return []
    paths = _paths(connection, {row[3] for row in rows if row[3] is not None})
    known = [_known(row, paths) for row in rows]
    standing = [each.happening for each in known if not each.retracted]
    found = explain(standing, *_around(connection, standing, paths), patience)
    changes = [
        (each.happening.id, explanation)
        for each in known
        if (explanation := found.get(each.happening.id)) != each.explanation
    ]
    _save(connection, changes, now)
    return [identity for identity, _ in changes]


def _around(
    connection: Connection, happenings: Sequence[Happening], paths: dict[int, tuple[int, ...]]
) -> tuple[list[Happening], list[Interruption]]:
    """Read every cause that may explain one of some alerts."""
    if not happenings:
        return [], []
    sites = {site for one in happenings for site in one.sites}
    gateways = {one.gateway for one in happenings if one.gateway is not None}
    devices = {one.device for one in happenings if one.device is not None}
    since = min(one.opened_at for one in happenings)
    until = max(one.opened_at for one in happenings) + LONGEST_TOLERANCE
    asked = {"sites": list(sites), "gateways": list(gateways), "since": since, "until": until}
    rows = _rows(connection, "causes", asked)
    paths = paths | _paths(connection, {row[3] for row in rows if row[3] is not None} - paths.keys())
    return [_known(row, paths).happening for row in rows], read_interruptions(connection, sites, devices, since, until)


def _known(row: Sequence[Any], paths: dict[int, tuple[int, ...]]) -> _Known:
    identity, opened_at, resolved_at, site, device, gateway, kind, explains, silent_for, interval, retracted = row[:11]
    happening = Happening(
        id=identity,
        opened_at=opened_at,
        resolved_at=resolved_at,
        sites=paths.get(site, ()),
        device=device,
        gateway=gateway,
        sign=SIGNS.get(kind, Sign.MEASURED),
        explains=None if explains is None else Explains(explains),
        silent_for=parse_duration(silent_for) if silent_for else timedelta(0),
        interval=interval,
    )
    alert, interruption, until = row[11:]
    explained = alert is not None or interruption is not None
    explanation = Explanation(alert=alert, interruption=interruption, until=until) if explained else None
    return _Known(happening, retracted, explanation)


def _paths(connection: Connection, sites: Iterable[int]) -> dict[int, tuple[int, ...]]:
    asked = list(sites)
    return {site: tuple(path) for site, path in _rows(connection, "paths", {"sites": asked})} if asked else {}


def _save(connection: Connection, changes: Sequence[tuple[UUID, Explanation | None]], now: datetime) -> None:
    if not changes:
        return
    nothing = Explanation()
    new = [explanation or nothing for _, explanation in changes]
    values = {
        "ids": [identity for identity, _ in changes],
        "explained_by": [each.alert for each in new],
        "interruptions": [each.interruption for each in new],
        "until": [each.until for each in new],
        "now": now,
    }
    with translated_errors():
        connection.execute(_QUERIES["save"], values)


def _rows(connection: Connection, query: str, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchall()
