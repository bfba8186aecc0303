"""Bring a database's schema to what this program needs: numbered, forward only, one transaction.

A migration is `NNNN_name.sql`, or one file per edition: `NNNN_name.{plain,apache,community}.sql`. The mark
`/*partition:column*/` after a table's closing bracket becomes `PARTITION BY RANGE (column)` on plain PostgreSQL
and nothing elsewhere, where a later migration makes a hypertable of the table.
"""

import contextlib
import hashlib
import random
import re
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import psycopg.errors

from veldwatch.errors import ConfigurationInvalid, SchemaMismatch, StorageUnavailable
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, translate, translated_errors
from veldwatch.storage.editions import Edition, Server, identify
from veldwatch.storage.restore_mark import check_restored

_FOLDER = Path(__file__).parent / "sql" / "migrations"
_FILE = re.compile(r"^(?P<number>\d{4})_(?P<name>[a-z_]+)(\.(?P<edition>plain|apache|community))?\.sql$")
_PARTITION = re.compile(r"/\*partition:(?P<column>[a-z_]+)\*/")
_SUFFIX = {Edition.PLAIN: "plain", Edition.APACHE: "apache", Edition.COMMUNITY: "community"}
# Any constant: two programs that start at once must not migrate at once. Writers share it (queries/schema.sql).
_LOCK = 0x56454C44
_LONGEST_WAIT = "3s"
"""For a lock on a table: whoever comes after this waits as long, so that is how long intake may stand still in vain."""
_ATTEMPTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step, as it reads for one edition."""

    number: int
    name: str
    statements: str

    @property
    def digest(self) -> str:
        """Tell whether a step that was applied is still the step that is here."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What `migrate` found and did."""

    server: Server
    applied: tuple[str, ...]
    already: int


@cache
def migrations(edition: Edition) -> tuple[Migration, ...]:
    """List the steps for an edition, in order."""
    found: list[Migration] = []
    for path in sorted(_FOLDER.iterdir()):
        match = _FILE.match(path.name)
        if match is None or match["edition"] not in (None, _SUFFIX[edition]):
            continue
        replacement = r"PARTITION BY RANGE (\g<column>)" if edition is Edition.PLAIN else ""
        statements = _PARTITION.sub(replacement, path.read_text(encoding="utf-8"))
        found.append(Migration(number=int(match["number"]), name=match["name"], statements=statements))
    return tuple(found)


def newest_step(edition: Edition) -> int:
    """Give the number of the last step for an edition."""
    return migrations(edition)[-1].number


def migrate(connection: Connection, *, attempts: int = _ATTEMPTS, restoring: bool = False) -> MigrationReport:
    """Apply the steps that are missing, all or none, while others read and write.

    No lock is waited for longer than three seconds: then everything is undone and tried again a little later, up to
    about ten minutes.

    The extension TimescaleDB is created first where the server offers it and the account may. A database stays of the
    edition that it began as. A log that came out of another server's dump is made readable again.

    Args:
        attempts: how often it is tried while somebody holds what it needs.
        restoring: this is the end of the restore that the database is marked with.

    Raises:
        ConfigurationInvalid: the database cannot hold every text.
        SchemaMismatch: a step that was applied has changed since, the database is newer than this program, or a
            restore did not end in it.
        StorageUnavailable: somebody held a table all the time.
    """
    check_encoding(connection)
    for _ in range(attempts):
        with contextlib.suppress(psycopg.errors.LockNotAvailable):
            return _attempt(connection, restoring=restoring)
        time.sleep(random.uniform(1, 5))  # noqa: S311  # so that two that migrate do not meet again
    raise StorageUnavailable(
        "somebody holds a table that the migration needs (see pg_stat_activity for what runs long)"
    )


def keep_migrations_out(connection: Connection) -> None:
    """Wait until nobody migrates, and let nobody begin before the caller's transaction ends."""
    with translated_errors():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _attempt(connection: Connection, *, restoring: bool) -> MigrationReport:
    with _translated_but_for_locks(), connection.transaction():
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (_LONGEST_WAIT,))
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if not restoring:
            check_restored(connection)
        _create_extension(connection)
        server = _server(connection)
        steps = migrations(server.edition)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, name text NOT NULL,"
            " digest text NOT NULL, edition text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied = _applied(connection)
        _check(applied, steps)
        missing = [step for step in steps if step.number not in applied]
        for step in missing:
            connection.execute(step.statements.encode())
            connection.execute(
                "INSERT INTO migration (number, name, digest, edition) VALUES (%s, %s, %s, %s)",
                (step.number, step.name, step.digest, server.edition.value),
            )
        if missing:
            # Default privileges cover a new view only where the account that makes it set them.
            connection.execute("SELECT grant_dashboards(rolname) FROM pg_roles WHERE rolname = 'grafana_ro'")
        log.rebase(connection)
    return MigrationReport(
        server=server, applied=tuple(f"{step.number:04} {step.name}" for step in missing), already=len(applied)
    )


@contextlib.contextmanager
def _translated_but_for_locks() -> Generator[None]:
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        raise translate(error) from error


def check_encoding(connection: Connection) -> None:
    """Refuse a database in which not every text can be stored, before anything is written.

    Raises:
        ConfigurationInvalid: it is not in UTF-8.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = connection.info.dbname
        raise ConfigurationInvalid(
            f"bad database {name!r}: its encoding is {encoding} (expected UTF8: CREATE DATABASE {name}"
            " ENCODING 'UTF8' TEMPLATE template0)"
        )


def check_schema(connection: Connection) -> Server:
    """Say what the server is, or refuse a database that this program does not fit.

    Raises:
        SchemaMismatch: steps are missing, the database is newer than this program, or a restore did not end in it.
        ConfigurationInvalid: the database cannot hold every text.
    """
    check_encoding(connection)
    with translated_errors(), connection.transaction():
        check_restored(connection)
        server = _server(connection)
        steps = migrations(server.edition)
        applied = _applied(connection)
    _check(applied, steps)
    missing = [step.number for step in steps if step.number not in applied]
    if missing:
        raise SchemaMismatch(f"migrations {missing} are not applied (run `veldwatch migrate`)")
    return server


def _create_extension(connection: Connection) -> None:
    """Create TimescaleDB in this database, unless the server has none or the account may not."""
    if _scalar(connection, "SELECT to_regclass('migration') IS NOT NULL"):
        return
    if _scalar(connection, "SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'"):
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")


def _server(connection: Connection) -> Server:
    """Say what the server is; a database that was migrated keeps its edition, whatever the server offers since."""
    server = identify(connection)
    if _scalar(connection, "SELECT to_regclass('migration') IS NOT NULL"):
        began_as = _scalar(connection, "SELECT edition FROM migration ORDER BY number LIMIT 1")
        if began_as is not None:
            return replace(server, edition=Edition(began_as))
    return server


def _applied(connection: Connection) -> dict[int, str]:
    if not _scalar(connection, "SELECT to_regclass('migration') IS NOT NULL"):
        return {}
    return dict(connection.execute("SELECT number, digest FROM migration").fetchall())


def _scalar(connection: Connection, query: LiteralString) -> Any:  # noqa: ANN401  # what the column is, only the query knows
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]


def _check(applied: dict[int, str], steps: Sequence[Migration]) -> None:
    known = {step.number: step for step in steps}
    newer = sorted(set(applied) - set(known))
    if newer:
        raise SchemaMismatch(f"the database has migrations {newer} that this program does not know (use a newer one)")
    changed = [number for number, digest in applied.items() if known[number].digest != digest]
    if changed:
        raise SchemaMismatch(f"migrations {sorted(changed)} differ from what was applied (restore the files)")
