"""Sources that operators edit while the platform runs, and the order in which they and those of the settings are asked.

Contract: what `save_source` stores worked when it was stored. It may stop to (a plug-in that is uninstalled), so a
reader must not trust it: `veldwatch.wire.sources.Sources` refuses the messages of one that cannot work, with a reason.
Ingest reads the table every few seconds.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from veldwatch.config import Source
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries
from veldwatch.wire.source_document import DEFAULT_PRIORITY, SourceDefinition
from veldwatch.wire.sources import check_source

_QUERIES = load_queries("sources")
_SAID = (
    "name",
    "topic_filter",
    "decoder",
    "options",
    "organisation",
    "register_unknown",
    "register_as",
    "device_pattern",
    "registrations_per_hour",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedSource:
    """A source of the database.

    Attributes:
        priority: the smallest is asked first; of equals, the first by name.
        enabled: False: it takes no message, and hides the settings' source of its name.
    """

    source: Source
    priority: int
    enabled: bool
    updated_at: datetime
    updated_by: str

    @property
    def definition(self) -> SourceDefinition:
        """Give it as operators write it."""
        return SourceDefinition.model_construct(
            **self.source.model_dump(), priority=self.priority, enabled=self.enabled
        )


class SourceCounts(NamedTuple):
    """What came of a source's messages.

    Attributes:
        devices: that it was the first to tell of.
        waiting: messages in quarantine that were not replayed.
        last_received_at: when it took a message last; None: not within the last days.
        messages_per_second: that it takes now, by all ingestors.
    """

    devices: int = 0
    waiting: int = 0
    last_received_at: datetime | None = None
    messages_per_second: float = 0.0


def list_sources(connection: Connection) -> list[EditedSource]:
    """List the sources of the database in the order in which they are asked, disabled ones too."""
    with translated_errors():
        return [_edited(row) for row in connection.execute(_QUERIES["list"]).fetchall()]


def get_source(connection: Connection, name: str) -> EditedSource:
    """Find a source of the database.

    Raises:
        NotFound: there is none of that name.
    """
    with translated_errors():
        row = connection.execute(_QUERIES["get"], {"name": name}).fetchone()
    if row is None:
        raise NotFound(f"no source {name!r} in the database (list them with `veldwatch sources list`)")
    return _edited(row)


def save_source(
    connection: Connection, source: Source, author: str, *, priority: int = DEFAULT_PRIORITY, enabled: bool = True
) -> bool:
    """Make a source, or bring it to what is said, in a transaction of its own or the caller's.

    Returns:
        False where it was like that already; nothing is changed then.

    Raises:
        ConfigurationInvalid: it could not work: filter, decoder, an option or the organisation is wrong.
    """
    check_source(source)
    try:
        json.dumps(source.options, allow_nan=False).encode()
    except ValueError as error:
        raise ConfigurationInvalid(f"bad options of source {source.name!r}: {error} (expected JSON)") from error
    values = {
        "name": source.name,
        "priority": priority,
        "topic_filter": source.topic_filter,
        "decoder": source.decoder,
        "options": Jsonb(source.options),
        "organisation": source.organisation,
        "register_unknown": source.register_unknown,
        "register_as": source.register_as,
        "device_pattern": source.device_pattern,
        "registrations_per_hour": source.registrations_per_hour,
        "enabled": enabled,
        "author": author,
    }
    with translated_errors(), connection.transaction():
        return connection.execute(_QUERIES["save"], values).fetchone() is not None


def remove_source(connection: Connection, name: str) -> None:
    """Forget a source; one of the settings with its name is asked again.

    Raises:
        NotFound: there is none of that name in the database.
    """
    with translated_errors(), connection.transaction():
        if connection.execute(_QUERIES["remove"], {"name": name}).fetchone() is None:
            raise NotFound(f"no source {name!r} in the database (list them with `veldwatch sources list`)")


def count_by_source(connection: Connection) -> dict[str, SourceCounts]:
    """Count the devices and messages of each source, by its name; '' is no source."""
    with translated_errors():
        found = connection.execute(_QUERIES["count"]).fetchall()
        traffic = connection.execute(_QUERIES["traffic"]).fetchall()
    counts = {name: SourceCounts(devices, waiting) for name, devices, waiting in found}
    for name, last, pace in traffic:
        known = counts.get(name, SourceCounts())
        counts[name] = known._replace(last_received_at=last, messages_per_second=pace)
    return counts


def in_order(edited: Sequence[EditedSource], configured: Sequence[Source]) -> list[Source]:
    """Put the enabled sources of the database before those of the settings whose names it has not."""
    names = {each.source.name for each in edited}
    return [
        *(each.source for each in edited if each.enabled),
        *(source for source in configured if source.name not in names),
    ]


def _edited(row: tuple[Any, ...]) -> EditedSource:
    *said, priority, enabled, at, by = row
    # Not checked again: a pattern that an older version took registers nothing, and must not stop all sources.
    source = Source.model_construct(**dict(zip(_SAID, said, strict=True)))
    return EditedSource(source=source, priority=priority, enabled=enabled, updated_at=at, updated_by=by)
