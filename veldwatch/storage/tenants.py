"""A tenant's role: with it, the tenant's Grafana sees the views of `dashboard`, and in them its organisation alone.

Which organisation is a row of `tenant_role`, which the views look up by `current_user` (migration 0055). What a viewer
can SET is no part of it. Roles belong to the whole server, so their names say of which database they are.
"""

import hashlib
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from veldwatch.errors import Conflict, StorageUnavailable
from veldwatch.model.identifiers import OrganisationId
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.dashboards import let_in
from veldwatch.storage.queries import load_queries

GROUP = "grafana_tenant"
"""What every tenant's role is a member of, and what the views are granted to."""

CONNECTIONS = 10
"""At once, for each tenant: as many as its data source opens."""

LONGEST_TRANSACTION = timedelta(minutes=10)
"""Of a tenant's session; then it is ended."""

NOTIFICATIONS_PILE_UP = 0.1
"""The part of their room (8 GB) from which on somebody must be keeping them; a busy platform's are gone at once."""

_LONGEST_WHILE_FULL = timedelta(seconds=20)
_LONGEST_WAIT = "10s"
_QUERIES = load_queries("tenants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation, and the role that its Grafana reads with.

    Attributes:
        role: its name now or as it would be.
        is_ready: the role exists, is the one of this database, and Grafana was told its password.
    """

    organisation_id: OrganisationId
    slug: str
    name: str
    role: str
    is_ready: bool
    told_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What a tenant's role has that it should not have.

    Attributes:
        is_missing: the server has no such role.
        privileges: beyond the views of its organisation, in words.
    """

    role: str
    is_missing: bool
    privileges: tuple[str, ...]


def place_of(connection: Connection) -> str:
    """Tell which database of which server this is: a copy on another server has another place, whatever its name."""
    [(place,)] = _rows(connection, "place")
    return str(place)


def role_name(place: str, organisation_id: OrganisationId) -> str:
    """Name the role of an organisation; at most 63 bytes, the same each time.

    Neither slug nor name is in it: every account of the server can list the server's roles, and whom else the operator
    serves is nobody's business. The id stays when an organisation is renamed.
    """
    return f"grafana_t{organisation_id}_{_hash(place)}"


def is_role_of(role: str, place: str) -> bool:
    """Tell whether a role is, or was, that of a tenant of the database at a place."""
    return re.fullmatch(rf"grafana_t[0-9]+_{_hash(place)}", role) is not None


def list_tenants(connection: Connection) -> list[Tenant]:
    """List every organisation as a tenant, in the order of slugs."""
    place = place_of(connection)
    return [
        Tenant(
            organisation_id=OrganisationId(organisation_id),
            slug=slug,
            name=name,
            role=role_name(place, OrganisationId(organisation_id)),
            is_ready=has_role and told_at is not None and role == role_name(place, OrganisationId(organisation_id)),
            told_at=told_at,
        )
        for organisation_id, slug, name, role, has_role, told_at in _rows(connection, "tenants")
    ]


def mark_of(connection: Connection, tenant: Tenant) -> str:
    """Tell by what the tenant's organisation of Grafana is known; from now on its role is one of the tenants'."""
    with translated_errors(), connection.transaction():
        values = {"role": tenant.role, "organisation_id": tenant.organisation_id}
        [(mark,)] = connection.execute(_QUERIES["mark"], values).fetchall()
    return mark


def allow_tenant(connection: Connection, tenant: Tenant) -> str:
    """Make the tenant's role, or give it another password; the password, which is kept nowhere here.

    Committed at the end, but the role counts as ready only once `mark_told` says that Grafana knows the password.

    Raises:
        StorageRejected: the account may not make roles.
        StorageUnavailable: somebody is changing the role, maybe the tenant itself.
    """
    password = secrets.token_urlsafe(32)
    mark_of(connection, tenant)
    with translated_errors(), connection.transaction():
        _wait_only_so_long(connection)
        let_in(connection, tenant.role, password, CONNECTIONS)
        # The migration's account may not have been allowed to make it, and no dump has it.
        if connection.execute("SELECT to_regrole(%s)", (GROUP,)).fetchone() == (None,):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(GROUP)))
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(GROUP), sql.Identifier(tenant.role)))
        connection.execute("SELECT grant_dashboards(%s)", (GROUP,))
        connection.execute(_QUERIES["forget_password"], {"role": tenant.role})
    return password


def mark_told(connection: Connection, role: str) -> None:
    """Remember that Grafana knows the role's password."""
    with translated_errors(), connection.transaction():
        connection.execute(_QUERIES["mark_told"], {"role": role})


def find_left_behind(connection: Connection) -> list[str]:
    """List the roles of tenants whose organisation, or whose database, is gone."""
    return [role for (role,) in _rows(connection, "roles_without_organisation")]


def drop_role(connection: Connection, role: str) -> None:
    """Remove a tenant's role, with all that it was granted here.

    Raises:
        StorageRejected: it owns or was granted something in another database.
        StorageUnavailable: somebody is changing the role, maybe the tenant itself.
    """
    name = sql.Identifier(role)
    with translated_errors(), connection.transaction():
        _wait_only_so_long(connection)
        connection.execute(_QUERIES["forget_role"], {"role": role})
        # Who made it may drop it, but what was granted to it only a member may take away; a superuser is of all.
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(name))
        connection.execute(sql.SQL("DROP OWNED BY {}").format(name))
        connection.execute(sql.SQL("DROP ROLE {}").format(name))


def _wait_only_so_long(connection: Connection) -> None:
    """A tenant that changes its role in a transaction that it leaves open holds up nobody's provisioning."""
    connection.execute("SELECT set_config('lock_timeout', %s, true)", (_LONGEST_WAIT,))


@contextmanager
def turn(connection: Connection) -> Generator[None]:
    """Provision alone: two at once would each tell Grafana a password that the other has replaced.

    Raises:
        Conflict: somebody else is at it.
    """
    if _rows(connection, "take_turn") != [(True,)]:
        raise Conflict("another `veldwatch dashboards provision` is running (wait until it has ended)")
    connection.commit()
    try:
        yield
    finally:
        with suppress(StorageUnavailable):  # the connection is gone, and the lock with it
            connection.rollback()
            _rows(connection, "end_turn")
            connection.commit()


def lets_tenants_in(connection: Connection) -> bool:
    """Tell whether some organisation has a role, on this server or on the one that the database was restored from."""
    return _rows(connection, "any_role") == [(True,)]


def close_doors(connection: Connection) -> list[str]:
    """Close what PostgreSQL leaves open to every role; what this account could not close, in words."""
    with connection.transaction():
        return [opened for (opened,) in _rows(connection, "close")]


def find_open_doors(connection: Connection) -> list[str]:
    """List what PostgreSQL leaves open to every role, in words."""
    return [opened for (opened,) in _rows(connection, "open")]


def find_excess(connection: Connection) -> list[Excess]:
    """Look at every tenant's role, in the order of their names; those that are as they should be, too."""
    return [
        Excess(role=role, is_missing=not exists, privileges=tuple(excess) if exists else ())
        for role, exists, excess in _rows(connection, "excess")
    ]


def find_careless_views(connection: Connection) -> list[str]:
    """List what tenants may read in `dashboard` that does not ask whose its rows are: views that somebody added."""
    return [view for (view,) in _rows(connection, "careless_views")]


def find_slow_readers(connection: Connection, longest: timedelta) -> list[str]:
    """List the roles of Grafana, the operator's too, that have had a transaction open for longer."""
    return [role for (role,) in _rows(connection, "slow_readers", {"longest": longest})]


def end_slow_readers(
    connection: Connection,
    longest: timedelta = LONGEST_TRANSACTION,
    longest_while_full: timedelta = _LONGEST_WHILE_FULL,
) -> list[str]:
    """End the tenants' sessions that have been in one transaction for too long, where this account may: their roles.

    What dashboards ask has 15 s; a viewer's own SQL may SET that otherwise, and then compute without end, hold up the
    log's readers, or keep the server's notifications until their room is full.
    """
    values: dict[str, object] = {
        "longest": longest,
        "longest_while_full": longest_while_full,
        "full": NOTIFICATIONS_PILE_UP,
    }
    return [role for role, ended in _rows(connection, "end_slow_readers", values) if ended]


def _rows(connection: Connection, query: str, values: dict[str, object] | None = None) -> list[tuple[Any, ...]]:
    with translated_errors():
        return connection.execute(_QUERIES[query], values).fetchall()


def _hash(place: str) -> str:
    return hashlib.sha256(place.encode()).hexdigest()[:8]
