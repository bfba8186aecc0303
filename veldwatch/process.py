"""A program's life: told to stop by SIGTERM, SIGINT or a hang-up, it finishes what it holds and leaves within 10 s."""

import gc
import multiprocessing
import os
import signal
import sys
import threading
from multiprocessing.process import BaseProcess
from types import FrameType


def stop_on_signals(patience_seconds: float = 9.0) -> threading.Event:
    """Return an event that SIGTERM, SIGINT and SIGHUP set; call it once, from the main thread.

    A second signal ends the process at once, for a person who does not want to wait. So does the end of patience: what
    still runs then hangs, and nothing that was committed is lost.

    Args:
        patience_seconds: from the first signal; a launcher waits 10 s for its programs.
    """
    stop = threading.Event()
    asked = False

    def ask(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        asked = True
        watch = threading.Timer(patience_seconds, _give_up, (patience_seconds,))
        watch.daemon = True
        watch.start()
        # Not from here: what the signal interrupts may hold the event's own lock, and would wait for itself.
        threading.Thread(target=stop.set, name="stop", daemon=True).start()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, ask)
    return stop


def end_with_parent() -> None:
    """Let this process, which `multiprocessing` started, end at once when its parent dies, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent,), name="parent", daemon=True).start()


def collect_garbage_seldom() -> None:
    """Look for cycles of garbage a hundred times less often, and never among what is there already.

    For a program that makes and drops millions of small objects without cycles: with CPython's own threshold (700
    objects), a third of ingest's time went into walking over them. Call it once everything is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _end_after(parent: BaseProcess) -> None:
    parent.join()
    os._exit(os.EX_TEMPFAIL)


def _give_up(patience_seconds: float) -> None:
    print(f"not stopped after {patience_seconds:g} s, giving up", file=sys.stderr, flush=True)  # noqa: T201  # logs may hang too
    os._exit(os.EX_TEMPFAIL)
