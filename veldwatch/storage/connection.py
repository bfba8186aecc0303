"""Connections to the database, and the one place where driver errors become ours.

A connection here has UTC as its time zone, gives times as aware datetimes, and is not in autocommit unless asked:
what belongs together is committed together, by `with connection.transaction()`.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from veldwatch.errors import ConfigurationInvalid, StorageError, StorageRejected, StorageUnavailable

Connection = psycopg.Connection[tuple[Any, ...]]

# SQLSTATE classes after which the same call may work later.
# Source: PostgreSQL manual, appendix A; the choice follows Telegraf's outputs/postgresql.
_TEMPORARY_CLASSES = frozenset(
    {
        "08",  # connection exception
        "25",  # invalid transaction state: a failover leaves a read-only server behind
        "40",  # serialization failure, deadlock
        "53",  # out of memory, disk or connections
        "55",  # lock not available, object in use
        "57",  # shut down, query cancelled
        "58",  # I/O error on the server
        "XX",  # internal error: a torn page says nothing about our values
    }
)
# Of class 53, but the same statement meets the same limit again: temporary files, rows of a columnstore to be opened.
_LIMIT_EXCEEDED = "53400"
# Of a class that is permanent, but about the server, not about our values: notifications pile up, and the transaction
# cannot commit before somebody has read them. Source: PostgreSQL, src/backend/commands/async.c.
_NOTIFICATIONS_ARE_FULL = ("54000", "PreCommit_Notify")


def split_password(dsn: str) -> tuple[str, str | None]:
    """Take the password out of a connection string: for tools that are given the rest as an argument.

    Raises:
        StorageRejected: the connection string cannot be read.
    """
    parts = _read(dsn)
    password = parts.pop("password", None)
    return make_conninfo("", **parts), None if password is None else str(password)


def connect(dsn: str, *, autocommit: bool = False, application: str = "veldwatch", prepare: bool = True) -> Connection:
    """Open a connection.

    Args:
        prepare: False: no statement is kept prepared, for a pooler that shares its sessions among clients.

    Raises:
        StorageUnavailable: nobody answers within 10 s, the server is starting or stopping, or it refuses the account
            or the database (libpq gives no SQLSTATE while connecting; a server that is being restored does this too).
        StorageRejected: the connection string cannot be read.
        ConfigurationInvalid: there is none; libpq would quietly take its own defaults.
    """
    if not dsn.strip():
        raise ConfigurationInvalid(
            "bad VELDWATCH_DSN: '' (expected a connection string, or `veldwatch up` running in this folder)"
        )
    options = _read(dsn).get("options") or ""
    with translated_errors():
        return psycopg.connect(
            dsn,
            autocommit=autocommit,
            application_name=application,
            connect_timeout=10,
            prepare_threshold=5 if prepare else None,
            options=f"{options} -c timezone=UTC",
            # Found dead within a minute, so that a lost server does not hold a program for the kernel's two hours.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )


def _read(dsn: str) -> dict[str, Any]:
    """Take a connection string apart. What libpq says of one that it cannot read may quote the password.

    A password with `/` or `@` that is not written as %2F or %40 is read as port or host, and would be quoted as such.
    """
    with suppress(psycopg.ProgrammingError):
        parts = conninfo_to_dict(dsn)
        # at the beginning it is a socket of Linux without a file
        if "@" not in str(parts.get("host", ""))[1:] and re.fullmatch(r"[0-9,]*", str(parts.get("port", ""))):
            return dict(parts)
    raise StorageRejected(
        "bad VELDWATCH_DSN: a secret (expected an address such as postgresql://user@host:5432/database, what is special"
        " in a password as %40 and the like, or words such as host=... user=...)"
    )


@contextmanager
def translated_errors() -> Generator[None]:
    """Raise `StorageUnavailable` or `StorageRejected` in place of the driver's errors."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error) from error


def translate(error: psycopg.Error) -> StorageError:
    """Tell temporary from permanent by SQLSTATE.

    An error without a SQLSTATE comes from the connection, not from the server, and is temporary.
    """
    state = error.sqlstate
    message = f"{state or 'no answer'}: {str(error).strip()}"
    if state is None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return StorageUnavailable(message)
    if state is not None and state[:2] in _TEMPORARY_CLASSES and state != _LIMIT_EXCEEDED:
        return StorageUnavailable(message)
    if (state, error.diag.source_function) == _NOTIFICATIONS_ARE_FULL:
        return StorageUnavailable(message)
    return StorageRejected(message)
