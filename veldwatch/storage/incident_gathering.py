"""Alerts put into incidents, and what these come to, kept in step with the alerts.

Contract: a function of what is stored (`veldwatch.model.incident`), worked out in the transaction of whoever changed
something; doing it again changes nothing. Only alerts that changed, and what came after and is near them, are looked
at: where a head belongs follows from the heads before it. One does so at a time up to its commit (`take_turn`). Places
and sites are taken as they are in the register then; moving a site moves no alert that is there already.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from veldwatch.model.impact import Estimate, Place, together
from veldwatch.model.incident import (
    DEFAULT_NEARNESS,
    Head,
    Nearness,
    gather_near,
    incident_of_apart,
    incident_of_head,
    incident_of_interruption,
)
from veldwatch.storage.alert_history import take_turn
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.impacts import Places, estimate_of, read_places
from veldwatch.storage.incident_merging import ENGINE, By, Placed, merge_incidents
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

CHANNEL = "veldwatch_incident"
"""NOTIFY's payload is the incident's id."""

_QUERIES = load_queries("incident_gathering")


def gather_alerts(
    connection: Connection,
    changed: Sequence[UUID],
    now: datetime,
    nearness: Nearness = DEFAULT_NEARNESS,
    by: By = ENGINE,
) -> list[UUID]:
    """Put alerts that changed into their incidents, with all that this moves.

    Args:
        by: who stands beside what is merged or comes apart.

    Returns:
        The alerts that belong to another incident now.
    """
    if not changed:
        return []
    take_turn(connection)
    tops = fetch_rows(connection, _QUERIES["tops"], {"ids": list(changed)})
    founders = fetch_rows(connection, _QUERIES["founders"], {"ids": list(changed)})
    asked = {*changed, *(row["id"] for row in tops), *(row["founder_id"] for row in founders)}
    work = _Gathering(connection, nearness, _heads(connection, asked))
    work.settle()
    placed = work.placed()
    planned = {row["id"]: row["explained_by_interruption"] for row in tops if row["explained_by_interruption"]}
    placed |= {top: incident_of_interruption(number) for top, number in planned.items() if work.rows[top]["counts"]}
    placed |= {number: incident_of_apart(number) for number, row in work.rows.items() if row["is_apart"]}
    nowhere, joined = _write(connection, work, placed, planned, now)
    come_to = Placed(
        alerts=joined,
        asked=work.rows.keys() - (work.settled() - work.decided.keys()),
        near={number: [incident_of_head(one) for one in near] for number, near in work.near.items()},
        incidents={*work.bases(), *placed.values()},
    )
    moved = merge_incidents(connection, come_to, work.find_heads, nearness, by, now)
    left = {incident for incident in moved.values() if incident is not None}
    refresh_incidents(connection, {*work.touched(), *come_to.incidents, *left, *_in_which(connection, moved)}, now)
    return [*moved, *nowhere]


def refresh_incidents(connection: Connection, incidents: Iterable[UUID], now: datetime) -> None:
    """Work out again what incidents come to, from their alerts, and tell who follows them."""
    ids = sorted(incidents)
    if not ids:
        return
    parts = fetch_rows(connection, _QUERIES["parts"], {"ids": ids})
    impacts = fetch_rows(connection, _QUERIES["impacts"], {"ids": ids})
    places = read_places(connection, {row["organisation_id"] for row in impacts}) if impacts else Places()
    estimates = _estimates(impacts, places)
    with translated_errors(), connection.cursor() as cursor:
        cursor.execute(_QUERIES["forget_parts"], {"ids": ids})
        rows = [
            {**row, **_columns(estimates.get((row["incident_id"], row["organisation_id"]), Estimate()))}
            for row in parts
        ]
        cursor.executemany(_QUERIES["save_part"], rows)
        cursor.execute(_QUERIES["touch"], {"ids": ids, "now": now})
        cursor.execute(_QUERIES["wake"], {"ids": ids})


@dataclass(slots=True)
class _Gathering:
    """Decides anew where heads belong, until nothing moves any more.

    Attributes:
        rows: alerts that were asked about, and heads near them.
        decided: head to founder, of the heads that were decided anew.
        near: of these, those that are linked to incidents of others too, to the founders of all of them.
    """

    connection: Connection
    nearness: Nearness
    rows: dict[UUID, Row]
    decided: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    near: dict[UUID, frozenset[UUID]] = field(default_factory=dict[UUID, frozenset[UUID]])
    _places: Places = field(default_factory=Places)

    def settle(self) -> None:
        """Decide the heads that changed, and those after them that this may move."""
        removed = {number for number, row in self.rows.items() if row["incident_head"] and not row["is_head"]}
        open_to_change = {number for number, row in self.rows.items() if row["is_head"]}
        asked = open_to_change | removed
        while asked:
            self._load_near(asked)
            # Of one device also the end counts: what came after may hang on it.
            again = open_to_change | self._later_of_devices(open_to_change | removed)
            self._decide(again)
            again |= self.decided.keys()
            moved = {number for number in again if self._has_moved(number)} | removed
            further = self._later_than(moved) - again
            asked = (again | further) - open_to_change
            open_to_change = again | further

    def placed(self) -> dict[UUID, UUID]:
        """Give the incident of each head that was decided."""
        return {number: incident_of_head(founder) for number, founder in self.decided.items()}

    def touched(self) -> set[UUID]:
        """Give the incidents that lose an alert, or whose alerts changed."""
        asked = {row["incident_id"] for row in self.rows.values() if not row["is_head"]}
        decided = {self.rows[number]["incident_id"] for number in self.decided}
        return {number for number in asked | decided if number is not None}

    def settled(self) -> set[UUID]:
        """Give the heads."""
        return {number for number, row in self.rows.items() if row["is_head"]}

    def bases(self) -> set[UUID]:
        """Give the incidents that alerts which were asked about joined by themselves before."""
        asked = {row["incident_base"] for row in self.rows.values() if not row["is_head"]}
        decided = {self.rows[number]["incident_base"] for number in self.decided}
        return {number for number in asked | decided if number is not None}

    def find_heads(self, numbers: Collection[UUID]) -> dict[UUID, Head]:
        """Give alerts as heads, whether they are any or not."""
        self._load(set(numbers))
        rows = {number: self.rows[number] for number in numbers}
        self._places = read_places(self.connection, {row["organisation_id"] for row in rows.values()})
        return {number: self._head(row) for number, row in rows.items()}

    def _decide(self, wanted: set[UUID]) -> None:
        self._places = read_places(self.connection, {row["organisation_id"] for row in self.rows.values()})
        heads = {number: self._head(row) for number, row in self.rows.items() if row["is_head"]}
        unknown = {number for number, row in self.rows.items() if row["is_head"] and row["founder_id"] not in heads}
        settled = {number: heads[self.rows[number]["founder_id"]] for number in heads if number not in wanted | unknown}
        found = gather_near(heads.values(), self.nearness, settled)
        self.decided = {number: founder for number, founder in found.founders.items() if number not in settled}
        self.near = found.near

    def _head(self, row: Row) -> Head:
        return Head(
            id=row["id"],
            opened_at=row["opened_at"],
            resolved_at=row["resolved_at"],
            path=self._places.path(row["site_id"]),
            device=row["device_id"],
            place=None if row["longitude"] is None else (row["longitude"], row["latitude"]),
        )

    def _load_near(self, numbers: set[UUID]) -> None:
        rows = [self.rows[number] for number in numbers]
        window, longest = self.nearness.window, self.nearness.longest
        stretches = _merged([(row["opened_at"] - window, row["opened_at"] + window) for row in rows])
        near = fetch_rows(
            self.connection,
            _QUERIES["near"],
            {"since": [since for since, _ in stretches], "until": [until for _, until in stretches]},
        )
        devices: dict[int, tuple[datetime, datetime]] = {}
        for row in rows:
            if row["device_id"] is not None:
                at = row["opened_at"]
                since, until = devices.get(row["device_id"], (at, at))
                devices[row["device_id"]] = min(since, at), max(until, at)
        near += fetch_rows(
            self.connection,
            _QUERIES["same_device"],
            {
                "devices": list(devices),
                "since": [since - longest for since, _ in devices.values()],
                "until": [until + longest for _, until in devices.values()],
            },
        )
        self._load({row["id"] for row in near})
        self._load({row["founder_id"] for row in self.rows.values() if row["is_head"] and row["founder_id"]})

    def _load(self, numbers: set[UUID]) -> None:
        missing = numbers - self.rows.keys()
        if missing:
            self.rows |= _heads(self.connection, missing)

    def _later_of_devices(self, numbers: set[UUID]) -> set[UUID]:
        first: dict[int, datetime] = {}
        for number in numbers:
            row = self.rows[number]
            if row["device_id"] is not None:
                first[row["device_id"]] = min(first.get(row["device_id"], row["opened_at"]), row["opened_at"])
        return {
            number
            for number, row in self.rows.items()
            if row["is_head"] and row["device_id"] in first and row["opened_at"] >= first[row["device_id"]]
        }

    def _later_than(self, moved: set[UUID]) -> set[UUID]:
        if not moved:
            return set()
        first = min(self.rows[number]["opened_at"] for number in moved)
        return {number for number, row in self.rows.items() if row["is_head"] and row["opened_at"] >= first}

    def _has_moved(self, number: UUID) -> bool:
        row = self.rows[number]
        return not row["incident_head"] or row["founder_id"] != self.decided[number]


def _write(
    connection: Connection,
    work: _Gathering,
    placed: Mapping[UUID, UUID],
    planned: Mapping[UUID, int],
    now: datetime,
) -> tuple[list[UUID], list[UUID]]:
    """Give the alerts that are in no incident any more, and those that joined another by themselves."""
    founders = {incident_of_head(founder): founder for founder in work.decided.values()}
    founders |= {placed[number]: number for number, row in work.rows.items() if row["is_apart"]}
    numbers = {incident_of_interruption(number): number for number in planned.values()}
    incidents = sorted(set(placed.values()))
    nowhere = [n for n, row in work.rows.items() if not row["is_head"] and (not row["counts"] or row["incident_head"])]
    where: dict[UUID, UUID | None] = {**dict.fromkeys(nowhere), **placed}
    found = {
        "ids": incidents,
        "founders": [founders.get(incident) for incident in incidents],
        "interruptions": [numbers.get(incident) for incident in incidents],
        "now": now,
    }
    place = {
        "ids": list(where),
        "bases": list(where.values()),
        "are_heads": [number in work.decided for number in where],
        "now": now,
    }
    with translated_errors(), connection.cursor() as cursor:
        if incidents:
            cursor.execute(_QUERIES["found"], found)
        moved = cursor.execute(_QUERIES["place"], place).fetchall() if where else []
        followed = cursor.execute(_QUERIES["follow"], {"ids": list(placed), "now": now}).fetchall() if placed else []
    joined = {*(number for (number,) in followed), *(number for (number,) in moved if where[number] is not None)}
    return [number for (number,) in moved if number not in joined], sorted(joined)


def _in_which(connection: Connection, alerts: Collection[UUID]) -> set[UUID]:
    """Give the incidents that alerts are in."""
    return {row["incident_id"] for row in fetch_rows(connection, _QUERIES["in_which"], {"ids": list(alerts)})}


def _heads(connection: Connection, numbers: Iterable[UUID]) -> dict[UUID, Row]:
    return {row["id"]: row for row in fetch_rows(connection, _QUERIES["heads"], {"ids": list(numbers)})}


def _merged(stretches: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Join stretches that overlap, so that no alert is read twice."""
    joined: list[tuple[datetime, datetime]] = []
    for since, until in sorted(stretches):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        else:
            joined.append((since, until))
    return joined


def _estimates(rows: Sequence[Row], places: Places) -> dict[tuple[UUID, int | None], Estimate]:
    known: dict[tuple[UUID, int | None], list[tuple[Place, Estimate]]] = {}
    for row in rows:
        path = places.path(row["site_id"])
        place = Place(path=path, device=row["device_id"], supplies=row["supplies_site"])
        for part in (row["organisation_id"], None):
            known.setdefault((row["incident_id"], part), []).append((place, estimate_of(row)))
    return {key: together(alerts) for key, alerts in known.items()}


def _columns(estimate: Estimate) -> dict[str, Any]:
    return {**asdict(estimate), "missing": list(estimate.missing)}
