"""What a database wants before and after a dump is read into it; the dump itself is PostgreSQL's own tools' work."""

from collections.abc import Generator
from contextlib import contextmanager

from veldwatch.errors import Conflict
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.migrate import MigrationReport, check_encoding, keep_migrations_out, migrate
from veldwatch.storage.restore_mark import check_restored, set_mark, take_mark_away
from veldwatch.storage.tenants import close_doors, lets_tenants_in

# Commands, not queries: no server prepares them, so they are not among the named ones.
_TABLES = b"""
SELECT count(*) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
"""
# Roles are in no dump: those that the dashboards' views are granted to, as migrations 9 and 55 make them.
_MAKE_READER = b"""
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        CREATE ROLE grafana_ro NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
        ALTER ROLE grafana_ro SET default_transaction_read_only = on;
        ALTER ROLE grafana_ro SET statement_timeout = '15s';
        ALTER ROLE grafana_ro SET idle_in_transaction_session_timeout = '30s';
        ALTER ROLE grafana_ro SET search_path = dashboard;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_tenant') THEN
        CREATE ROLE grafana_tenant NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
END;
$$
"""
_MAKE_EXTENSION = b"CREATE EXTENSION IF NOT EXISTS timescaledb"
_BEFORE = b"SELECT timescaledb_pre_restore()"
_AFTER = b"SELECT timescaledb_post_restore()"
_ANALYZE = b"ANALYZE"


def check_empty(connection: Connection) -> None:
    """Refuse to write over anything, or into what cannot hold it.

    Raises:
        Conflict: the database has tables.
        SchemaMismatch: those of a restore that did not end.
        ConfigurationInvalid: it is not in UTF-8.
    """
    check_encoding(connection)
    check_restored(connection)
    with translated_errors():
        row = connection.execute(_TABLES).fetchone()
    if row is None or row[0]:
        raise Conflict(
            f"the database {connection.info.dbname!r} has tables (expected an empty one: restore into a new database)"
        )


@contextmanager
def restoring(connection: Connection, *, timescale: bool) -> Generator[None]:
    """Mark a database and prepare it for a dump, and let its jobs run again afterwards; `finish` takes the mark away.

    Args:
        connection: in autocommit.
        timescale: the dump is of a database with TimescaleDB.

    Raises:
        Conflict: the database has tables by now, or somebody else restores into it.
    """
    with connection.transaction():
        # Who began to migrate before is waited for, and seen; who comes later sees the mark.
        keep_migrations_out(connection)
        check_empty(connection)
        set_mark(connection)
    with translated_errors():
        connection.execute(_MAKE_READER)
        if timescale:
            connection.execute(_MAKE_EXTENSION)
            connection.execute(_BEFORE)
    try:
        yield
    finally:
        if timescale:
            with translated_errors():
                connection.execute(_AFTER)


def finish(connection: Connection) -> MigrationReport:
    """Bring what was restored to this program's schema, its log to this server's transactions, and make statistics.

    What PostgreSQL leaves open to every role, of the database and of its own functions, is in no dump: it is closed
    again where tenants are let in. What this account may not close, `veldwatch doctor` tells.

    Raises:
        SchemaMismatch: it is of a newer program, which has to restore it.
    """
    report = migrate(connection, restoring=True)
    if lets_tenants_in(connection):
        close_doors(connection)
    take_mark_away(connection)
    with translated_errors():
        connection.commit()
        connection.execute(_ANALYZE)
        connection.commit()
    return report
