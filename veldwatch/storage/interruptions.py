"""Planned interruptions: entered, changed, called off, listed; and what they explain, at once.

Contract: a change is one transaction with everything that follows from it (`veldwatch.storage.explanations`). An
interruption is never deleted: what it explained stays explained by something that can be looked at, until it is
called off. Those that come from files: `veldwatch.storage.calendars`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from veldwatch.errors import ConfigurationInvalid, Conflict, NotFound, RequestInvalid
from veldwatch.model.explanation import Patience
from veldwatch.model.identifiers import AlertId
from veldwatch.storage import alert_history, outbox
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.explanations import explain_within
from veldwatch.storage.incident_gathering import gather_alerts
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.calendar_file import CalendarEvent

KINDS = ("planned", "load_shedding")

_QUERIES = load_queries("calendar")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an interruption is: sites, with all below them, and devices, by their names."""

    sites: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An interruption that somebody enters."""

    organisation: str
    kind: str
    title: str
    begins_at: datetime
    ends_at: datetime
    place: Place
    reason: str = ""


class PlaceNames:
    """What names sites and devices of one organisation."""

    def __init__(self, connection: Connection, organisation_id: int, slug: str, devices: Collection[str]) -> None:
        self._organisation = slug
        rows = _rows(connection, "sites", {"organisation_id": organisation_id})
        self._sites: dict[str, int] = {name.casefold(): number for number, _, name in rows}
        self._slugs: dict[str, int] = {each: number for number, each, _ in rows}
        asked = {"organisation_id": organisation_id, "names": sorted(devices)}
        self._devices: dict[str, int] = {name: number for number, name in _rows(connection, "devices", asked)}

    def named(self, place: Place) -> tuple[list[int], list[int]]:
        """Find sites and devices by slug and external id.

        Raises:
            NotFound: there is none of a name.
        """
        for kind, known, said in (("site", self._slugs, place.sites), ("device", self._devices, place.devices)):
            for name in said:
                if name not in known:
                    raise NotFound(f"no {kind} {name!r} of {self._organisation!r} (expected one that is registered)")
        return sorted({self._slugs[n] for n in place.sites}), sorted({self._devices[n] for n in place.devices})

    def of_event(self, event: CalendarEvent, default: Place) -> tuple[list[int], list[int]]:
        """Find where an event is: what it names as such, else what its words name, else what was said for all.

        Raises:
            NotFound: nothing of that leads to a place.
        """
        if event.sites or event.devices:
            return self.named(Place(sites=event.sites, devices=event.devices))
        for word in event.words:
            site = self._slugs.get(word) or self._sites.get(word.casefold())
            if site is not None:
                return [site], []
        if not default.sites and not default.devices:
            said = ", ".join(map(repr, event.words)) or "nothing"
            raise NotFound(f"where it is: {said} (expected the slug or name of a site as LOCATION, or --site)")
        return self.named(default)


def add_interruption(
    connection: Connection, planned: Planned, *, author: str, scope: int | None, now: datetime, patience: Patience
) -> int:
    """Enter an interruption and give its id.

    Raises:
        RequestInvalid: no place, or an end that is not after the begin.
        NotFound: no such organisation, site or device.
    """
    _check(planned)
    with connection.transaction():
        values, site_ids, device_ids = _values(connection, planned, scope)
        ((number,),) = _rows(connection, "add", {**values, "author": author, "now": now})
        put_at(connection, number, site_ids, device_ids)
        explain_again(connection, [number], patience, now)
    return int(number)


def change_interruption(
    connection: Connection,
    number: int,
    planned: Planned,
    *,
    author: str,
    scope: int | None,
    now: datetime,
    patience: Patience,
) -> None:
    """Say anew when and where an interruption is that somebody entered, all of it; what it explains follows at once.

    Raises:
        RequestInvalid: no place, or an end that is not after the begin.
        NotFound: there is none of this id that the asker may change, or no such site or device.
        Conflict: it is off already, or comes from a calendar, which would bring it back.
    """
    _check(planned)
    with connection.transaction():
        standing = get_interruption(connection, scope, number)
        if standing["cancelled_at"] is not None:
            raise Conflict(f"interruption {number} is called off (enter a new one)")
        if standing["calendar"] is not None:
            said = f"interruption {number} comes from the calendar {standing['calendar']!r}"
            raise Conflict(f"{said} (change it there and import it again, or call this one off)")
        asked = replace(planned, organisation=standing["organisation"])
        values, site_ids, device_ids = _values(connection, asked, scope)
        _run(connection, "change", {**values, "id": number, "author": author})
        put_at(connection, number, site_ids, device_ids)
        explain_again(connection, [number], patience, now)


def cancel_interruption(
    connection: Connection, number: int, *, scope: int | None, now: datetime, patience: Patience
) -> None:
    """Call an interruption off: it explains nothing any more.

    Raises:
        NotFound: there is none of this id that the asker may change, or it is off already.
    """
    with connection.transaction():
        gone = _rows(connection, "cancel", {"ids": [number], "scope": scope, "now": now})
        if not gone:
            raise NotFound(f"no interruption {number} (list them with `veldwatch calendar list`)")
        explain_again(connection, [number], patience, now)


def list_interruptions(  # noqa: PLR0913  # a query, all of it keyword-only
    connection: Connection,
    scope: int | None,
    *,
    organisation: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    number: int | None = None,
    cancelled: bool = False,
    after: tuple[datetime, int] | None = None,
    limit: int,
) -> list[Row]:
    """List interruptions that touch a stretch, by their begin."""
    begins_at, after_id = after or (None, None)
    values = {
        "scope": scope,
        "organisation": organisation,
        "id": number,
        "since": since,
        "until": until,
        "cancelled": cancelled,
        "after": begins_at,
        "after_id": after_id,
        "limit": limit,
    }
    return fetch_rows(connection, _QUERIES["list"], values)


def get_interruption(connection: Connection, scope: int | None, number: int) -> Row:
    """Give one interruption, called off or not.

    Raises:
        NotFound: there is none of this id, or it is another organisation's.
    """
    rows = list_interruptions(connection, scope, number=number, cancelled=True, limit=1)
    if not rows:
        raise NotFound(f"no interruption {number} (list them with GET /v1/interruptions)")
    return rows[0]


def iterate_interruptions(
    connection: Connection, organisation: str | None, since: datetime | None, until: datetime | None
) -> Iterable[Row]:
    """List all interruptions of a stretch, page by page."""
    after: tuple[datetime, int] | None = None
    while rows := list_interruptions(
        connection, None, organisation=organisation, after=after, since=since, until=until, limit=1000
    ):
        yield from rows
        after = (rows[-1]["begins_at"], rows[-1]["id"])


def explain_again(connection: Connection, interruptions: Sequence[int], patience: Patience, now: datetime) -> int:
    """Explain what some interruptions explain, let what waits be looked at, and tell who listens."""
    changed = explain_within(connection, interruptions, patience, now)
    outbox.release(connection, changed, now)
    gather_alerts(connection, changed, now)
    alert_history.wake_listeners(connection, [AlertId(identity) for identity in changed])
    return len(changed)


def put_at(connection: Connection, number: int, site_ids: list[int], device_ids: list[int]) -> bool:
    """Say where an interruption is; True: it was elsewhere."""
    values = {"id": number, "site_ids": site_ids, "device_ids": device_ids}
    return _run(connection, "clear_places", values) + _run(connection, "put", values) > 0


def find_organisation(connection: Connection, slug: str, scope: int | None) -> int:
    """Give the id of an organisation that the asker may see.

    Raises:
        NotFound: there is none.
    """
    rows = _rows(connection, "organisation", {"organisation": slug, "scope": scope})
    if not rows:
        raise NotFound(f"no organisation {slug!r} (expected one that is registered)")
    return int(rows[0][0])


def check_kind(kind: str) -> None:
    """Refuse a kind that nobody knows.

    Raises:
        ConfigurationInvalid: naming those that there are.
    """
    if kind not in KINDS:
        raise ConfigurationInvalid(f"bad kind: {kind!r} (expected one of {', '.join(KINDS)})")


def _check(planned: Planned) -> None:
    check_kind(planned.kind)
    if planned.ends_at <= planned.begins_at:
        raise RequestInvalid(f"bad ends_at: {planned.ends_at.isoformat()} (expected a time after begins_at)")
    if not planned.place.sites and not planned.place.devices:
        raise RequestInvalid("an interruption of nothing (expected sites or devices)")


def _values(connection: Connection, planned: Planned, scope: int | None) -> tuple[dict[str, Any], list[int], list[int]]:
    """Give an interruption's columns, and where it is: ids of sites and of devices."""
    organisation_id = find_organisation(connection, planned.organisation, scope)
    places = PlaceNames(connection, organisation_id, planned.organisation, planned.place.devices)
    site_ids, device_ids = places.named(planned.place)
    values = {
        "organisation_id": organisation_id,
        "kind": planned.kind,
        "begins_at": planned.begins_at,
        "ends_at": planned.ends_at,
        "title": planned.title,
        "reason": planned.reason,
    }
    return values, site_ids, device_ids


def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchall()


def _run(connection: Connection, query: str, values: dict[str, Any]) -> int:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).rowcount
