"""Databases for tests: a migrated template on a server, and a fresh clone of it for each test.

The server is the one that `VELDWATCH_TEST_DSN` names, else an embedded PostgreSQL of this test process alone. Clones
are copies of files (0.06 s of processor time with their removal), so each test has the whole schema, its own commits
and no neighbours.
"""

import fcntl
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from launch.embedded_postgres import EmbeddedPostgres
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.migrate import migrate

OF_ONE_SERVER = ("register_change",)
"""Tables of transactions of one server, which a restore into another empties where that one has not come so far."""

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  # a private folder is made in it
_PREFIX, _OWNED = "veldwatch-tests-", "owned.lock"
_YOUNG_SECONDS = 60
_ROOM_BYTES = 3 << 30  # the write-ahead log may take 2 GiB, and clones hold 12 MB and what a test writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A migrated database that is only ever copied.

    Attributes:
        admin_dsn: an account that may create databases.
        description: edition and versions, for the header of the run.
    """

    admin_dsn: str
    name: str
    description: str


@contextmanager
def server() -> Generator[str]:
    """Give the administrator's DSN of a server for the tests of this process."""
    named = os.environ.get("VELDWATCH_TEST_DSN")
    if named:
        yield named
        return
    with own_server() as dsn:
        yield dsn


@contextmanager
def own_server(options: Mapping[str, str] | None = None) -> Generator[str]:
    """Give the administrator's DSN of an embedded server that is started, and ended with the block.

    Args:
        options: as in postgresql.conf.
    """
    # Not below pytest's own folder: that is closed to the account that the server runs as under root.
    memory = _memory()
    _remove_abandoned(memory or Path(tempfile.gettempdir()))
    home = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=memory))
    home.chmod(0o711)
    postgres = EmbeddedPostgres(home, options=options)
    with (home / _OWNED).open("w") as owned:
        fcntl.flock(owned, fcntl.LOCK_EX)
        try:
            postgres.start()
            dsn = postgres.dsn("postgres")
            _trade_safety_for_speed(dsn)
            yield dsn
        finally:
            postgres.stop()
            shutil.rmtree(home, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove what runs left behind that were killed: nobody holds the lock of theirs any more."""
    for home in folder.glob(f"{_PREFIX}*"):
        try:
            with (home / _OWNED).open("r+") as owned:
                # One that was just made is about to be locked.
                if time.time() - os.fstat(owned.fileno()).st_mtime > _YOUNG_SECONDS:
                    fcntl.flock(owned, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(home, ignore_errors=True)
        except OSError:
            continue  # in use, somebody else's, or gone


def _memory() -> Path | None:
    """Give a file system in memory with room for a server's files; None: there is none, and the usual place has to do.

    Each clone makes and removes 600 files. ext4 walks past the inodes of files that were removed within the last five
    seconds, one by one: after forty clones one costs ten times as much as the first.
    Source: `recently_deleted` and `find_inode_bit` in Linux's fs/ext4/ialloc.c.
    """
    return _SHARED_MEMORY if _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free > _ROOM_BYTES else None


@contextmanager
def template(admin_dsn: str) -> Generator[Template]:
    """Make and migrate a database to be copied; it is dropped at the end."""
    name = _new_name("template")
    with _database(admin_dsn, name):
        with connect(make_conninfo(admin_dsn, dbname=name), application="tests") as connection:
            report = migrate(connection)
        # Nobody may be connected to a database that is being copied, TimescaleDB's own workers included.
        with psycopg.connect(admin_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield Template(admin_dsn=admin_dsn, name=name, description=str(report.server))


@contextmanager
def clone(source: Template) -> Generator[str]:
    """Give the DSN of a fresh copy; it is dropped at the end, whoever is still connected."""
    name = _new_name("test")
    with _database(source.admin_dsn, name, source.name):
        yield make_conninfo(source.admin_dsn, dbname=name)


def remember_rows(connection: Connection) -> None:
    """Keep aside what migrations wrote, for `empty_tables`; once, on a migrated database without other rows."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS first_state")
    for (name,) in _ordinary_tables(connection):
        source = sql.Identifier("public", name)
        if connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(source)).fetchone() == (True,):
            kept = sql.Identifier("first_state", name)
            connection.execute(sql.SQL("CREATE TABLE {} AS TABLE {}").format(kept, source))
    connection.commit()


def empty_tables(connection: Connection) -> None:
    """Bring a TimescaleDB that cannot be copied back to its first state: rows of migrations, identities from 1."""
    names = sql.SQL(", ").join(sql.Identifier("public", name) for (name,) in _ordinary_tables(connection))
    connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
    connection.execute("SET LOCAL session_replication_role = replica")  # their order does not matter, nor do triggers
    for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'first_state'").fetchall():
        target, kept = sql.Identifier("public", name), sql.Identifier("first_state", name)
        connection.execute(sql.SQL("INSERT INTO {} OVERRIDING SYSTEM VALUE TABLE {}").format(target, kept))
    connection.commit()


_SCHEMA = """
SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
    SELECT concat_ws(' ', 'migration', number, digest) AS line FROM public.migration
    UNION ALL
    SELECT concat_ws(' ', 'relation', relname, relkind, relowner, relacl, reloptions, pg_get_viewdef(oid)) AS line
    FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|_timescaledb)')
    UNION ALL
    SELECT concat_ws(' ', 'column', attrelid::regclass, attname, atttypid, attnotnull)
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
    WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|_timescaledb)')
    UNION ALL
    SELECT concat_ws(' ', 'function', proname, md5(prosrc), proowner, proacl)
    FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^(pg_|_timescaledb)')
    UNION ALL
    SELECT concat_ws(' ', 'leakproof', count(*)) FROM pg_proc WHERE proleakproof
    UNION ALL
    SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', 'role', rolname, rolsuper, rolcanlogin, rolconfig) FROM pg_roles
    UNION ALL
    SELECT concat_ws(' ', 'job', proc_name, schedule_interval, scheduled, config) FROM timescaledb_information.jobs
) AS lines
"""


def schema_digest(connection: Connection) -> str:
    """Give a digest of what tests may alter: relations, functions, roles, TimescaleDB's jobs, rows of migrations."""
    row = connection.execute(_SCHEMA).fetchone()
    connection.commit()
    assert row is not None
    return row[0]


def _ordinary_tables(connection: Connection) -> list[tuple[str]]:
    return connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration' ORDER BY 1"
    ).fetchall()


def await_log(connection: Connection) -> None:
    """Wait until all that was committed can be read from the log.

    A transaction of anybody in the same database holds it up, an automatic ANALYZE too.
    """
    deadline = time.monotonic() + 20
    query = "SELECT coalesce(bool_and(xid < (SELECT log_settled_before())), true) FROM batch"
    while connection.execute(query).fetchone() != (True,):
        connection.commit()
        assert time.monotonic() < deadline, "a transaction on the test server has been open for 20 s"
        time.sleep(0.01)
    connection.commit()


@contextmanager
def empty(admin_dsn: str) -> Generator[str]:
    """Give the DSN of a database without any schema, for tests of migrations."""
    name = _new_name("empty")
    with _database(admin_dsn, name):
        yield make_conninfo(admin_dsn, dbname=name)


@contextmanager
def _database(admin_dsn: str, name: str, copied_from: str = "template0") -> Generator[None]:
    # Not template1: TimescaleDB's workers look into that one now and then.
    identifier = sql.Identifier(name)
    # Files copied as they are: a fifth of what it costs to write each block to the WAL, on a server that does not sync.
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        admin.execute(create.format(identifier, sql.Identifier(copied_from)))
    try:
        yield
    finally:
        with psycopg.connect(admin_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def _new_name(purpose: str) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"veldwatch_{purpose}_{worker}_{secrets.token_hex(4)}"


def _trade_safety_for_speed(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        for statement in (
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "ALTER SYSTEM SET synchronous_commit = off",
            "SELECT pg_reload_conf()",
        ):
            admin.execute(statement)
