"""Incidents that prove to be one: which alerts of which go where, and what is told of it.

Contract: a function of what is stored (`veldwatch.model.incident_merging`), worked out in the transaction of whoever
changed something and had its turn; doing it again changes nothing. What joined an incident by itself stays known
(`alert.incident_base`), so that what was merged comes apart again when the reason is gone.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from veldwatch.model.incident import Head, Nearness
from veldwatch.model.incident_merging import Base, Sign, merge
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("incident_merging")


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who is told to have merged what.

    Attributes:
        part: the organisation that they may see; None: all.
    """

    author: str = "engine"
    part: int | None = None


ENGINE = By()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What joining by itself came to.

    Attributes:
        alerts: that joined another incident by themselves than before.
        asked: alerts of which is known anew what they are near.
        near: of these, those that are near several incidents, to the ids of them.
        incidents: that gained, lost or changed alerts.
    """

    alerts: Collection[UUID]
    asked: Collection[UUID]
    near: Mapping[UUID, Collection[UUID]]
    incidents: Collection[UUID]


def merge_incidents(
    connection: Connection,
    placed: Placed,
    find_heads: Callable[[Collection[UUID]], Mapping[UUID, Head]],
    nearness: Nearness,
    by: By,
    now: datetime,
) -> dict[UUID, UUID | None]:
    """Put alerts into the incidents in which those are merged that they joined, with all that this moves.

    Returns:
        The alerts that belong to another incident now, to the one that they were in.
    """
    concerned = {*placed.incidents, *_save_near(connection, placed)}
    asked = {"ids": [*placed.asked, *placed.alerts]}
    concerned |= {row["id"] for row in fetch_rows(connection, _QUERIES["partners"], asked)}
    company = fetch_rows(connection, _QUERIES["company"], {"ids": list(concerned), "placed": list(placed.alerts)})
    roots = _roots(connection, company, find_heads, nearness)
    changed = {row["id"]: row["settled"] for row in company if row["settled"] not in (None, roots[row["id"]])}
    moved = _put(connection, "put", roots, placed.alerts, now)
    moved |= _put(connection, "put_all", {base: roots[base] for base in changed}, (), now)
    _tell(connection, changed, roots, by, now)
    return moved


def _save_near(connection: Connection, placed: Placed) -> set[UUID]:
    """Keep which incidents heads are near; give those that they were near before."""
    pairs = [(alert, incident) for alert, incidents in placed.near.items() for incident in sorted(incidents)]
    with translated_errors():
        before = connection.execute(_QUERIES["forget_near"], {"ids": list(placed.asked)}).fetchall()
        if pairs:
            saved = {"alerts": [alert for alert, _ in pairs], "incidents": [incident for _, incident in pairs]}
            connection.execute(_QUERIES["save_near"], saved)
    return {incident for (incident,) in before}


def _roots(
    connection: Connection,
    company: list[Row],
    find_heads: Callable[[Collection[UUID]], Mapping[UUID, Head]],
    nearness: Nearness,
) -> dict[UUID, UUID]:
    ids = {"ids": [row["id"] for row in company]}
    if len(company) < 2:  # one is merged with nothing
        return {row["id"]: row["id"] for row in company}
    heads = find_heads([row["founder_id"] for row in company if row["founder_id"] is not None])
    bases = [Base(id=row["id"], began_at=row["began_at"], founder=heads.get(row["founder_id"])) for row in company]
    signs = [
        Sign(order=(row["opened_at"], row["alert_id"]), incidents=frozenset(row["incidents"]))
        for row in fetch_rows(connection, _QUERIES["signs"], ids)
    ]
    said = [(row["one"], row["other"]) for row in fetch_rows(connection, _QUERIES["said"], ids)]
    return merge(bases, signs, said, nearness)


def _put(
    connection: Connection, query: str, roots: Mapping[UUID, UUID], alerts: Collection[UUID], now: datetime
) -> dict[UUID, UUID | None]:
    if not roots:
        return {}
    values = {"bases": list(roots), "roots": list(roots.values()), "ids": list(alerts), "now": now}
    with translated_errors():
        return dict(connection.execute(_QUERIES[query], values).fetchall())


def _tell(
    connection: Connection, changed: Mapping[UUID, UUID], roots: Mapping[UUID, UUID], by: By, now: datetime
) -> None:
    """Write beside an incident that another was merged into it, or beside one that it came apart from another."""
    told = [
        (base, "split", before) if roots[base] == base else (roots[base], "merged", base)
        for base, before in changed.items()
    ]
    if not told:
        return
    ids, kinds, others = zip(*told, strict=True)
    values = {"ids": list(ids), "kinds": list(kinds), "others": list(others)}
    with translated_errors():
        connection.execute(_QUERIES["told"], {**values, "part": by.part, "author": by.author, "now": now})
