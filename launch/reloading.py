"""Run a broker beside the files of its accounts, and tell it (SIGHUP) when they change.

For a container: the broker cannot be signalled from another one. This process is the container's first: it passes
signals on and ends as the broker ends.
"""

import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import structlog

from veldwatch.errors import ServiceFailed

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_TICK_SECONDS = 0.5
_PATIENCE_SECONDS = 8.0


def run_reloading(command: Sequence[str], files: Sequence[Path], stop: threading.Event) -> int:
    """Start a broker once its files are there, keep telling it of changes, and give its exit code.

    Args:
        stop: when set, the broker is asked to end.

    Raises:
        ServiceFailed: the command cannot be run.
    """
    if not _await(files, stop):
        return 0
    known = _identities(files)
    try:
        process = subprocess.Popen(command)  # noqa: S603  # what the operator gave
    except OSError as error:
        raise ServiceFailed(f"cannot run {command[0]!r}: {error.strerror}") from error
    while process.poll() is None:
        if stop.wait(_TICK_SECONDS):
            return _end(process)
        found = _identities(files)
        if found != known:
            known = found
            _log.info("accounts changed, the broker reads them again")
            process.send_signal(signal.SIGHUP)
    return process.returncode


def _await(files: Sequence[Path], stop: threading.Event) -> bool:
    missing = [file for file in files if not file.exists()]
    if missing:
        _log.info("waiting for the accounts", files=[str(file) for file in missing])
    while not all(file.exists() for file in files):
        if stop.wait(_TICK_SECONDS):
            return False
    return not stop.is_set()


def _identities(files: Sequence[Path]) -> list[tuple[int, int]]:
    """A file that was replaced has another number or time."""
    entries = [file.stat() for file in files if file.exists()]
    return [(entry.st_ino, entry.st_mtime_ns) for entry in entries]


def _end(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return 0
