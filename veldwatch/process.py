"""A program's life: told to stop by SIGTERM or SIGINT, it finishes what it holds and leaves within 10 s."""

import os
import signal
import sys
import threading
from types import FrameType

# A launcher waits 10 s for its programs; what still runs then hangs, and nothing that was committed is lost.
_PATIENCE_SECONDS = 9.0


def stop_on_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; call it once, from the main thread.

    A second signal ends the process at once, for a person who does not want to wait; so does patience, after 9 s.
    """
    stop = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()
        watch = threading.Timer(_PATIENCE_SECONDS, _give_up)
        watch.daemon = True
        watch.start()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def _give_up() -> None:
    print(f"not stopped after {_PATIENCE_SECONDS:g} s, giving up", file=sys.stderr, flush=True)  # noqa: T201
    os._exit(os.EX_TEMPFAIL)
