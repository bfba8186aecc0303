"""Log files of the children, bounded in size and readable by nobody else: one file per program, and the one before.

They hold devices' names, addresses of people and what statements failed with.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

LIMIT_BYTES = 10 * 1024 * 1024


def make_folder(folder: Path) -> None:
    """Make the folder of the logs, or close one that an older version left open."""
    folder.mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o700)


def open_log(log: Path) -> BinaryIO:
    """Open a log to append to; a child of another account goes on writing to it."""
    opened = os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")
    os.fchmod(opened.fileno(), 0o600)
    return opened


def bound(log: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Move a log that has grown past the limit to `<name>.1` and empty it; True: it had.

    The child goes on writing to the same file: it is copied and truncated. Lines written between the two are lost.
    """
    if not log.exists() or log.stat().st_size <= limit_bytes:
        return False
    before = log.with_name(f"{log.name}.1")
    with suppress(OSError):  # a full disk keeps less of it, and gets room by what follows
        before.touch(mode=0o600)
        before.chmod(0o600)
        shutil.copyfile(log, before)
    with log.open("r+b") as file:
        file.truncate(0)
    return True
