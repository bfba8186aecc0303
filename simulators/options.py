"""What the commands of `veldwatch simulate` take, and how it is read."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from simulators.scenario import Scenario
from veldwatch.command_line import moment_of, stretch_of

Named = Annotated[str, typer.Argument(help="a scenario file, or the name of one that comes with Veldwatch")]
Seed = Annotated[int | None, typer.Option(help="same seed, same bytes; none: the scenario's")]
Since = Annotated[str, typer.Option("--from", help="first moment of the run, ISO 8601")]
Until = Annotated[str, typer.Option("--to", help="its last moment, ISO 8601")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="share the scenario's root sites out over so many")]


def seed_of(scenario: Scenario, seed: int | None) -> int:
    """Give the seed that is asked for, else the scenario's."""
    return scenario.seed if seed is None else seed


def run_stretch(since: str, until: str) -> tuple[datetime, datetime]:
    """Read the first and the last moment of a run."""
    return stretch_of(moment_of("--from", since), moment_of("--to", until))


def wall_clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)
