"""Bearer tokens: made once, shown once, kept only as a digest.

A token has 256 random bits, so a plain SHA-256 is as good as a slow hash, and its lookup by the unique index tells
nothing by its timing: who can vary the digest's first bytes at will has already broken SHA-256.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

PREFIX = "vw_"
_QUERIES = load_queries("tokens")


class Role(StrEnum):
    """What a token may do."""

    VIEWER = "viewer"
    """Read everything in its scope."""

    OPERATOR = "operator"
    """Read, and also acknowledge, comment, and change rules, receivers and simulated faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who asks, and what they may see and do.

    Attributes:
        organisation: slug of the one organisation that may be seen; None: all.
        scope: the same as an id, for queries.
    """

    name: str
    role: Role
    organisation: str | None
    scope: int | None


def create_token(
    connection: Connection,
    *,
    name: str,
    role: Role,
    organisation: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Make a token in the caller's transaction and return it: it can never be shown again.

    Raises:
        ConfigurationInvalid: the name is empty or longer than 128 characters.
        NotFound: no such organisation.
    """
    if not 1 <= len(name.strip()) <= 128:
        raise ConfigurationInvalid(f"bad token name: {name!r} (expected 1 to 128 characters that say whose it is)")
    token = PREFIX + secrets.token_urlsafe(32)
    row = {
        "name": name.strip(),
        "digest": _digest(token),
        "role": role.value,
        "organisation_id": None if organisation is None else _organisation_id(connection, organisation),
        "expires_at": expires_at,
    }
    fetch_row(connection, _QUERIES["create"], row)
    return token


def find_bearer(connection: Connection, token: str) -> Bearer | None:
    """Say who bears a token; None when it is unknown, revoked or over."""
    row = fetch_row(connection, _QUERIES["find"], {"digest": _digest(token)})
    if row is None:
        return None
    return Bearer(
        name=row["name"], role=Role(row["role"]), organisation=row["organisation"], scope=row["organisation_id"]
    )


def list_tokens(connection: Connection) -> list[Row]:
    """List all tokens, also those that are revoked, oldest first, without anything that would let one in."""
    return fetch_rows(connection, _QUERIES["list"], {})


def revoke_token(connection: Connection, token_id: int) -> str:
    """End a token and return its name.

    Raises:
        NotFound: there is none of this id.
    """
    row = fetch_row(connection, _QUERIES["revoke"], {"id": token_id})
    if row is None:
        raise NotFound(f"no token {token_id!r} (list them with `veldwatch token list`)")
    return str(row["name"])


def _organisation_id(connection: Connection, slug: str) -> int:
    row = fetch_row(connection, _QUERIES["organisation"], {"slug": slug})
    if row is None:
        raise NotFound(f"no organisation {slug!r} (expected the slug of a registered one)")
    return int(row["id"])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
