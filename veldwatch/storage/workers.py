"""Who carries out which share of the rules' subjects: a place is an advisory lock, so that its holder's death frees it.

Contract: a connection that was given a place holds it until it ends. As long as it does nobody else has that place, and
the division stays as it is. A division is changed only while nobody holds any place of the old one, by the first who
comes with another. The new shares begin where the slowest of the old ones was in the log: what the others have folded
already is seen again and changes nothing.
"""

from datetime import datetime
from typing import NamedTuple

from veldwatch.model.places import Place, places
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.folds import forget_all_read
from veldwatch.storage.pool import fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("workers")
# Any constant: "VRUL". The second key is 0 for the division, else the place.
_LOCK = 0x5652554C


class Worker(NamedTuple):
    """A share, and how it fares.

    Attributes:
        taken: somebody carries it out.
        since: when its worker connected; None: nobody, or not to be seen by this account.
        batches: of the log that are not read yet, 10,000 at most.
        seconds: the age of the oldest of them.
    """

    place: Place
    taken: bool
    since: datetime | None
    batches: int
    seconds: float


def take_place(connection: Connection, division: int) -> Place | None:
    """Take a free place of a division, changing to that division where no worker of another is left.

    Args:
        connection: in autocommit; the place is its own until it ends.

    Returns:
        None: every place is taken, or workers of another division are still there.
    """
    if not _ask(connection, "share_division"):
        return None
    with translated_errors():
        standing = connection.execute(_QUERIES["division"]).fetchone()
    if standing != (division,):
        _ask(connection, "release_division")
        if not _ask(connection, "seize_division"):
            return None
        # Shared before it is no longer ours alone: nobody comes between.
        _ask(connection, "share_division")
        _divide(connection, division)
        _ask(connection, "yield_division")
    for place in places(division):
        if _ask(connection, "take_place", place.number):
            return place
    _ask(connection, "release_division")
    return None


def division_of(connection: Connection) -> int:
    """Tell into how many shares the subjects are divided."""
    with translated_errors():
        row = connection.execute(_QUERIES["division"]).fetchone()
    return 1 if row is None else row[0]


def list_workers(connection: Connection) -> list[Worker]:
    """List the shares in their order, with who carries them out."""
    rows = fetch_rows(connection, _QUERIES["workers"], {"lock": _LOCK})
    return [
        Worker(Place(row["place"], row["division"]), row["taken"], row["since"], row["batches"], row["seconds"])
        for row in rows
    ]


def _divide(connection: Connection, division: int) -> None:
    with translated_errors(), connection.transaction():
        old = [place.consumer for place in places(division_of(connection))]
        least = connection.execute(_QUERIES["least_cursor"], {"consumers": old}).fetchone()
        begin = log.START if least is None else log.LogCursor(int(least[0]), least[1])
        connection.execute(_QUERIES["drop_cursors"], {"consumers": old})
        for place in places(division):
            log.save_cursor(connection, place.consumer, begin)
        # What is saved may be ahead of the new cursors: each fold reads storage at its first observation.
        forget_all_read(connection, Place())
        connection.execute(_QUERIES["forget_activated"])
        connection.execute(_QUERIES["set_division"], {"places": division})


def _ask(connection: Connection, query: str, place: int = 0) -> bool:
    with translated_errors():
        row = connection.execute(_QUERIES[query], {"lock": _LOCK, "place": place}).fetchone()
    return row is not None and bool(row[0])
