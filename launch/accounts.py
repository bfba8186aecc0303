"""Which account embedded services run as, and a folder for each that this account can reach.

PostgreSQL refuses to run as root. Under root, services therefore run as an unprivileged account; where that account
cannot reach the state folder (it lies under /root, or in a private temporary folder), a service's files go to a
folder under `/var/lib/veldwatch` that belongs to this state folder alone and is removed once the state folder is gone.
"""

import contextlib
import fcntl
import os
import pwd
import secrets
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from veldwatch.errors import ServiceFailed

# `postgres` owns nothing but databases where it exists; `nobody` exists everywhere.
_CANDIDATES = ("postgres", "nobody")
_ELSEWHERE = Path("/var/lib/veldwatch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int


def service_account() -> Account | None:
    """Return whom services run as under root; None: as who we are.

    Raises:
        ServiceFailed: we are root and the machine has no unprivileged account that we know.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ServiceFailed(f"no account to run services as under root (expected one of {_CANDIDATES}; add one)")


def reaches(account: Account | None, path: Path) -> bool:
    """Tell whether an account may pass every folder on the way to a path, and the path itself if it is one."""
    if account is None:
        return True
    path = path.resolve()
    return all(_passes(account, folder.stat()) for folder in (*path.parents, path) if folder.exists())


def own(account: Account | None, path: Path) -> None:
    """Give a file or folder to the account that a service runs as."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def service_folder(home: Path, service: str, account: Account | None, *, elsewhere: Path = _ELSEWHERE) -> Path:
    """Make and return the folder of a service that belongs to a state folder.

    Args:
        elsewhere: where it goes if the account cannot reach the state folder.
    """
    if not home.exists():
        # Others may pass (a service's account has to), not list.
        home.mkdir(parents=True, mode=0o711)
    home = home.resolve()
    root = home if reaches(account, home) else _place_elsewhere(home, elsewhere)
    folder = root / service
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def lock_folder(folder: Path) -> int | None:
    """Lock a folder; a child that inherits the descriptor holds the lock as long as it lives.

    Returns:
        A descriptor that holds the lock until it and its copies are closed; None: somebody else holds it.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _passes(account: Account, entry: os.stat_result) -> bool:
    if entry.st_uid == account.uid:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == account.gid:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def _place_elsewhere(home: Path, elsewhere: Path) -> Path:
    elsewhere.mkdir(parents=True, mode=0o711, exist_ok=True)
    _remove_abandoned(elsewhere)
    marker = home / "elsewhere"
    if not marker.exists():
        marker.write_text(secrets.token_hex(8), encoding="ascii")
    folder = elsewhere / marker.read_text(encoding="ascii")
    if not folder.exists():
        folder.mkdir(mode=0o711)
        (folder / "home").write_text(str(home), encoding="utf-8")
    return folder


def _remove_abandoned(elsewhere: Path) -> None:
    for folder in elsewhere.iterdir():
        owner = folder / "home"
        if not owner.exists():
            continue  # being made at this moment
        marker = Path(owner.read_text(encoding="utf-8")) / "elsewhere"
        wanted = marker.exists() and marker.read_text(encoding="ascii") == folder.name
        if not wanted and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(folder: Path) -> bool:
    for lock in folder.glob("*/lock"):
        descriptor = lock_folder(lock.parent)
        if descriptor is None:
            return True
        os.close(descriptor)
    return False
