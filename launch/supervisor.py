"""Keep child processes running, and stop them in order.

A child that ends while it should run is started again, at once the first time, then with growing pauses; a child that
has run for a while starts from the beginning. On stop, stages are told one after another, those of one stage
together, and what has not ended when its time is over is killed: 10 s at most in all.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch import log_files
from launch.children import Program, spawn

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
# A child that has run this long did start; what ended it is a new event.
_SETTLED_SECONDS = 30.0


@dataclass(slots=True, kw_only=True)
class _Child:
    program: Program
    stage: int
    log: Path
    process: "subprocess.Popen[bytes]"
    started_at: float
    failures: int = 0
    restart_at: float | None = field(default=None)


class Supervisor:
    """Runs programs until told to stop; use it from the main thread only.

    Args:
        logs: folder for the children's output.
        stages: the patience in seconds for each stage, in the order of stopping.
        announce: told in a line when a child ended unasked.
        changed: called after a child was started again (its process is another).
    """

    def __init__(
        self,
        logs: Path,
        stages: Mapping[int, float],
        announce: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._logs = logs
        self._stages = stages
        self._announce = announce
        self.changed = changed
        self._children: dict[str, _Child] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process of each program that runs."""
        return {name: child.process.pid for name, child in self._children.items() if child.process.poll() is None}

    def start(self, program: Program, stage: int) -> None:
        """Start a program and keep it running."""
        log = self._logs / f"{program.name}.log"
        self._children[program.name] = _Child(
            program=program, stage=stage, log=log, process=spawn(program, log), started_at=time.monotonic()
        )

    def failures(self, name: str) -> int:
        """Count how often a program has ended unasked since it last ran well."""
        return self._children[name].failures

    def log(self, name: str) -> Path:
        """Return the file that a program's output goes to."""
        return self._children[name].log

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program, unless it has just ended: it is started again anyway."""
        process = self._children[name].process
        if process.poll() is None:
            process.send_signal(number)

    def tend(self) -> None:
        """Start again what has ended and whose pause is over; bound the logs. Call it a few times a second."""
        now = time.monotonic()
        for child in self._children.values():
            if child.restart_at is None and child.process.poll() is not None:
                self._note_end(child, now)
            if child.restart_at is not None and now >= child.restart_at:
                self._start_again(child, now)
            log_files.bound(child.log)

    def stop(self) -> None:
        """Stop every program, stage by stage."""
        for stage, patience_seconds in self._stages.items():
            self._stop_stage([child for child in self._children.values() if child.stage == stage], patience_seconds)

    def _start_again(self, child: _Child, now: float) -> None:
        """Start a child anew; want of room or memory puts it off, and must not end those that run."""
        try:
            child.process = spawn(child.program, child.log)
        except OSError as error:
            child.failures += 1
            child.restart_at = now + _LONGEST_PAUSE_SECONDS
            pause = f"trying again in {_LONGEST_PAUSE_SECONDS:g} s"
            self._announce(f"{child.program.name} cannot be started ({error.strerror}); {pause}")
            return
        child.restart_at = None
        child.started_at = now
        try:
            self.changed()
        except OSError as error:
            self._announce(f"what runs has changed, and that cannot be written down: {error}")

    def _note_end(self, child: _Child, now: float) -> None:
        if now - child.started_at > _SETTLED_SECONDS:
            child.failures = 0
        pause = min(_FIRST_PAUSE_SECONDS * 2**child.failures, _LONGEST_PAUSE_SECONDS)
        child.failures += 1
        child.restart_at = now + pause
        code = child.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self._announce(f"{child.program.name} {how}; starting it again in {pause:g} s (log: {child.log})")

    @staticmethod
    def _stop_stage(children: list[_Child], patience_seconds: float) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(child.program.stop_signal)
        deadline = time.monotonic() + patience_seconds
        for child in children:
            try:
                child.process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
