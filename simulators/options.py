"""What the commands of `veldwatch simulate` take, and how it is read.

Every reader raises `ConfigurationInvalid` that names the option.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from simulators.scenario import Scenario
from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.durations import parse_duration

Named = Annotated[str, typer.Argument(help="a scenario file, or the name of one that comes with Veldwatch")]
Seed = Annotated[int | None, typer.Option(help="same seed, same bytes; none: the scenario's")]
Since = Annotated[str, typer.Option("--from", help="first moment of the run, ISO 8601")]
Until = Annotated[str, typer.Option("--to", help="its last moment, ISO 8601")]
Processes = Annotated[int, typer.Option(min=1, max=64, help="share the scenario's root sites out over so many")]


def seed_of(scenario: Scenario, seed: int | None) -> int:
    """Give the seed that is asked for, else the scenario's."""
    return scenario.seed if seed is None else seed


def stretch_of(since: str, until: str) -> tuple[datetime, datetime]:
    """Read `--from` and `--to`."""
    begins_at, ends_at = moment_of("--from", since), moment_of("--to", until)
    if ends_at <= begins_at:
        raise ConfigurationInvalid(f"bad --to: {until!r} (expected a moment after --from)")
    return begins_at, ends_at


def moment_of(option: str, text: str) -> datetime:
    """Read a moment; without an offset it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {text!r} (expected ISO 8601: 2026-11-22T10:00:00Z)") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def duration_of(option: str, text: str) -> timedelta:
    """Read a duration."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {error}") from error


def wall_clock() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)
