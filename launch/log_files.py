"""Log files of the children, bounded in size: one file per program, and the one before."""

import shutil
from pathlib import Path

LIMIT_BYTES = 10 * 1024 * 1024


def bound(log: Path, limit_bytes: int = LIMIT_BYTES) -> bool:
    """Move a log that has grown past the limit to `<name>.1` and empty it; True: it had.

    The child goes on writing to the same file: it is copied and truncated. Lines written between the two are lost.
    """
    if not log.exists() or log.stat().st_size <= limit_bytes:
        return False
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    with log.open("r+b") as file:
        file.truncate(0)
    return True
