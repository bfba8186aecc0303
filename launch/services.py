"""What the embedded database and the embedded broker have in common: a folder of their own, a password, a process.

A service belongs to one launcher at a time: its folder is locked, and the server itself holds the lock too, so that
a server that is still shutting down after its launcher was killed cannot meet its successor.
"""

import os
import secrets
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from launch.accounts import lock_folder, service_account, service_folder
from launch.children import Program, end, spawn
from launch.log_files import make_folder
from veldwatch.errors import ServiceFailed

# A launcher that was killed takes its services down within this time, and frees their folders.
_TAKEOVER_SECONDS = 20.0
# Nothing slower was seen than 1.2 s cold; a loaded machine that recovers from a crash needs more.
_START_SECONDS = 60.0


class EmbeddedService(ABC):
    """A server of our own; `start` and `stop` from the main thread.

    Args:
        name: of its folder under the state folder, and of its log.
    """

    def __init__(self, name: str, home: Path) -> None:
        self.name = name
        self.account = service_account()
        self.log = home / "logs" / f"{name}.log"
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._program: Program | None = None
        self._lock: int | None = None

    @abstractmethod
    def program(self, folder: Path, lock: int) -> Program:
        """Set the folder up if it is new, and return what is to be run; `lock` is to be inherited."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server takes requests."""

    @property
    def pid(self) -> int:
        """The server's process, once started."""
        if self._process is None:
            raise ServiceFailed(f"the embedded {self.name} is not running (call start first)")
        return self._process.pid

    def prepare(self) -> Program:
        """Take the folder and return what is to be run.

        Raises:
            ServiceFailed: another launcher owns the folder, or it cannot be set up.
        """
        folder = service_folder(self._home, self.name, self.account)
        make_folder(self.log.parent)
        if self._lock is None:
            self._lock = _take(folder)
        return self.program(folder, self._lock)

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServiceFailed: with the end of the server's log.
        """
        self._program = self.prepare()
        self._process = spawn(self._program, self.log)
        deadline = time.monotonic() + _START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceFailed(f"the embedded {self.name} did not start; its log ends:\n{tail(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Shut the server down, and free the folder."""
        if self._process is not None and self._program is not None:
            end(self._process, self._program.stop_signal, patience_seconds=20)
        self.release()

    def release(self) -> None:
        """Free the folder, once the server has ended."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def kept_password(folder: Path) -> str:
    """Return the password of a service, made at its first start, readable by nobody else."""
    file = folder / "password"
    if not file.exists():
        part = folder / "password.part"
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(24), encoding="ascii")
        part.rename(file)
    return file.read_text(encoding="ascii")


def kept_client_id(home: Path, stem: str) -> str:
    """Return ingest's client id, made at the first start: who knows it could take the session over."""
    file = home / "client-id"
    if not file.exists():
        part = home / "client-id.part"
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(secrets.token_hex(8), encoding="ascii")
        part.rename(file)
    return f"{stem}-{file.read_text(encoding='ascii')}"


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    return log.read_bytes()[-1500:].decode(errors="replace") if log.exists() else ""


def _take(folder: Path) -> int:
    deadline = time.monotonic() + _TAKEOVER_SECONDS
    while (lock := lock_folder(folder)) is None:
        if time.monotonic() > deadline:
            raise ServiceFailed(f"{str(folder)!r} is in use by another server (stop it first)")
        time.sleep(0.1)
    return lock
