"""The programs of the stack: how each is called, and when it is stopped.

Each runs as `python -m launch <name> run` in a process of its own, and gets everything from its environment.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from launch.children import Program
from veldwatch.config import Settings, secret_variables

# Patience in seconds for each stage, in the order of stopping; 10 s in all. What produces stops before what takes it.
SIMULATORS, PROGRAMS, MAILBOX, BROKER, DATABASE = range(5)
STAGES: Mapping[int, float] = {SIMULATORS: 1.5, PROGRAMS: 4.5, MAILBOX: 0.5, BROKER: 1.0, DATABASE: 2.0}

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "api": ("api", "run"),
    "maintenance": ("maintain",),
    "rules": ("rules", "run"),
    "notify": ("notify", "run"),
    "ingest": ("ingest", "run"),
    "mailbox": ("mailbox", "run"),
    "simulators": ("simulate", "serve", "demo"),
}


def program(name: str, environment: Mapping[str, str]) -> Program:
    """Return a program of ours.

    Args:
        name: one of `COMMANDS`, or that and a number where several run: `rules-2`.
        environment: added to ours. A secret in it hides the file that may hold it for us: both at once are refused.
    """
    hidden = {f"{variable}_FILE": "" for variable in secret_variables() if variable in environment}
    return Program(
        name=name,
        command=(sys.executable, "-m", "launch", *COMMANDS[name.partition("-")[0]]),
        environment={**environment, **hidden, "PYTHONUNBUFFERED": "1"},
    )


def rules_programs(workers: int) -> list[str]:
    """Name the programs that share the rules' subjects."""
    return ["rules", *(f"rules-{number}" for number in range(2, workers + 1))]


def passed_on(settings: Settings, home: Path) -> dict[str, str]:
    """Return the environment that every program gets, beside ours: what is relative made absolute."""
    environment = {"VELDWATCH_HOME": str(home), "VELDWATCH_LOG_LEVEL": settings.log_level}
    files = ("VELDWATCH_CONFIG", *(f"{variable}_FILE" for variable in secret_variables()))
    return environment | {name: str(Path(os.environ[name]).resolve()) for name in files if os.environ.get(name)}
