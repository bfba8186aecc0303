"""A run shared out over processes: each plays some of the root sites, and all of them end together.

Contract: when one process ends before its time, the others are stopped and `ShareFailed` says which it was. When the
run is to stop, each has 10 s to finish what it holds. A process whose parent has died stops too.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import cast

from simulators.building import Share
from veldwatch.errors import ShareFailed, VeldwatchError
from veldwatch.process import collect_garbage_seldom, stop_on_signals

Play = Callable[[Share, threading.Event], int | None]
"""Plays a share until it is over or the event is set; returns how many messages it published, None: it was stopped.

It is called in the main thread of a fresh process, so it has to be picklable, and to configure logs for itself.
"""

_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.2
_NAMED = 3
"""Exit code of a share that has said what was wrong."""


@dataclass(frozen=True, slots=True)
class _Player:
    share: Share
    process: BaseProcess
    result: Connection

    def messages(self) -> int | None:
        """Return how many messages were published; None: it did not come to its end."""
        found: int | None = self.result.recv() if self.process.exitcode == 0 else None
        return found

    def raise_if_failed(self) -> None:
        code = self.process.exitcode
        if code:
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            if code == _NAMED:
                how += f" ({self.result.recv()})"
            raise ShareFailed(
                f"share {self.share.number + 1} of {self.share.of} (process {self.process.pid}) {how}; "
                "the others were stopped (see its log, and start the run again: it goes on where it was)"
            )


def play_shares(of: int, play: Play, stop: threading.Event) -> int | None:
    """Play all shares of a run, a process each.

    Args:
        of: how many.
        stop: set from outside when the run is to stop.

    Returns:
        How many messages all of them published; None: some did not come to their end, because of `stop`.

    Raises:
        ShareFailed: a process died, or ended with an error.
    """
    # A fresh interpreter: this one may have threads, which a fork would leave in the middle of something.
    context = multiprocessing.get_context("spawn")
    players: list[_Player] = []
    try:
        for number in range(of):
            result, results = context.Pipe(duplex=False)
            share = Share(number, of)
            process = context.Process(target=_play, args=(play, share, results), name=f"share-{number + 1}of{of}")
            process.start()
            results.close()
            # The other kind of connection is Windows'.
            players.append(_Player(share, process, cast("Connection", result)))
        while not stop.is_set() and any(player.process.is_alive() for player in players):
            connection.wait([p.process.sentinel for p in players if p.process.is_alive()], _LOOK_SECONDS)
            for player in players:
                player.raise_if_failed()
        for player in () if stop.is_set() else players:
            player.raise_if_failed()
    finally:
        end_processes([player.process for player in players])
    found = [player.messages() for player in players]
    known = [messages for messages in found if messages is not None]
    return sum(known) if len(known) == len(found) else None


def end_processes(processes: Sequence[BaseProcess]) -> None:
    """Ask all that still run to end, and kill those that have not after a while."""
    running = [process for process in processes if process.is_alive()]
    for process in running:
        process.terminate()
    until = time.monotonic() + _PATIENCE_SECONDS
    for process in running:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
    for process in processes:
        process.join()


def _play(play: Play, share: Share, results: Connection) -> None:
    stop = stop_on_signals()
    collect_garbage_seldom()
    threading.Thread(target=stop_without_parent, name="parent", daemon=True).start()
    try:
        results.send(play(share, stop))
    except VeldwatchError as error:
        results.send(str(error))
        sys.exit(_NAMED)


def stop_without_parent() -> None:
    """Wait for the parent process to die, and then ask this one to stop; runs in a thread of its own."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
