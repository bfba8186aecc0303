"""What a measurement was taken on, and what each process of it cost.

Processor time comes from Linux's /proc; elsewhere it is told as unknown. On machines that others use too it says more
than the clock: it hardly changes with what runs beside.
"""

import os
import platform
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def processor() -> str:
    """Name the processor."""
    try:
        lines = (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def cpu_seconds(pid: int | None) -> float:
    """Sum user and system time of a process, of its living children and of those that it has buried; 0: unknown."""
    if pid is None or not _PROC.exists():
        return 0.0
    total = 0.0
    with suppress(OSError):
        total += sum(_times(pid))
        for child in _children(pid):
            with suppress(OSError):
                total += sum(_times(child)[:2])
    return total


def cpu_milliseconds(pid: int) -> float:
    """Return how long one process has run, exactly, its children left out; 0: unknown.

    Source: Linux' Documentation/scheduler/sched-stats, the first field of schedstat is in nanoseconds.
    """
    try:
        return int((_PROC / str(pid) / "schedstat").read_text(encoding="utf-8").split()[0]) / 1e6
    except OSError:
        return 0.0


def memory_bytes() -> int:
    """Return how much memory this process holds; 0: unknown. Source: proc(5), the second field of statm is in pages."""
    try:
        return int((_PROC / "self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if int(_fields(int(folder.name))[1]) == pid:
                    found.append(int(folder.name))
    return found


def _times(pid: int) -> list[float]:
    """Give user, system, and the children's user and system seconds. Source: proc(5), fields 14 to 17 of stat."""
    return [int(ticks) / _TICKS for ticks in _fields(pid)[11:15]]


def _fields(pid: int) -> list[str]:
    """Split stat after the program's name, which may hold blanks: the first field is the state."""
    return (_PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
