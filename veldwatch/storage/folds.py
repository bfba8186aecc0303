"""What the rules engine keeps and reads: folds with their checkpoints, and the observations that they run over.

Every call takes part in the caller's transaction. Positions are microseconds since 1970-01-01 UTC, as in the log.
States are JSON that only `rules` reads. What maintenance drops from history it must first close with `close_history`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from psycopg.types.json import set_json_loads

from veldwatch.model.identifiers import OrganisationId
from veldwatch.model.places import Place
from veldwatch.model.track import NO_LIMITS, SpeedLimits, Stretch
from veldwatch.model.watched import Watched, WatchedDevice, WatchedSeries, WatchedSite
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.geometries import canonical_geometry

_QUERIES = load_queries("folds")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ROWS_AT_ONCE = 20_000

Kind = Literal["readings", "positions", "contacts"]
Key = tuple[UUID, str]


class FoldRow(NamedTuple):
    """A saved fold: its key, its state and its positions."""

    version: UUID
    subject: str
    state: Any
    position: int | None
    floor: int | None
    wake_at: int | None
    viewed_at: int | None


class LogRead(NamedTuple):
    """What of the log is in a state.

    Attributes:
        through: every transaction up to this one.
        before: of those up to this one, not included, also
        after: what was observed after this position; None: all.
    """

    through: int
    before: int = 0
    after: int | None = None


NOTHING_READ = LogRead(0)


class FoldChange(NamedTuple):
    """What is to be saved of a fold.

    Attributes:
        state: JSON text.
        rewound_to: checkpoints from here on are void; None: all stand.
        checkpoints: new ones, position to JSON text.
        read: None: not known.
    """

    version: UUID
    subject: str
    state: str
    position: int | None
    floor: int | None
    wake_at: int | None
    viewed_at: int | None
    rewound_to: int | None
    checkpoints: Mapping[int, str]
    superfluous: Sequence[int]
    read: LogRead | None


def read_watched(connection: Connection) -> Watched:
    """Read the devices that are not retired, their series, and all sites."""
    with translated_errors():
        devices = connection.execute(_QUERIES["watched_devices"]).fetchall()
        series = connection.execute(_QUERIES["watched_series"]).fetchall()
        sites = connection.execute(_QUERIES["watched_sites"]).fetchall()
        stretches = connection.execute(_QUERIES["watched_stretches"]).fetchall()
    limits = _speed_limits(stretches)
    shapes = ((OrganisationId(row[1]), row[3], _shape(row[7])) for row in sites if row[7] is not None)
    return Watched(
        devices=tuple(_device(row, limits) for row in devices),
        series=tuple(
            WatchedSeries(id=i, device_id=device, metric=metric, unit=unit) for i, device, metric, unit in series
        ),
        sites=tuple(_site(row) for row in sites),
        shapes={(organisation, slug): shape for organisation, slug, shape in shapes if shape is not None},
    )


def visible_before(connection: Connection) -> int:
    """Give the transaction id before which all is over: what such transactions wrote, later reads see."""
    with translated_errors():
        row = connection.execute(_QUERIES["visible_before"]).fetchone()
    return 0 if row is None else int(row[0])


def load_folds(connection: Connection, keys: Sequence[Key]) -> list[FoldRow]:
    """Load folds; those that were never saved are left out."""
    with translated_errors():
        rows = connection.execute(_QUERIES["load_folds"], _named(keys)).fetchall()
    return [FoldRow(*row) for row in rows]


def read_folds(connection: Connection, place: Place) -> Iterator[tuple[FoldRow, LogRead]]:
    """Read all folds of a share of which it is known what of the log is in them; call it in a transaction."""
    with translated_errors(), connection.cursor(name="read_folds") as cursor:
        set_json_loads(msgspec.json.decode, cursor)
        cursor.execute(_QUERIES["read_folds"], _share(place), binary=True)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            for *columns, through, before, after in rows:
                yield FoldRow(*columns), LogRead(through, before or 0, after)


def forget_read(connection: Connection, keys: Sequence[Key]) -> None:
    """Let it be unknown what of the log is in folds that nobody follows from now on."""
    if keys:
        with translated_errors():
            connection.execute(_QUERIES["forget_read"], _named(keys))


def forget_all_read(connection: Connection, place: Place) -> None:
    """Let it be unknown what of the log is in the folds of a share."""
    with translated_errors():
        connection.execute(_QUERIES["forget_all_read"], _share(place))


def snapshot(connection: Connection) -> str:
    """Give what is seen now, for `has_register_changed`."""
    with translated_errors():
        row = connection.execute(_QUERIES["snapshot"]).fetchone()
    assert row is not None  # noqa: S101  # a SELECT of one value
    return row[0]


def has_register_changed(connection: Connection, seen: str) -> bool:
    """Tell whether rules or register may have been changed by what a snapshot of less than a day ago did not see."""
    with translated_errors():
        row = connection.execute(_QUERIES["has_register_changed"], {"seen": seen}).fetchone()
    return row is None or bool(row[0])


def load_checkpoints(connection: Connection, keys: Sequence[Key]) -> dict[Key, list[int]]:
    """List the positions of the checkpoints of folds, oldest first; those that have none are left out."""
    with translated_errors():
        rows = connection.execute(_QUERIES["checkpoints"], _named(keys)).fetchall()
    return {(version, subject): positions for version, subject, positions in rows}


def load_checkpoint(connection: Connection, key: Key, before: int) -> tuple[int, Any] | None:
    """Load the newest state of a fold from before a position."""
    values = {"version": key[0], "subject": key[1], "before": _time(before)}
    with translated_errors():
        row = connection.execute(_QUERIES["load_checkpoint"], values).fetchone()
    return None if row is None else (row[0], row[1])


def due_folds(connection: Connection, place: Place, now: int, limit: int) -> list[Key]:
    """List folds of a share whose time to wake has come, the longest due first."""
    values = {"now": _time(now), "limit": limit, **_share(place)}
    with translated_errors():
        rows = connection.execute(_QUERIES["due_folds"], values).fetchall()
    return [(version, subject) for version, subject in rows]


def save_folds(connection: Connection, changes: Sequence[FoldChange]) -> None:
    """Save folds, and bring their checkpoints to what is said."""
    void = [(change, change.rewound_to) for change in changes if change.rewound_to is not None]
    drop = [(change, position) for change in changes for position in change.superfluous]
    new = [(change, *kept) for change in changes for kept in change.checkpoints.items()]
    with translated_errors(), connection.cursor() as cursor:
        for start in range(0, len(changes), _ROWS_AT_ONCE):
            cursor.execute(_QUERIES["save_folds"], _columns(changes[start : start + _ROWS_AT_ONCE]))
        for query, rows in (("void_checkpoints", void), ("drop_checkpoints", drop)):
            if rows:
                cursor.execute(_QUERIES[query], _at(rows))
        if new:
            states = [state for _, _, state in new]
            cursor.execute(_QUERIES["save_checkpoints"], {**_at([row[:2] for row in new]), "states": states})


def forget_wakes(connection: Connection, keys: Sequence[Key]) -> None:
    """Let folds sleep that nobody follows."""
    if keys:
        with translated_errors():
            connection.execute(_QUERIES["forget_wakes"], _named(keys))


def close_history(connection: Connection, before: datetime, subjects: Sequence[str] | None = None) -> None:
    """Let no fold run over observations from before a time again; call it in the transaction that drops them.

    Args:
        subjects: only folds over these (`series:17`, `device:4`), and those that run over several; None: all.
    """
    values = {"before": before, "subjects": None if subjects is None else list(subjects)}
    with translated_errors(), connection.transaction():
        for query in ("raise_floors", "close_floors", "keep_closed_floors", "drop_closed_checkpoints"):
            connection.execute(_QUERIES[query], values)


def floor_of_history(connection: Connection, kind: Kind, source_id: int, since: datetime, least: int) -> int | None:
    """Tell up to where a source's history is too old for a new rule: before `since` and not of its newest `least`.

    Returns:
        None: all of it is to be folded.
    """
    values = {"source": source_id, "since": since, "least": least}
    with translated_errors():
        row = connection.execute(_QUERIES[f"{kind}_floor"], values).fetchone()
    return None if row is None else row[0]


def read_observations(
    connection: Connection,
    kind: Kind,
    after: Sequence[tuple[int, int | None]],
    *,
    limit: int,
    until: datetime | None = None,
) -> list[list[tuple[Any, ...]]]:
    """Read observations of sources after their positions, oldest first.

    Args:
        after: source (series or device) and position; None: from the first on.
        limit: at most so many of each.
        until: only those before this time; None: all.

    Returns:
        For each of `after`, in its order: (microseconds, value), (microseconds, longitude, latitude, accuracy) or
        (microseconds,).
    """
    pages: list[list[tuple[Any, ...]]] = [[] for _ in after]
    values = {
        "sources": [source for source, _ in after],
        "after": [_time(position) for _, position in after],
        "limit": limit,
        "until": until,
    }
    with translated_errors():
        for number, *observation in connection.execute(_QUERIES[kind], values, binary=True):
            pages[number].append(tuple(observation))
    return pages


def read_samples(
    connection: Connection, series: Sequence[int], after: int | None, *, limit: int, until: datetime | None = None
) -> list[tuple[int, int, float]]:
    """Read what several series of a device said after a position: series, microseconds, value; oldest first.

    Args:
        limit: at most so many, so that the last instant may lack some.
    """
    values = {"series": list(series), "after": _time(after), "limit": limit, "until": until}
    with translated_errors():
        return connection.execute(_QUERIES["samples"], values, binary=True).fetchall()


def read_events(
    connection: Connection,
    device: int,
    kinds: Sequence[str],
    after: int | None,
    *,
    limit: int,
    until: datetime | None = None,
) -> list[tuple[int, str, str]]:
    """Read a device's events of some kinds after a position: microseconds, kind, attributes as JSON; oldest first.

    Args:
        limit: at most so many, so that the last instant may lack some.
    """
    values = {"device": device, "kinds": list(kinds), "after": _time(after), "limit": limit, "until": until}
    with translated_errors():
        return connection.execute(_QUERIES["events"], values, binary=True).fetchall()


def floor_of_events(
    connection: Connection, device: int, kinds: Sequence[str], since: datetime, least: int
) -> int | None:
    """Tell up to where a device's events are too old for a new rule, as `floor_of_history` does."""
    values = {"source": device, "kinds": list(kinds), "since": since, "least": least}
    with translated_errors():
        row = connection.execute(_QUERIES["events_floor"], values).fetchone()
    return None if row is None else row[0]


def read_members(
    connection: Connection, kind: Kind, members: Sequence[int], since: int, until: int
) -> list[tuple[Any, ...]]:
    """Read the observations of many sources within (since, until], oldest first.

    Returns:
        (source, microseconds, value), (source, microseconds, longitude, latitude) or (source, microseconds).
    """
    values = {"members": list(members), "since": _time(since), "until": _time(until)}
    with translated_errors():
        return connection.execute(_QUERIES[f"members_{kind}"], values, binary=True).fetchall()


def first_of_members(connection: Connection, kind: Kind, members: Sequence[int]) -> int | None:
    """Tell when the first of many sources was observed first, in microseconds; None: none ever was."""
    with translated_errors():
        row = connection.execute(_QUERIES[f"first_{kind}"], {"members": list(members)}).fetchone()
    return None if row is None else row[0]


def _site(row: tuple[Any, ...]) -> WatchedSite:
    number, organisation_id, organisation, slug, name, kind, path, _ = row
    return WatchedSite(
        id=number,
        organisation_id=organisation_id,
        organisation=organisation,
        slug=slug,
        name=name,
        kind=kind,
        path=tuple(path),
    )


def _device(row: tuple[Any, ...], limits: Mapping[int, SpeedLimits]) -> WatchedDevice:
    number, organisation_id, organisation, external_id, name, profile, site_id, site, path, tags = row
    return WatchedDevice(
        id=number,
        organisation_id=organisation_id,
        organisation=organisation,
        external_id=external_id,
        name=name,
        profile=profile,
        site_id=site_id,
        site=site,
        site_path=tuple(path or ()),
        tags=tuple(tags),
        speed_limits=limits.get(number, NO_LIMITS),
    )


def _speed_limits(
    rows: Iterable[tuple[int, int | None, int | None, float | None, float | None]],
) -> dict[int, SpeedLimits]:
    found: dict[int, list[Stretch]] = {}
    for device, since, until, maximum, travel in rows:
        stretch = Stretch(since=since, until=until, maximum_speed=maximum, travel_speed=travel)
        found.setdefault(device, []).append(stretch)
    return {device: SpeedLimits(tuple(stretches)) for device, stretches in found.items()}


def _shape(geometry: object) -> str | None:
    try:
        return canonical_geometry(geometry)
    except ValueError:
        return None


def _named(keys: Iterable[Key]) -> dict[str, object]:
    listed = list(keys)
    return {"versions": [version for version, _ in listed], "subjects": [subject for _, subject in listed]}


def _columns(changes: Sequence[FoldChange]) -> dict[str, object]:
    reads = [change.read for change in changes]
    return {
        **_named((change.version, change.subject) for change in changes),
        "positions": [_time(change.position) for change in changes],
        "floors": [_time(change.floor) for change in changes],
        "wakes": [_time(change.wake_at) for change in changes],
        "views": [_time(change.viewed_at) for change in changes],
        "states": [change.state for change in changes],
        "throughs": [None if read is None else str(read.through) for read in reads],
        "befores": [str(read.before) if read and read.before > read.through + 1 else None for read in reads],
        "afters": [_time(read.after) if read and read.before > read.through + 1 else None for read in reads],
    }


def _at(places: Sequence[tuple[FoldChange, int]]) -> dict[str, object]:
    named = _named((change.version, change.subject) for change, _ in places)
    return {**named, "positions": [_time(position) for _, position in places]}


def _share(place: Place) -> dict[str, object]:
    return {"place": place.number, "division": place.division}


def _time(position: int | None) -> datetime | None:
    if position is None:
        return None
    # A fold that goes back to its very beginning names a position before any that a datetime can hold.
    return _EPOCH + timedelta(microseconds=max(position, -(10**15)))
