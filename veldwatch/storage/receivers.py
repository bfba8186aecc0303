"""Receivers: who is told of alerts, through which channel, from which severity on.

A webhook's secret goes in and is read only by the deliverer (`veldwatch.storage.outbox`); no list shows it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from veldwatch.errors import ConfigurationInvalid, Conflict, NotFound
from veldwatch.model.notifications import SEVERITIES, Channel, check_address
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("receivers")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReceiver:
    """A receiver to be added.

    Attributes:
        organisation: slug; None: alerts of every organisation.
        secret: key of a webhook's signature (`whsec_...`); None: deliveries are not signed.
    """

    slug: str
    channel: Channel
    address: str
    organisation: str | None = None
    minimum_severity: str = "info"
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A receiver as it may be shown: without its secret."""

    id: int
    slug: str
    organisation: str | None
    channel: Channel
    address: str
    minimum_severity: str
    enabled: bool
    created_at: datetime
    signed: bool


class ReceiverSort(NamedTuple):
    """What a receiver has in common with others; it never changes.

    Attributes:
        organisation_id: None: alerts of every organisation.
    """

    channel: Channel
    organisation_id: int | None


def add_receiver(connection: Connection, new: NewReceiver) -> int:
    """Add a receiver and return its id.

    Raises:
        ConfigurationInvalid: slug, address, severity or secret is wrong.
        NotFound: no such organisation.
        Conflict: the slug is taken (also by a disabled receiver, whose history stays its own).
    """
    check_receiver(new)
    with translated_errors(), connection.transaction():
        organisation_id = None if new.organisation is None else _organisation(connection, new.organisation)
        row = connection.execute(
            _QUERIES["add"],
            {
                "slug": new.slug,
                "organisation_id": organisation_id,
                "channel": new.channel.value,
                "address": new.address,
                "secret": new.secret,
                "minimum_severity": new.minimum_severity,
            },
        ).fetchone()
    if row is None:
        raise Conflict(f"receiver {new.slug!r} exists already (choose another slug, or enable it again)")
    return int(row[0])


def list_receivers(connection: Connection, organisation_id: int | None = None) -> list[Receiver]:
    """List receivers by slug; with an organisation, only those of that organisation."""
    with translated_errors():
        rows = connection.execute(_QUERIES["list"], {"organisation_id": organisation_id}).fetchall()
    return [_receiver(row) for row in rows]


def sorts_of(connection: Connection, receivers: Sequence[int]) -> dict[int, ReceiverSort]:
    """Tell of which sort some receivers are, by id."""
    with translated_errors():
        rows = connection.execute(_QUERIES["sorts"], {"ids": list(receivers)}).fetchall()
    return {receiver: ReceiverSort(Channel(channel), organisation_id) for receiver, channel, organisation_id in rows}


def tried_in_vain(connection: Connection) -> set[int]:
    """Give the receivers with a notification that failed for now and is still to be told."""
    with translated_errors():
        return {receiver for (receiver,) in connection.execute(_QUERIES["tried_in_vain"])}


def disable_receiver(connection: Connection, slug: str, organisation_id: int | None = None) -> None:
    """Stop telling a receiver; its history is kept.

    Raises:
        NotFound: no such receiver, or it is another organisation's.
    """
    _switch(connection, "disable", slug, organisation_id)


def enable_receiver(connection: Connection, slug: str, organisation_id: int | None = None) -> None:
    """Tell a receiver of what happens from now on.

    Raises:
        NotFound: no such receiver, or it is another organisation's.
    """
    _switch(connection, "enable", slug, organisation_id)


def check_receiver(new: NewReceiver) -> None:
    """Refuse a receiver that could never be told.

    Raises:
        ConfigurationInvalid: naming the value and what was expected.
    """
    if not _SLUG.fullmatch(new.slug):
        raise ConfigurationInvalid(
            f"bad receiver: {new.slug!r} (expected 1 to 63 of a-z, 0-9 and -, not starting with -)"
        )
    if new.minimum_severity not in SEVERITIES:
        raise ConfigurationInvalid(
            f"bad minimum severity: {new.minimum_severity!r} (expected one of {', '.join(SEVERITIES)})"
        )
    if new.secret is not None and new.channel is not Channel.WEBHOOK:
        raise ConfigurationInvalid(f"receiver {new.slug!r}: a secret signs webhooks, {new.channel.value} has none")
    if new.secret is not None and len(new.secret) < 16:
        raise ConfigurationInvalid(f"receiver {new.slug!r}: the secret is too short (expected 16 characters or more)")
    check_address(new.channel, new.address)


def _organisation(connection: Connection, slug: str) -> int:
    row = connection.execute(_QUERIES["organisation"], {"slug": slug}).fetchone()
    if row is None:
        raise NotFound(f"no organisation {slug!r} (list them with GET /v1/organisations)")
    return int(row[0])


def _switch(connection: Connection, query: str, slug: str, organisation_id: int | None) -> None:
    with translated_errors(), connection.transaction():
        row = connection.execute(_QUERIES[query], {"slug": slug, "organisation_id": organisation_id}).fetchone()
    if row is None:
        raise NotFound(f"no receiver {slug!r} (list them with `veldwatch notify receiver list`)")


def _receiver(row: tuple[Any, ...]) -> Receiver:
    receiver_id, slug, organisation, channel, address, minimum_severity, enabled, created_at, signed = row
    return Receiver(
        id=receiver_id,
        slug=slug,
        organisation=organisation,
        channel=Channel(channel),
        address=address,
        minimum_severity=minimum_severity,
        enabled=enabled,
        created_at=created_at,
        signed=signed,
    )
