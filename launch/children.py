"""Start a child process that cannot outlive us, in a session of its own.

On Linux the kernel sends the child a signal of our choice when the thread that started it ends
(`PR_SET_PDEATHSIG`): even kill -9 of the launcher leaves no orphan. So children are started from the main thread.
Elsewhere a launcher that is killed leaves its children behind; one that is asked to stop does not.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from launch.accounts import Account
from launch.log_files import open_log

_BOUND = Path(__file__).with_name("bound.py")
# What a service must not inherit from whoever starts us.
_FOREIGN = ("PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A command that runs until it is told to stop.

    Attributes:
        command: an absolute path, and arguments.
        environment: added to ours.
        account: whom it runs as; None: as who we are.
        stop_signal: asks it to end in order; also sent when we die.
        inherited: descriptors that the child keeps open (locks).
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    inherited: tuple[int, ...] = ()


def spawn(program: Program, log: Path) -> "subprocess.Popen[bytes]":
    """Start a program, its output appended to a file; call it from the main thread."""
    with open_log(log) as output:
        return subprocess.Popen(  # noqa: S603  # the commands are ours
            _bound(program),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=service_environment(program.environment),
            start_new_session=True,
            pass_fds=program.inherited,
        )


def run_to_end(program: Program) -> "subprocess.CompletedProcess[str]":
    """Run a program that ends by itself, and return what it said."""
    return subprocess.run(  # noqa: S603  # the commands are ours
        _bound(program),
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env=service_environment(program.environment),
        pass_fds=program.inherited,
    )


def service_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without what would mislead a service."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {**kept, **added}


def end(process: "subprocess.Popen[bytes]", ask: signal.Signals, patience_seconds: float) -> None:
    """Ask a child to end, and kill it when it has not after a while."""
    if process.poll() is None:
        process.send_signal(ask)
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _bound(program: Program) -> list[str]:
    account = (-1, -1) if program.account is None else (program.account.uid, program.account.gid)
    prefix = (sys.executable, "-I", "-S", _BOUND, int(program.stop_signal), os.getpid(), *account)
    return [*(str(part) for part in prefix), *program.command]
